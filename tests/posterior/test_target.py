import numpy as np
import pytest

from bayeslmm.posterior.parameters import correlations, log_prior, relative_factors
from bayeslmm.posterior.target import Target
from bayeslmm.spec.priors import Normal, StudentT, default_priors

MODELS = [
    ("Reaction ~ Days + (Days | Subject)", "sleepstudy"),
    ("score ~ Machine + (Machine | Worker)", "Machines"),
    ("strength ~ 1 + (1 | batch/cask)", "Pastes"),
]


def target_of(found, beta=None):
    priors = default_priors(found)
    return Target(found, priors if beta is None else priors.replace({"beta": beta}))


@pytest.mark.parametrize(("formula", "dataset"), MODELS)
@pytest.mark.parametrize("beta", [None, Normal(5.0, 50.0), StudentT(4, 5.0, 50.0)])
def test_gradient_is_that_of_the_value(design, formula, dataset, beta):
    target = target_of(design(formula, dataset), beta)
    rng = np.random.default_rng(3)
    phi = target.start() + 0.2 * rng.standard_normal(target.size)
    value, gradient = target.value_and_gradient(phi)
    steps = 1e-5 * np.eye(target.size)
    numeric = (target(phi + steps) - target(phi - steps)) / 2e-5
    assert value == pytest.approx(target(phi[None])[0], rel=1e-13)
    np.testing.assert_allclose(gradient, numeric, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize(("formula", "dataset"), MODELS)
def test_factors_are_those_of_the_specification(design, formula, dataset):
    found = design(formula, dataset)
    target = target_of(found)
    phi = target.start() + np.random.default_rng(4).standard_normal((5, target.size))
    parameters = target.parameters(phi)
    cor = correlations(found, parameters)
    for i, lam in enumerate(relative_factors(found, parameters)):
        sd = {group: values[i] for group, values in parameters.sd.items()}
        natural = found.covariance.from_natural(sd, {g: c[i] for g, c in cor.items()}, parameters.sigma[i])
        np.testing.assert_allclose(lam, natural, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("formula", "dataset"), MODELS[:2])
def test_prior_differs_from_the_natural_one_by_the_jacobian(design, formula, dataset):
    found = design(formula, dataset)
    target = target_of(found)
    phi = (target.start() + 0.3 * np.random.default_rng(5).standard_normal(target.size))[None]
    parameters = target.parameters(phi)
    natural = log_prior(found, target.priors, parameters, np.zeros((1, found.p)))
    group = found.blocks[0].group

    def flat(points):
        p = target.parameters(points)
        return np.concatenate([p.sigma[:, None], p.sd[group], correlations(found, p)[group]], axis=1)

    steps = 1e-6 * np.eye(target.size)
    jacobian = (flat(phi + steps) - flat(phi - steps)) / 2e-6
    total = sum(float(np.sum(part)) for part in natural.values()) + np.linalg.slogdet(jacobian)[1]
    assert target.log_prior(phi)[0] == pytest.approx(total, abs=1e-6)


@pytest.mark.parametrize(("formula", "dataset"), MODELS)
@pytest.mark.parametrize("beta", [None, StudentT(4, 5.0, 50.0)])
def test_one_factor_serves_all_scales(design, formula, dataset, beta):
    target = target_of(design(formula, dataset), beta)
    rng = np.random.default_rng(6)
    phi, scales = target.start() + rng.standard_normal((3, target.size)), np.array([-2.0, 0.0, 1.5])
    each = [target.finite(points) for points in target.scaled(phi, scales)]
    np.testing.assert_allclose(target.by_scale(phi, scales), each, rtol=1e-11)
    values, gradients = target.with_gradients(phi)
    alone = [target.value_and_gradient(point) for point in phi]
    np.testing.assert_allclose(values, [value for value, _ in alone], rtol=1e-12)
    np.testing.assert_allclose(gradients, [gradient for _, gradient in alone], rtol=1e-6, atol=1e-6)
