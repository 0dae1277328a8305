"""Priors of PyMC and Bambi as records: the same density."""

import numpy as np
import pymc as pm
import pytest

import bayeslmm as bl
from bayeslmm.errors import PriorError
from bayeslmm.posterior.bridge.foreign_priors import as_prior, to_bambi_prior

from .bambi_here import needs_bambi

DISTRIBUTIONS = {
    "normal": lambda: pm.Normal.dist(1, 2),
    "student": lambda: pm.StudentT.dist(nu=4, mu=1, sigma=2),
    "cauchy": lambda: pm.Cauchy.dist(1, 2),
    "laplace": lambda: pm.Laplace.dist(1, 2),
    "half normal": lambda: pm.HalfNormal.dist(3),
    "half student": lambda: pm.HalfStudentT.dist(nu=4, sigma=2),
    "half cauchy": lambda: pm.HalfCauchy.dist(5),
    "exponential": lambda: pm.Exponential.dist(2),
    "gamma": lambda: pm.Gamma.dist(2, 3),
    "gamma by mean": lambda: pm.Gamma.dist(mu=2, sigma=3),
}


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_pymc_distributions_keep_their_density(name):
    distribution = DISTRIBUTIONS[name]()
    record = as_prior(distribution)
    x = np.array([0.1, 0.7, 3.0])
    expected = pm.logp(distribution, x).eval(mode="FAST_COMPILE")
    np.testing.assert_allclose(record.logpdf(x), expected, rtol=1e-6)


def test_a_moved_half_normal_and_an_unknown_family_are_refused():
    with pytest.raises(PriorError, match="'Wald' isn't known"):
        as_prior(pm.Wald.dist(1, 1))
    with pytest.raises(PriorError, match="is no prior"):
        as_prior("Normal(0, 1)")


def test_a_model_takes_pymc_distributions():
    model = bl.LinearMixedModel(
        "Reaction ~ Days + (Days | Subject)",
        bl.load_dataset("sleepstudy"),
        priors={"beta[Days]": pm.Normal.dist(0, 20), "sigma": bl.Exponential(30)},
    )
    assert model.priors.beta[1] == bl.Normal(0, 20)
    assert model.with_priors({"sd": pm.HalfNormal.dist(9)}).priors.sd["Subject"][1] == bl.HalfNormal(9)


@needs_bambi
def test_bambi_priors_there_and_back():
    import bambi

    assert as_prior(bambi.Prior("HalfCauchy", beta=5)) == bl.HalfCauchy(5)
    for prior in (bl.Normal(1, 2), bl.StudentT(4, 0, 1), bl.Gamma(2, 3), bl.HalfStudentT(4, 2), bl.Flat()):
        assert as_prior(to_bambi_prior([prior])) == prior
    both = to_bambi_prior([bl.Normal(1, 2), bl.Normal(3, 4)])
    assert as_prior(both, 1) == bl.Normal(3, 4)
    with pytest.raises(PriorError, match="one family"):
        to_bambi_prior([bl.Normal(1, 2), bl.StudentT(4, 0, 1)])
    with pytest.raises(PriorError, match="needs the argument"):
        as_prior(bambi.Prior("Normal", mu=0))
