"""What the likelihood can't tell is refused by the fit, and sampled under proper priors."""

import numpy as np
import pandas as pd
import pytest

import bayeslmm as bl
from bayeslmm.errors import DataError, PriorError
from bayeslmm.spec.identified import explained_by
from bayeslmm.spec.priors import Exponential, HalfNormal, InverseGamma

RNG = np.random.default_rng(0)
VISITS = pd.DataFrame(
    {
        "y": RNG.normal(size=24),
        "x": RNG.normal(size=24),
        "row": np.arange(24).astype(str),
        "g": np.repeat(list("abcdefgh"), 3),
        "t": np.tile(list("pqr"), 8),
    }
)
MEANS = VISITS.groupby("g")["y"].transform("mean")
VISITS["p"], VISITS["q"], VISITS["r"] = pd.get_dummies(VISITS["t"], dtype=float).to_numpy().T
AN_EFFECT_A_ROW = r"24 random effects .8 levels, 3 coefs. for 24"
MIXED_UP = {
    "y ~ 1 + (1 | row)": "as many levels as rows",
    "y ~ x + (1 | row)": "as many levels as rows",
    "y ~ x + (x | row)": "as many levels as rows",
    "y ~ x + (I(1e6 * x) | row)": "as many levels as rows",
    "y ~ x + (I(1e4 + x) || row)": "as many levels as rows",
    "y ~ 1 + (0 + t | g)": AN_EFFECT_A_ROW,
    "y ~ t + homdiag(0 + t | g)": AN_EFFECT_A_ROW,
    "y ~ t + homcs(0 + t | g)": AN_EFFECT_A_ROW,
    "y ~ t + diag(0 + t | g)": AN_EFFECT_A_ROW,
    "y ~ t + (0 + p | g) + (0 + q | g) + (0 + r | g)": AN_EFFECT_A_ROW,
}


def model(formula, **changes):
    return bl.LinearMixedModel(formula, VISITS.assign(**changes))


@pytest.mark.parametrize("formula", MIXED_UP)
def test_the_likelihood_refuses(formula):
    with pytest.raises(DataError, match=MIXED_UP[formula]):
        model(formula).fit()


def pairs():
    """Rows in pairs, each pair with a line of its own, and each row with a slope of its own."""
    rng = np.random.default_rng(6)
    g, x = np.repeat(np.arange(25), 2), rng.normal(size=50)
    y = 1 + x + rng.normal(size=25)[g] + 2 * rng.normal(size=25)[g] * x + rng.normal(size=50) * (x + 0.5)
    return pd.DataFrame({"y": y, "x": x, "g": g, "row": np.arange(50)})


# criterion and sigma of lme4 1.1-31, REML, its checks of how many levels and effects there are left out
LME4 = {
    "y ~ x + (x | g)": (194.271198602, 1.06818786),
    "y ~ x + (0 + x | row)": (203.334138751, 1.13583246),
    "y ~ x + (0 + I(1e-6 * x) | row)": (203.334138751, 1.13583246),
}


@pytest.mark.parametrize("formula", LME4)
def test_effects_as_many_as_rows_are_fitted_where_covariates_tell(formula):
    fit = bl.LinearMixedModel(formula, pairs()).fit()
    assert fit.convergence.converged
    np.testing.assert_allclose([fit.criterion_value, fit.sigma], LME4[formula], rtol=1e-6)


@pytest.mark.parametrize("formula", ["y ~ t + homdiag(0 + t | g)", "y ~ t + diag(0 + t | g)"])
def test_rows_in_chunks_tell_as_little(formula, tmp_path):
    VISITS.to_parquet(tmp_path / "visits.parquet", row_group_size=5)
    with pytest.raises(DataError, match=AN_EFFECT_A_ROW):
        bl.LinearMixedModel(formula, tmp_path / "visits.parquet").fit()


def test_rows_in_chunks_tell_a_pattern(tmp_path):
    VISITS.to_parquet(tmp_path / "visits.parquet", row_group_size=5)
    formula = "y ~ t + ar1(0 + t | g)"
    streamed = bl.LinearMixedModel(formula, tmp_path / "visits.parquet")
    assert streamed.design.unidentified is model(formula).design.unidentified is None


def test_a_proper_prior_tells():
    """Only sd² + σ² is seen: against sums over a grid of the two."""
    found = model("y ~ t + homdiag(0 + t | g)").with_priors(
        {"sd": Exponential(0.7), "sigma": HalfNormal(1.0)}
    )
    X, y = found.design.X, found.design.y
    r2 = np.sum((y - X @ np.linalg.lstsq(X, y)[0]) ** 2)
    line = (np.arange(1000) + 0.5) * 4e-3
    sigma, sd = line[:, None], line[None]
    v = sigma**2 + sd**2
    log_density = -0.5 * ((len(y) - X.shape[1]) * np.log(v) + r2 / v) - sd / 0.7 - sigma**2 / 2
    weight = np.exp(log_density - log_density.max())
    post = found.sample(method="quadrature", draws=50, seed=1).estimates().frame["mean"]
    label = next(label for label in post.index if label.startswith("sd"))
    assert post["sigma"] == pytest.approx(np.sum(weight * sigma) / np.sum(weight), rel=1e-4)
    assert post[label] == pytest.approx(np.sum(weight * sd) / np.sum(weight), rel=1e-4)


@pytest.mark.parametrize("prior", [HalfNormal(1.0), bl.HalfStudentT(4.0, 1.0), bl.Gamma(16.0, 1.0)])
def test_a_response_constant_within_levels_has_no_posterior(prior):
    """24 rows and 8 levels: the density goes as σ^-16 near 0."""
    constant = model("y ~ 1 + (1 | g)", y=MEANS)
    with pytest.raises(DataError, match="constant within every level"):
        constant.fit()
    with pytest.raises(PriorError, match=r"constant within every level.*improper"):
        constant.with_priors({"sigma": prior}).sample(draws=50, seed=1)


@pytest.mark.parametrize("prior", [InverseGamma(3.0, 1.0), bl.Gamma(16.5, 1.0), bl.Uniform(0.5, 1.0)])
def test_unless_the_prior_of_sigma_vanishes_there(prior):
    constant = model("y ~ 1 + (1 | g)", y=MEANS)
    constant.with_priors({"sigma": prior}).priors.check_sigma(explained_by(constant.design))


def test_a_response_that_the_fixed_part_says_leaves_no_residual():
    """Nor has it a posterior, one row that differs will do."""
    line = 3 - 0.1 * np.arange(24)
    said = model("y ~ t + (1 | g)", y=line, t=np.arange(24))
    with pytest.raises(DataError, match="sum of the fixed part's columns in every row"):
        said.fit()
    with pytest.raises(PriorError, match=r"fixed part's columns in every row.*improper"):
        said.sample(draws=50, seed=1)
    assert model("y ~ t + (1 | g)", y=line + (line == 3) * 1e-9, t=np.arange(24)).design.unidentified is None


@pytest.mark.parametrize("unit", [1e-160, 1e160])
def test_a_response_whose_square_overflows_needs_other_units(unit):
    with pytest.raises(DataError, match="other units"):
        model("y ~ 1 + (1 | g)", y=unit * np.arange(24.0))
