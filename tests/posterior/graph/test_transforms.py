"""The coordinate of a standard deviation: a bijection with its own Jacobian, used where a prior is a wall."""

import numpy as np
import pytensor
import pytest
from pytensor.compile.mode import Mode

from bayeslmm.posterior.graph.graphs import build_graph
from bayeslmm.posterior.graph.transforms import ScaledSoftPlus
from bayeslmm.spec.priors import (
    Exponential,
    Flat,
    Gamma,
    HalfNormal,
    HalfStudentT,
    PenalizedComplexity,
    default_priors,
)

PYTHON = Mode(linker="py", optimizer="fast_compile")
SCALE = np.array([0.3, 9.0])


def evaluate(build, at):
    t = pytensor.tensor.dvector()
    return pytensor.function([t], build(t), mode=PYTHON)(np.asarray(at))


@pytest.mark.parametrize("at", [[-30.0, -2.0], [0.0, 0.5], [3.0, 40.0]])
def test_forward_undoes_backward_and_the_jacobian_is_its_derivative(at):
    transform = ScaledSoftPlus(SCALE)
    assert evaluate(lambda t: transform.forward(transform.backward(t)), at) == pytest.approx(at, rel=1e-9)
    slope = evaluate(lambda t: pytensor.grad(transform.backward(t).sum(), t), at)
    assert evaluate(lambda t: transform.log_jac_det(t), at) == pytest.approx(np.log(slope), rel=1e-9)


def test_far_below_the_scale_it_is_the_logarithm_and_far_above_the_ratio():
    transform = ScaledSoftPlus(SCALE)
    assert evaluate(transform.forward, 1e-6 * SCALE) == pytest.approx(np.log([1e-6, 1e-6]), rel=1e-6)
    assert evaluate(transform.forward, 50 * SCALE) == pytest.approx([50.0, 50.0], rel=1e-12)


@pytest.mark.parametrize(
    ("prior", "scale"),
    [
        (HalfNormal(3.0), 3.0),
        (Exponential(2.0), 2.0),
        (Gamma(6.0, 2.0), 3.0),
        (PenalizedComplexity(5.0, 0.05), PenalizedComplexity(5.0, 0.05).exponential.scale),
        (HalfStudentT(4.0, 3.0), None),
        (Flat(), None),
    ],
    ids=str,
)
def test_walls_have_it_and_power_tails_keep_the_logarithm(sleepstudy, prior, scale):
    model = build_graph(sleepstudy, default_priors(sleepstudy).replace({"sd": prior, "sigma": prior}))
    for name, size in (("sigma", ()), ("sd_Subject", (2,))):
        transform = model.rvs_to_transforms[model[name]]
        if scale is None:
            assert transform.name == "log"
        else:
            assert transform.name == "softplus"
            np.testing.assert_array_equal(transform.scale, np.full(size, scale))


def test_elements_under_several_families_have_their_own(sleepstudy):
    priors = default_priors(sleepstudy).replace({"sd[Subject: Days]": HalfStudentT(4.0, 3.0)})
    model = build_graph(sleepstudy, priors)
    found = [model.rvs_to_transforms[rv].name for rv in model.free_RVs if "sd_Subject" in rv.name]
    assert found == ["softplus", "log"]
    assert np.isfinite(model.compile_logp(mode=PYTHON)(model.initial_point()))
