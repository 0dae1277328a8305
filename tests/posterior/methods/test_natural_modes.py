"""The highest point, on faces too, is that of a search that knows nothing of faces."""

from itertools import product

import numpy as np
import pytest

import bayeslmm
from bayeslmm.posterior.methods.natural_modes import climb, highest, hints
from bayeslmm.posterior.natural import NaturalTarget

PRIORS = [
    {},
    {"sd": bayeslmm.Exponential(1)},
    {"sd": bayeslmm.Gamma(2, 0.1)},
    {"sd": bayeslmm.Uniform(0, 1)},
    {"sd": bayeslmm.Uniform(1, 5)},
    {"sd": bayeslmm.LogNormal(0, 1)},
    {"sd": bayeslmm.HalfCauchy(1), "sigma": bayeslmm.InverseGamma(3, 3)},
    {"sd": bayeslmm.TruncatedNormal(1, 1, 0.5, 3)},
    {"sigma": bayeslmm.Uniform(2, 3)},
]


@pytest.mark.parametrize("priors", PRIORS, ids=str)
@pytest.mark.parametrize("data", ["Dyestuff2", "Dyestuff"])
def test_the_mode_is_the_highest_point_of_a_grid(priors, data):
    rows = bayeslmm.load_dataset(data)
    rows = rows.assign(Yield=rows["Yield"] / rows["Yield"].std())
    model = bayeslmm.LinearMixedModel("Yield ~ 1 + (1 | Batch)", rows, priors=priors)
    target = NaturalTarget(model.design, model.priors)
    mode = highest(target, climb(target, target.start()), hints(target))
    with np.errstate(divide="ignore"):
        sigma = np.log(np.append(np.linspace(0.3, 4, 120), 2 + 1e-9))
        sd = np.log(np.append(np.linspace(0, 5, 120), [1 - 1e-9, 1 + 1e-9]))
    grid = np.array(list(product(sigma, sd)))
    assert mode.converged
    best = target.finite(grid).max()
    assert best - 1e-9 <= mode.value < best + 0.05


def test_two_hills_are_both_looked_at():
    import pandas as pd

    rng = np.random.default_rng(0)
    data = pd.DataFrame({"g": np.repeat(np.arange(30), 3)})
    data["y"] = 50 * rng.standard_normal(30)[data["g"]] + rng.standard_normal(90)
    model = bayeslmm.LinearMixedModel("y ~ 1 + (1 | g)", data, priors={"sd": bayeslmm.HalfNormal(0.6)})
    target = NaturalTarget(model.design, model.priors)
    low, high = (climb(target, np.log([sigma, sd])) for sigma, sd in ((1.0, 15.0), (50.0, 0.1)))
    assert abs(low.phi[0] - high.phi[0]) > 1
    for first, second in ((low, high), (high, low)):
        assert highest(target, first, [second.phi]).value == max(low.value, high.value)


def test_a_model_without_parameters_has_one_point():
    data = bayeslmm.load_dataset("sleepstudy")
    model = bayeslmm.LinearMixedModel("Reaction ~ Days", data, sigma=30.0)
    target = NaturalTarget(model.design, model.priors)
    assert climb(target, target.start()).converged
    assert hints(target) == []
