"""Laws every fit obeys: what changes when the data are permuted, renamed, rescaled, repeated or weighted."""

import warnings
from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import bayeslmm as bl
from bayeslmm.errors import SingularFitWarning
from bayeslmm.likelihood.fit import LikelihoodFit

LAW = settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
FORMULAS = (
    "y ~ x + (1 | g)",
    "y ~ x + (x | g)",
    "y ~ x + (x || g) + (1 | h)",
    "y ~ x + (1 | g/h)",
    "y ~ f + (0 + f | g)",
    "y ~ f + cs(0 + f | g)",
    "y ~ f + homcs(0 + f | g) + (1 | h)",
    "y ~ f + ar1(0 + f | g)",
)
formulas = st.sampled_from(FORMULAS)
criteria = st.sampled_from(["REML", "ML"])


@st.composite
def tables(draw: st.DrawFn) -> pd.DataFrame:
    """Small unbalanced data with effects of moderate size, so that most fits lie inside the boundary."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    n, n_g, n_h = draw(st.integers(60, 90)), draw(st.integers(5, 9)), draw(st.integers(3, 5))
    g = rng.permutation(np.resize(np.arange(n_g), n))
    h = rng.permutation(np.resize(np.arange(n_h), n))
    f = rng.permutation(np.resize(np.arange(3), n))
    x = rng.uniform(-1, 3, n)
    cells = rng.normal(size=(n_g, n_h))
    shared = rng.normal(size=n_g)
    y = 2 + x + f + 2 * shared[g] + rng.normal(size=(n_g, 3))[g, f] + rng.normal(size=n_g)[g] * x
    y = y + cells[g, h] + rng.normal(size=n_h)[h] + rng.normal(size=n)
    label = {"g": [f"g{i}" for i in g], "h": [f"h{i}" for i in h], "f": [f"f{i}" for i in f]}
    return pd.DataFrame({"y": y, "x": x, **label})


def fitted(formula: str, data: pd.DataFrame, criterion: str = "REML", **options: object) -> LikelihoodFit:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SingularFitWarning)
        return bl.LinearMixedModel(formula, data, **options).fit(criterion)


def covariances(fit: LikelihoodFit) -> list[np.ndarray]:
    """Absolute covariance of each block: identified, also where θ isn't."""
    return [fit.sigma**2 * factor @ factor.T for factor in fit.design.covariance.factors(fit.theta_values)]


def assert_same(a: LikelihoodFit, b: LikelihoodFit, scale: float = 1.0) -> None:
    """b is a's fit of a response `scale` times as large, level for level."""
    assert_allclose(b.sigma, scale * a.sigma, rtol=1e-5)
    assert_allclose(b.vcov, scale**2 * a.vcov, rtol=1e-4, atol=1e-7 * scale**2)
    for mine, other in zip(covariances(a), covariances(b), strict=True):
        assert_allclose(other, scale**2 * mine, rtol=1e-3, atol=1e-4 * scale**2 * a.sigma**2)
    assert_same_effects(a.ranef(), b.ranef(), scale)


def assert_same_effects(
    a: Mapping[str, pd.DataFrame], b: Mapping[str, pd.DataFrame], scale: float = 1.0
) -> None:
    for group, effects in a.items():
        assert_allclose(b[group].loc[effects.index], scale * effects, rtol=1e-3, atol=1e-3 * abs(scale))


@LAW
@given(tables(), formulas, criteria, st.integers(0, 1000))
def test_the_order_of_rows_does_not_matter(
    data: pd.DataFrame, formula: str, criterion: str, seed: int
) -> None:
    plain = fitted(formula, data, criterion)
    shuffled = fitted(formula, data.sample(frac=1, random_state=seed), criterion)
    assert_allclose(shuffled.criterion_value, plain.criterion_value, atol=1e-8)
    assert_allclose(shuffled.beta, plain.beta, rtol=1e-5, atol=1e-5)
    assert_same(plain, shuffled)


@LAW
@given(tables(), formulas, criteria, st.permutations(range(9)))
def test_names_of_levels_do_not_matter(
    data: pd.DataFrame, formula: str, criterion: str, order: list[int]
) -> None:
    plain = fitted(formula, data, criterion)
    names = {f"g{i}": f"renamed{order[i]}" for i in range(9)}
    renamed = fitted(formula, data.assign(g=data["g"].map(names)), criterion)
    assert_allclose(renamed.criterion_value, plain.criterion_value, atol=1e-8)
    assert_allclose(renamed.beta, plain.beta, rtol=1e-5, atol=1e-5)
    effects = plain.ranef()["g"]
    assert_allclose(renamed.ranef()["g"].loc[[names[level] for level in effects.index]], effects, atol=1e-3)


@LAW
@given(tables(), formulas, st.floats(-1e4, 1e4), st.floats(1e-3, 1e3), st.booleans())
def test_an_affine_response_moves_everything_with_it(
    data: pd.DataFrame, formula: str, a: float, b: float, negative: bool
) -> None:
    b = -b if negative else b
    plain, moved = fitted(formula, data), fitted(formula, data.assign(y=a + b * data["y"]))
    free = plain.design.n - plain.design.p
    assert_allclose(moved.criterion_value, plain.criterion_value + 2 * free * np.log(abs(b)), atol=1e-6)
    expected = b * plain.beta + a * (plain.beta.index == "Intercept")
    assert_allclose(moved.beta, expected, rtol=1e-5, atol=1e-5 * abs(b))
    assert_allclose(moved.sigma, abs(b) * plain.sigma, rtol=1e-5)
    assert_same_effects(plain.ranef(), moved.ranef(), b)


@LAW
@given(tables(), st.sampled_from(FORMULAS[:4]), st.floats(1e-5, 1e5))
def test_the_unit_of_a_covariate_is_its_coefficients(data: pd.DataFrame, formula: str, unit: float) -> None:
    plain, moved = fitted(formula, data, "ML"), fitted(formula, data.assign(x=unit * data["x"]), "ML")
    assert_allclose(moved.criterion_value, plain.criterion_value, atol=1e-7)
    assert_allclose(moved.beta["x"] * unit, plain.beta["x"], rtol=1e-4, atol=1e-5)
    assert_allclose(moved.beta["Intercept"], plain.beta["Intercept"], rtol=1e-4, atol=1e-5)
    assert_allclose(moved.fitted, plain.fitted, atol=1e-3)


@LAW
@given(tables(), criteria)
def test_a_slash_is_the_group_and_the_combination(data: pd.DataFrame, criterion: str) -> None:
    slash = fitted("y ~ x + (1 | g/h)", data, criterion)
    spelled = fitted("y ~ x + (1 | g) + (1 | g:h)", data, criterion)
    assert slash.criterion_value == spelled.criterion_value
    assert_allclose(slash.beta, spelled.beta, rtol=1e-14)
    assert_same_effects(slash.ranef(), spelled.ranef())


@LAW
@given(tables(), criteria)
def test_a_double_bar_is_bars_apart(data: pd.DataFrame, criterion: str) -> None:
    double = fitted("y ~ x + (x || g)", data, criterion)
    apart = fitted("y ~ x + (1 | g) + (0 + x | g)", data, criterion)
    assert_allclose(double.criterion_value, apart.criterion_value, atol=1e-10)
    assert_allclose(double.theta, apart.theta, atol=1e-9)
    assert_same_effects(double.ranef(), apart.ranef())


@LAW
@given(tables(), formulas, st.integers(0, 1000))
def test_integer_weights_are_rows_repeated(data: pd.DataFrame, formula: str, seed: int) -> None:
    """At given σ and θ: what is estimated of them differs, since the likelihoods count rows differently."""
    times = np.random.default_rng(seed).integers(1, 4, len(data))
    weighted = bl.LinearMixedModel(formula, data, weights=times).design
    repeated = bl.LinearMixedModel(formula, data.loc[data.index.repeat(times)]).design
    theta = weighted.covariance.start()
    results = []
    for design in (weighted, repeated):
        conditional = design.kernel.conditional(design.covariance.flat(theta))
        delta = np.linalg.solve(conditional.A[:-1, :-1], conditional.A[:-1, -1])
        blocks = np.concatenate([block.ravel() for block in conditional.covariance_blocks()])
        results.append((design.kernel.to_beta(delta), conditional.solution(delta), blocks))
    for mine, other in zip(*results, strict=True):
        assert_allclose(other, mine, rtol=1e-9, atol=1e-9)


@LAW
@given(tables(), formulas)
def test_data_stacked_under_new_labels_halve_the_variance(data: pd.DataFrame, formula: str) -> None:
    stacked = pd.concat([data, data.assign(g=data["g"] + "'", h=data["h"] + "'")], ignore_index=True)
    once, twice = fitted(formula, data, "ML"), fitted(formula, stacked, "ML")
    assert_allclose(twice.criterion_value, 2 * once.criterion_value, rtol=1e-9, atol=1e-6)
    assert_allclose(twice.beta, once.beta, rtol=1e-4, atol=1e-5)
    assert_allclose(twice.sigma, once.sigma, rtol=1e-5)
    assert_allclose(twice.vcov, once.vcov / 2, rtol=1e-3, atol=1e-6)
    assert_same_effects(once.ranef(), twice.ranef())


@LAW
@given(tables(), st.floats(0.1, 10))
def test_a_known_covariance_times_c_is_a_variance_over_c(data: pd.DataFrame, c: float) -> None:
    levels = sorted(data["g"].unique())
    K = pd.DataFrame(
        0.5 ** np.abs(np.subtract.outer(range(len(levels)), range(len(levels)))), index=levels, columns=levels
    )
    one = fitted("y ~ x + (1 | g)", data, covariance={"g": K})
    other = fitted("y ~ x + (1 | g)", data, covariance={"g": c * K})
    assert_allclose(other.criterion_value, one.criterion_value, atol=1e-8)
    assert_allclose(other.theta * np.sqrt(c), one.theta, rtol=1e-4, atol=1e-4)
    assert_same_effects(one.ranef(), other.ranef())


@pytest.mark.parametrize("criterion", ["REML", "ML"])
@LAW
@given(data=tables(), formula=formulas)
def test_the_identity_between_levels_is_no_relation(criterion: str, data: pd.DataFrame, formula: str) -> None:
    plain = fitted(formula, data, criterion)
    held = fitted(formula, data, criterion, covariance={"g": np.eye(data["g"].nunique())})
    assert_allclose(held.criterion_value, plain.criterion_value, atol=1e-8)
    assert_same(plain, held)
