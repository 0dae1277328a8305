import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import betaln

from bayeslmm.errors import OptionError
from bayeslmm.spec.covariance import CovarianceStructure, Unstructured, structures_by_keyword
from bayeslmm.spec.covariance.correlation import Vine
from bayeslmm.spec.priors import LKJ, log_correlations


def dense(entries, k):
    out = np.zeros((k, k))
    for place, value in entries.items():
        out[place] = value
    return out


@st.composite
def vines(draw):
    k = draw(st.integers(1, 5))
    z = draw(st.lists(st.floats(-0.97, 0.97), min_size=k * (k - 1) // 2, max_size=k * (k - 1) // 2))
    return Vine(k), np.array(z)


@given(vines())
def test_the_factor_is_that_of_the_correlations(case):
    vine, z = case
    spec = Unstructured(vine.k).factor_natural(np.ones(vine.k), vine.pairs(z))
    np.testing.assert_allclose(dense(vine.factor(z), vine.k), spec, atol=1e-9)


@given(vines())
def test_coordinates_come_back(case):
    vine, z = case
    np.testing.assert_allclose(vine.free(vine.pairs(z)), z, atol=1e-7)


@given(vines(), st.floats(0.5, 6))
def test_beta_coordinates_are_lkj(case, eta):
    """log LKJ(cor) + log |d cor / d z| is the sum of the Beta densities."""
    vine, z = case
    if not vine.n_free:
        return
    a = np.array(vine.shapes(eta))
    betas = np.sum((a - 1) * np.log1p(-(z**2)) - betaln(a, a) - (2 * a - 1) * np.log(2))
    steps = 1e-6 * np.eye(len(z))
    jacobian = [(np.array(vine.pairs(z + s)) - np.array(vine.pairs(z - s))) / 2e-6 for s in steps]
    L = dense(vine.factor(z), vine.k)
    assert LKJ(eta).logpdf(L @ L.T) + np.linalg.slogdet(jacobian)[1] == pytest.approx(betas, abs=1e-4)


STRUCTURES = list(structures_by_keyword().values())


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("k", [1, 2, 4])
def test_graph_and_specification_have_one_covariance(structure, k):
    found, spec = structure(k).correlation, structure(k)
    z = np.random.default_rng(k).uniform(-0.9, 0.9, found.n_free)
    L = dense(found.factor(z), k)
    root = spec.factor_natural(np.ones(len(spec.sd_index)), found.pairs(z))
    np.testing.assert_allclose(L @ L.T, root @ root.T, atol=1e-12)
    np.testing.assert_allclose(found.free(found.pairs(z)), z, atol=1e-9)


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("k", [2, 3])
def test_coordinates_have_the_specifications_prior(structure, k):
    """log π(cor) + log |d cor / d z| is the sum of the Beta densities of z."""
    found, spec, prior = structure(k).correlation, structure(k), LKJ(1.7)
    z = np.random.default_rng(k).uniform(-0.9, 0.9, found.n_free)
    a = np.array(found.shapes(prior.eta))
    betas = np.sum((a - 1) * np.log1p(-(z**2)) - betaln(a, a) - (2 * a - 1) * np.log(2))
    steps = 1e-6 * np.eye(len(z))
    slopes = [(np.array(found.pairs(z + s)) - np.array(found.pairs(z - s))) / 2e-6 for s in steps]
    jacobian = np.reshape(slopes, (len(z), len(z)))
    density = log_correlations((spec,), prior, found.pairs(z)) + np.linalg.slogdet(jacobian)[1]
    assert density == pytest.approx(betas, abs=1e-6)


def test_a_structure_that_says_none_has_no_graph():
    with pytest.raises(OptionError, match="'us' has no PyMC graph"):
        CovarianceStructure.correlation.fget(Unstructured(2))
