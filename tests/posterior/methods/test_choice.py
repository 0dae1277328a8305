"""What is done and what is left out is counted, so that it doesn't hang on the machine's load."""

import numpy as np
import pandas as pd
import pytest

from bayeslmm.posterior.methods.averages import averages
from bayeslmm.posterior.methods.choice import choose
from bayeslmm.posterior.target import Target
from bayeslmm.spec.build import build
from bayeslmm.spec.model_spec import ModelSpec
from bayeslmm.spec.priors import default_priors


def crossed(n_g, n_h, n=4000):
    rng = np.random.default_rng(1)
    data = pd.DataFrame({"g": rng.integers(n_g, size=n), "h": rng.integers(n_h, size=n)})
    data["x"], data["y"] = rng.normal(size=n), rng.normal(size=n)
    return data


def target_of(formula, data):
    design = build(ModelSpec(formula), data).design
    return Target(design, default_priors(design))


@pytest.fixture
def unmeasured(monkeypatch):
    """Nothing may be evaluated, hence nothing timed."""

    def refused(*_):
        raise AssertionError("evaluated")

    for name in ("value_and_gradient", "with_gradients", "finite", "by_scale", "__call__"):
        monkeypatch.setattr(Target, name, refused)


@pytest.mark.usefixtures("unmeasured")
@pytest.mark.parametrize(
    ("n_g", "n_h", "graph"), [(30, 20, "marginal"), (900, 800, "explicit")], ids=["small", "dear"]
)
def test_a_method_is_chosen_without_evaluating(n_g, n_h, graph):
    plan = choose(target_of("y ~ x + (1 | g) + (1 | h)", crossed(n_g, n_h)), "auto")
    assert plan.methods == ("importance", graph)
    assert plan == choose(target_of("y ~ x + (1 | g) + (1 | h)", crossed(n_g, n_h)), "auto")


@pytest.mark.usefixtures("unmeasured")
def test_averages_are_left_out_without_evaluating():
    data = crossed(1900, 1800)
    left_out = averages(target_of("y ~ x + (1 | g) + (1 | h)", data))
    assert left_out.startswith("left out: an evaluation takes")
    assert left_out == averages(target_of("y ~ x + (1 | g) + (1 | h)", data))


def test_work_grows_as_the_tail_does():
    works = [
        target_of("y ~ 1 + (1 | g) + (1 | h)", crossed(m, m)).design.kernel.work for m in (120, 240, 480)
    ]
    assert works == sorted(works)
    assert works[2] / works[1] > 4
