"""The density over natural parameters is the target's without a Jacobian."""

import numpy as np
import pytest

import bayeslmm
from bayeslmm.posterior.natural import NaturalTarget, unbounded
from bayeslmm.posterior.target import Target
from bayeslmm.spec.covariance import CovarianceStructure


def model_of(bar="(0 + Machine | Worker)", **options):
    return bayeslmm.LinearMixedModel(f"score ~ Machine + {bar}", bayeslmm.load_dataset("Machines"), **options)


def natural(target, phi):
    """sd, pairs of correlations and sigma at a point, as the data tree has them."""
    from bayeslmm.posterior.parameters import correlations

    parameters = target.parameters(phi[None])
    cor = correlations(target.design, parameters)
    parts = [*parameters.sd.values(), *cor.values(), parameters.sigma[:, None]]
    return np.concatenate([part[0] for part in parts])


@pytest.mark.parametrize("keyword", CovarianceStructure.kinds())
def test_the_target_is_it_plus_the_jacobian(keyword):
    model = model_of(f"{keyword}(0 + Machine | Worker)")
    target, without = (kind(model.design, model.priors) for kind in (Target, NaturalTarget))
    phi = target.start() + np.random.default_rng(1).normal(0, 0.3, target.size)
    steps = 1e-6 * np.eye(target.size)
    moved = np.array([natural(target, phi + step) - natural(target, phi - step) for step in steps]) / 2e-6
    log_jacobian = 0.5 * np.linalg.slogdet(moved @ moved.T)[1]
    assert target(phi[None])[0] - without(phi[None])[0] == pytest.approx(log_jacobian, abs=1e-5)


def test_a_face_is_a_point_like_others():
    model = model_of("(1 + Machine | Worker)")
    target = NaturalTarget(model.design, model.priors.only(("sd", "sigma")))
    phi = target.start()
    near, on = phi.copy(), phi.copy()
    near[1], on[1] = -20.0, -np.inf
    assert target.finite(on[None])[0] == pytest.approx(target.finite(near[None])[0], abs=1e-6)
    near[-1], on[-1] = 15.0, np.inf
    assert target.finite(on[None])[0] == pytest.approx(target.finite(near[None])[0], abs=1e-6)


def test_points_by_natural_parameters():
    model = model_of()
    target = NaturalTarget(model.design, model.priors)
    phi = target.start() + 0.1
    parameters = target.parameters(phi[None])
    from bayeslmm.posterior.parameters import correlations

    cor = {group: values[0] for group, values in correlations(model.design, parameters).items()}
    sd = {group: values[0] for group, values in parameters.sd.items()}
    assert target.at(float(parameters.sigma[0]), sd, cor) == pytest.approx(phi)


def test_priors_without_a_bound_are_named():
    priors = model_of(priors={"sd": bayeslmm.Gamma(0.5, 1), "cor": bayeslmm.LKJ(0.7)}).priors
    assert len(unbounded(priors)) == 4
    assert unbounded(priors.only(("sigma",))) == ()
    assert unbounded(model_of(priors={"sd": bayeslmm.Exponential(1)}).priors) == ()
