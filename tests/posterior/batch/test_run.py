import numpy as np
import pytest

import bayeslmm as bl
from bayeslmm.errors import OptionError
from bayeslmm.posterior.batch.arrays import weighted_limits


@pytest.fixture(scope="module")
def model():
    return bl.LinearMixedModel("Reaction ~ Days + (Days | Subject)", bl.load_dataset("sleepstudy"))


def check_against_quadrature(found, i, table):
    """Within what a thousand weighted points can tell."""
    sd = table["sd"].to_numpy()
    np.testing.assert_array_less(np.abs(found.mean[i] - table["mean"]) / sd, 0.03)
    np.testing.assert_array_less(np.abs(found.sd[i] / sd - 1), 0.04)
    np.testing.assert_array_less(np.abs(found.eti[i] - table[["lower", "upper"]]) / sd[:, None], 0.12)


def test_responses_have_the_posteriors_that_quadrature_finds(model):
    y = model.fit().simulate(6, seed=3).to_numpy().T
    found = model.posteriors(y)
    assert not found.failed.any() and (found.effective > 300).all()
    for i in (0, 5):
        data = model.data.assign(Reaction=y[i])
        alone = bl.LinearMixedModel(model.spec.formula, data, priors=model.priors.table)
        check_against_quadrature(found, i, alone.sample(method="quadrature").estimates().frame)


@pytest.mark.slow
def test_priors_have_the_posteriors_that_quadrature_finds(model):
    priors = [{}, {"sd[Subject: Days]": bl.HalfNormal(2), "beta[Days]": bl.Normal(0, 2)}]
    found = model.posteriors(priors=priors)
    for i, changes in enumerate(priors):
        alone = model.with_priors(changes).sample(method="quadrature")
        check_against_quadrature(found, i, alone.estimates().frame)


def test_a_posterior_does_not_depend_on_its_company(model):
    y = model.fit().simulate(3, seed=3).to_numpy().T
    together, alone = model.posteriors(y), model.posteriors(y[2])
    np.testing.assert_array_equal(together.eti[2], alone.eti[0])


def test_shortest_intervals_are_those_of_the_law():
    n = 4096
    u = (np.arange(n) + 0.5) / n
    values = np.column_stack([-np.log(1 - u), u**2])
    eti, hdi = weighted_limits(values, np.full(n, 1 / n), 0.9)
    np.testing.assert_allclose(eti[0], -np.log([0.95, 0.05]), rtol=1e-3)
    np.testing.assert_allclose(hdi[0], [0.0, -np.log(0.1)], atol=0.02)
    np.testing.assert_allclose(hdi[1], [0.0, 0.81], atol=0.01)


def test_weights_stand_for_repetitions():
    rng = np.random.default_rng(0)
    values, counts = rng.normal(size=(3000, 1)), rng.integers(1, 4, 3000)
    weighted = weighted_limits(values, counts / counts.sum(), 0.8)
    repeated = weighted_limits(
        np.repeat(values, counts, axis=0), np.full(counts.sum(), 1 / counts.sum()), 0.8
    )
    np.testing.assert_allclose(weighted[0], repeated[0], atol=2e-3)


@pytest.mark.parametrize("asked", [{}, {"responses": np.zeros((1, 180)), "priors": [{}]}])
def test_either_responses_or_priors_are_asked_for(model, asked):
    with pytest.raises(OptionError, match="give one"):
        model.posteriors(**asked)


def test_responses_have_a_value_for_each_row(model):
    with pytest.raises(OptionError, match="180"):
        model.posteriors(np.zeros((2, 7)))
