"""Laws of units and origins: what a change of them leaves alone stays, the rest follows by algebra, to 1e-6.

BAYESLMM_LAW_EXAMPLES sets how many data sets a law is tried on.
"""

import os
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import bayeslmm as bl
from bayeslmm.errors import DataError, OptionError, SingularFitWarning
from bayeslmm.likelihood.fit import LikelihoodFit

LAW = settings(
    max_examples=int(os.environ.get("BAYESLMM_LAW_EXAMPLES", "8")),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
ANY_UNIT = (
    "y ~ x + (1 | g)",
    "y ~ x + (x | g)",
    "y ~ x + f + (x || g) + (1 | h)",
    "y ~ x * f + (0 + x | g) + (1 | g)",
    "y ~ x + (1 | g/h)",
    "y ~ x + cs(1 + x | g)",
    "y ~ x + ar1(0 + f | g)",
)
ANY_ORIGIN = ("y ~ x + (1 | g)", "y ~ x + (x | g)", "y ~ x + (x | g) + (1 | h)", "y ~ x * f + (x | g)")
METHODS = ("satterthwaite", "kenward-roger", "kenward-roger-observed")
TO = 1e-6


@st.composite
def tables(draw: st.DrawFn) -> pd.DataFrame:
    """Unbalanced data with effects large enough that most fits lie inside the boundary."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    n, n_g, n_h = draw(st.integers(60, 90)), draw(st.integers(6, 10)), draw(st.integers(4, 6))
    g, h = (rng.permutation(np.resize(np.arange(m), n)) for m in (n_g, n_h))
    f = rng.permutation(np.resize(np.arange(3), n))
    x = rng.normal(size=n)
    y = x + f + 2 * rng.normal(size=n_g)[g] + 1.5 * rng.normal(size=n_g)[g] * x + rng.normal(size=n_h)[h]
    y = y + rng.normal(size=(n_g, 3))[g, f] + rng.normal(size=n)
    label = {"g": [f"g{i}" for i in g], "h": [f"h{i}" for i in h], "f": [f"f{i}" for i in f]}
    return pd.DataFrame({"y": y, "x": x, **label})


def fitted(formula: str, data: pd.DataFrame) -> LikelihoodFit:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SingularFitWarning)
        return bl.LinearMixedModel(formula, data).fit()


def slopes_of_x(fit: LikelihoodFit) -> list[str]:
    """Coefs, of X and of bars alike, that are counted in units of 1/x."""
    return [name for name in fit.beta.index if "x" in name.split(":")]


def refusal(fit: LikelihoodFit, ddf: str) -> str:
    """What a method says that isn't for this fit: the observed information may not be that of a minimum."""
    try:
        fit.coef_table(ddf)
    except OptionError as error:
        return str(error)
    return ""


def assert_same_tests(a: LikelihoodFit, b: LikelihoodFit, rows: list[str], terms: list[str]) -> None:
    """df, t and p of the coefficients `rows`, and the F tests of `terms`, are the same."""
    for ddf in METHODS:
        refusals = [refusal(fit, ddf) for fit in (a, b)]
        assert refusals[0] == refusals[1]
        if refusals[0]:
            continue
        mine, other = (fit.coef_table(ddf).loc[rows] for fit in (a, b))
        for column in ("df", "t", "p"):
            assert_allclose(other[column], mine[column], rtol=TO, atol=1e-9, err_msg=f"{ddf} {column}")
        mine, other = (fit.anova(3, ddf).loc[terms] for fit in (a, b))
        for column in ("num_df", "den_df", "F", "p"):
            assert_allclose(other[column], mine[column], rtol=TO, atol=1e-9, err_msg=f"{ddf} {column}")


def assert_same_spread(
    a: LikelihoodFit, b: LikelihoodFit, labels: list[str], scale: dict[str, float]
) -> None:
    """Estimates, standard errors and limits of sd, cor and sigma are those of a, times `scale`."""
    mine, other = (fit.estimates().frame for fit in (a, b))
    for label in labels:
        columns = ["estimate", "se", "lower", "upper"]
        size = scale.get(label, 1.0)
        assert_allclose(
            other.loc[label, columns].to_numpy(dtype=float) / size,
            mine.loc[label, columns].to_numpy(dtype=float),
            rtol=TO,
            atol=TO * 1e-2 * (abs(mine.loc[label, "estimate"]) + a.sigma * label.startswith("sd")),
            err_msg=label,
        )


def spread_labels(fit: LikelihoodFit) -> list[str]:
    return [label for label in fit.estimates().frame.index if label.startswith(("sd", "cor", "sigma"))]


@LAW
@given(tables(), st.sampled_from(ANY_UNIT), st.floats(-6, 6))
def test_unit_of_a_covariate(data: pd.DataFrame, formula: str, power: float) -> None:
    unit = 10.0**power
    plain, moved = fitted(formula, data), fitted(formula, data.assign(x=unit * data["x"]))
    sizes = {name: unit if name in slopes_of_x(plain) else 1.0 for name in plain.beta.index}
    factor = np.array(list(sizes.values()))
    assert_allclose(moved.beta * factor, plain.beta, rtol=TO, atol=TO * plain.sigma)
    assert_allclose(moved.vcov * np.outer(factor, factor), plain.vcov, rtol=TO, atol=TO * plain.sigma**2)
    assert_same_tests(plain, moved, list(plain.beta.index), list(plain.anova().index))
    scale = {label: 1 / unit for label in spread_labels(plain) if label.endswith(": x]") and label[0] == "s"}
    assert_same_spread(plain, moved, spread_labels(plain), scale)
    rows = data.head(5)
    ours, theirs = (
        fit.predict(frame) for fit, frame in ((plain, rows), (moved, rows.assign(x=unit * rows["x"])))
    )
    assert_allclose(theirs, ours, rtol=TO, atol=TO)


@LAW
@given(tables(), st.sampled_from(ANY_ORIGIN), st.floats(0, 5), st.sampled_from([1.0, -1.0]))
def test_origin_of_a_covariate(data: pd.DataFrame, formula: str, power: float, sign: float) -> None:
    origin = sign * 10.0**power
    plain, moved = fitted(formula, data), fitted(formula, data.assign(x=origin + data["x"]))
    rows = slopes_of_x(plain)
    assert_allclose(moved.criterion_value, plain.criterion_value, atol=TO)
    assert_allclose(moved.beta[rows], plain.beta[rows], rtol=TO, atol=TO * plain.sigma)
    assert_allclose(moved.se[rows], plain.se[rows], rtol=TO)
    terms = [term for term in plain.anova().index if "x" in term.split(":")]
    kept = [term for term in terms if "*" not in formula or ":" in term]
    assert_same_tests(plain, moved, rows, kept)
    alone = [label for label in spread_labels(plain) if label.endswith(": x]") and label[0] == "s"]
    assert_same_spread(plain, moved, [*alone, "sigma"], {})
    frame = data.head(5)
    ours, theirs = (
        fit.predict(each) for fit, each in ((plain, frame), (moved, frame.assign(x=origin + frame["x"])))
    )
    assert_allclose(theirs, ours, rtol=TO, atol=TO)


@LAW
@given(tables(), st.sampled_from(ANY_UNIT), st.floats(-6, 6), st.floats(-6, 6), st.sampled_from([1.0, -1.0]))
def test_unit_and_origin_of_the_response(
    data: pd.DataFrame, formula: str, power: float, far: float, sign: float
) -> None:
    d = 10.0**power
    c = sign * d * np.std(data["y"]) * 10.0**far
    plain, moved = fitted(formula, data), fitted(formula, data.assign(y=c + d * data["y"]))
    at = (plain.beta.index == "Intercept") * c
    assert_allclose((moved.beta - at) / d, plain.beta, rtol=TO, atol=TO * plain.sigma)
    assert_allclose(moved.vcov / d**2, plain.vcov, rtol=TO, atol=TO * plain.sigma**2)
    rows = [name for name in plain.beta.index if name != "Intercept"]
    assert_same_tests(plain, moved, rows, list(plain.anova().index))
    labels = spread_labels(plain)
    assert_same_spread(plain, moved, labels, {label: d for label in labels if not label.startswith("cor")})
    ours, theirs = (fit.predict(data.head(5)) for fit in (plain, moved))
    assert_allclose((theirs - c) / d, ours, rtol=TO, atol=TO)


@pytest.mark.parametrize("formula", ["y ~ x + (1 | g)", "y ~ x + (x | g)"])
@pytest.mark.parametrize(("unit", "origin"), [(1e-6, 0.0), (1e6, 0.0), (1.0, 2000.0)])
def test_limits_of_a_profile(formula: str, unit: float, origin: float) -> None:
    rng = np.random.default_rng(8)
    g, x = np.repeat(np.arange(12), 6), np.tile(np.arange(6.0), 12)
    y = 2 * rng.normal(size=12)[g] + (1 + rng.normal(size=12)[g]) * x + rng.normal(size=72)
    data = pd.DataFrame({"y": y, "x": x, "g": g.astype(str)})
    plain, moved = fitted(formula, data), fitted(formula, data.assign(x=unit * (origin + x)))
    for label in ("beta[x]", "sigma", *(["sd[g: x]"] if "(x" in formula else [])):
        size = 1.0 if label == "sigma" else unit
        ours, theirs = (fit.profile([label]).confint().loc[label].to_numpy() for fit in (plain, moved))
        assert_allclose(theirs * size, ours, rtol=TO, err_msg=label)


@pytest.mark.parametrize("formula", ["y ~ x + (x | g)", "y ~ x + (x || g)", "y ~ x + cs(1 + x | g)"])
@pytest.mark.parametrize("unit", [1e-149, 1e-77, 1e77, 1e149])
@pytest.mark.filterwarnings("ignore::bayeslmm.errors.SingularFitWarning", "error::RuntimeWarning")
def test_a_covariate_may_be_as_large_or_small_as_its_square_allows(formula: str, unit: float) -> None:
    rng = np.random.default_rng(1)
    g, x = np.repeat(np.arange(10), 6), 2 + rng.normal(size=60)
    slopes = 0.5 * rng.normal(size=10)[g]
    data = pd.DataFrame({"y": x + rng.normal(size=10)[g] + slopes * x + rng.normal(size=60), "x": x, "g": g})
    plain, moved = fitted(formula, data), fitted(formula, data.assign(x=unit * x))
    assert_allclose(moved.sigma, plain.sigma, rtol=1e-9)
    assert_allclose(moved.beta["x"] * unit, plain.beta["x"], rtol=1e-9)
    for ddf in ("satterthwaite", "kenward-roger"):
        ours, theirs = (fit.coef_table(ddf=ddf)["df"] for fit in (plain, moved))
        assert_allclose(theirs, ours, rtol=1e-6)
    with pytest.raises(DataError, match=r"'x' is .* other units"):
        fitted(formula, data.assign(x=1e160 * x))
