"""What holds for every prior family found in the folder."""

import math
import pickle
from dataclasses import fields, replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.vendor.pretty import pretty
from scipy import integrate, stats

from bayeslmm.errors import PriorError
from bayeslmm.spec.priors import Flat, Kumaraswamy, Prior
from tests.priors import FAMILIES, PROPER, SCALAR, members

few = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
of_every_scalar = pytest.mark.parametrize("family", SCALAR, ids=lambda family: family.__name__)
of_every_proper = pytest.mark.parametrize("family", PROPER, ids=lambda family: family.__name__)


def shares(prior, cuts):
    """Mass between consecutive points, the bounds at both ends, by quadrature in t, x = sinh t."""
    ends = np.arcsinh([prior.bounds[0], *cuts, prior.bounds[1]]).clip(-300, 300)

    def density(t):
        return math.exp(float(prior.logpdf(math.sinh(t))) + math.log(math.cosh(t)))

    return np.array([_integral(density, a, b, ends[-2] - ends[1]) for a, b in pairwise(ends)])


def _integral(density, a, b, width):
    """Over pieces that grow from the ends, so that none is too long to see what lies at one of them."""
    steps = width * 2.0 ** np.arange(-4, 30)
    points = np.unique(np.clip([a, b, *(a + steps), *(b - steps)], a, b))
    return sum(integrate.quad(density, *piece)[0] for piece in pairwise(points))


def steep(prior):
    """Has the density no end at a bound other than 0? There a number has too few digits for quadrature."""
    return any(bound and prior.logpdf(bound) == np.inf for bound in prior.bounds)


def cuts_of(prior):
    """Points strictly inside the bounds, about equally likely pieces between them."""
    return np.unique(np.quantile(prior.draw(np.random.default_rng(0), 4000), np.linspace(0.02, 0.98, 17)))


def test_every_family_of_the_folder_is_found():
    from importlib import import_module
    from pkgutil import iter_modules

    import bayeslmm.spec.priors as folder

    modules = [import_module(f"{folder.__name__}.{found.name}") for found in iter_modules(folder.__path__)]
    defined = {
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Prior) and value is not Prior
    }
    assert defined == set(FAMILIES)
    assert all(family.__name__ == word for word, family in Prior.kinds().items())


@of_every_proper
@few
@given(data=st.data())
def test_the_density_integrates_to_one(family, data):
    prior = data.draw(members(family).filter(lambda each: not steep(each)))
    assert shares(prior, cuts_of(prior)).sum() == pytest.approx(1.0, abs=1e-6)


@of_every_proper
@few
@given(data=st.data())
def test_draws_have_the_density(family, data):
    """χ² of counts between fixed cuts; of a thousand true ones none comes near the threshold."""
    prior = data.draw(members(family).filter(lambda each: not steep(each)))
    cuts = cuts_of(prior)
    drawn = prior.draw(np.random.default_rng(1), 20_000)
    assert drawn.shape == (20_000,)
    assert ((drawn >= prior.bounds[0]) & (drawn <= prior.bounds[1])).all()
    expected, counts = shares(prior, cuts), np.histogram(drawn, bins=[-np.inf, *cuts, np.inf])[0]
    assert stats.chisquare(counts, expected / expected.sum() * len(drawn)).pvalue > 1e-7


@pytest.mark.parametrize(
    "family", [each for each in SCALAR if each is not Kumaraswamy]
)  # a share has no unit
@few
@given(data=st.data(), factor=st.floats(1e-3, 1e3))
def test_rescaled_is_the_change_of_variables(family, data, factor):
    prior = data.draw(members(family))
    x = np.array([-3.0, -0.4, 0.1, 0.9, 2.5, 11.0])
    jacobian = math.log(factor) if prior.proper else 0.0
    there = prior.rescaled(factor)
    np.testing.assert_allclose(there.logpdf(factor * x), prior.logpdf(x) - jacobian, rtol=1e-9, atol=1e-9)
    assert there.rescaled(1 / factor).bounds == pytest.approx(prior.bounds)


@of_every_scalar
@few
@given(data=st.data())
def test_nothing_lies_outside_the_bounds_and_shapes_are_kept(family, data):
    prior = data.draw(members(family))
    low, high = prior.bounds
    outside = np.array([low - 1e-9 - 1e-9 * abs(low), high + 1e-9 + 1e-9 * abs(high)])
    outside = outside[np.isfinite(outside)]
    assert (prior.logpdf(outside) == -np.inf).all()
    assert prior.logpdf(np.ones((2, 3))).shape == (2, 3)
    assert np.ndim(prior.logpdf(1.0)) == 0


@of_every_proper
@few
@given(data=st.data())
def test_scipys_density_is_a_witness_of_its_own(family, data):
    assert family.scipy_logpdf is not Prior.scipy_logpdf, f"{family.__name__} has no scipy_logpdf of its own"
    prior = data.draw(members(family))
    x = np.array([-3.0, -0.5, 0.0, 0.3, 2.0, 150.0])
    np.testing.assert_allclose(prior.scipy_logpdf(x), prior.logpdf(x), rtol=1e-11)


@of_every_scalar
@few
@given(data=st.data())
def test_a_quadratic_is_the_log_density(family, data):
    prior = data.draw(members(family))
    if prior.quadratic is None:
        return
    x = np.linspace(-5, 5, 7)
    precision, shift, constant = prior.quadratic
    np.testing.assert_allclose(constant + shift * x - precision * x**2 / 2, prior.logpdf(x), atol=1e-9)


@of_every_proper
@few
@given(data=st.data())
def test_beyond_a_wall_the_density_falls_faster_than_any_power(family, data):
    """Its slope in log x keeps steepening; a bounded density has no wall but its bound."""
    prior = data.draw(members(family))
    assert prior.wall is None or prior.bounds == (0.0, math.inf)
    far = np.exp(np.array([3.0, 4.0, 5.0])) * (
        prior.wall or np.median(prior.draw(np.random.default_rng(0), 99))
    )
    slopes = np.diff(prior.logpdf(far))
    assert prior.wall is None or (prior.wall > 0 and slopes[1] < 2 * slopes[0] < 0)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
@few
@given(data=st.data())
def test_records_print_pickle_and_refuse_what_is_no_number(family, data):
    prior = data.draw(members(family))
    assert str(prior).startswith(family.__name__)
    assert all(each.name in str(prior) for each in fields(prior))
    assert pickle.loads(pickle.dumps(prior)) == prior
    assert eval(repr(prior), {"inf": math.inf, **Prior.kinds()}) == prior
    assert pretty(prior).startswith(f"{family.__name__}(")
    for each in fields(prior):
        with pytest.raises(PriorError, match=f"{family.__name__}: {each.name} is nan"):
            replace(prior, **{each.name: math.nan})
        with pytest.raises(PriorError, match=f"{each.name} is '1'; it must be a"):
            replace(prior, **{each.name: "1"})
        if each.name in family.positive:
            with pytest.raises(PriorError, match=f"{each.name} is 0.0; it must be a positive number"):
                replace(prior, **{each.name: 0.0})
            with pytest.raises(PriorError, match=f"{each.name} is 1e-200, whose square"):
                replace(prior, **{each.name: 1e-200})


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
def test_every_family_says_where_it_lives(family):
    assert family.support in ("real", "positive", "any", "share", "correlation")
    assert set(family.positive) | set(family.in_units) | set(family.unbounded) <= {
        each.name for each in fields(family)
    }
    assert set(family.keywords.values()) <= {each.name for each in fields(family)}


def test_no_distribution_is_read_as_two_families():
    names = [name for family in FAMILIES for name in family.variables]
    assert len(names) == len(set(names))


def test_a_flat_prior_has_no_draws():
    with pytest.raises(PriorError, match="no draws"):
        Flat().draw(np.random.default_rng(0), 1)
