"""R² and intraclass correlations are performance's: all of them in the reference files."""

import numpy as np
import pytest

from bayeslmm.spec.dense import dense_covariance
from tests.reference.test_lmer import MODELS, fitted_model, reference

LABELS = {
    "r2[marginal]": "r2_marginal",
    "r2[conditional]": "r2_conditional",
    "icc[adjusted]": "icc_adjusted",
    "icc[unadjusted]": "icc_unadjusted",
}
# There performance is wrong: it takes columns of X for those of Z, and X has no MachineA; and it reads the
# two terms of `||` as one. The first is the model of machines_factor_slope written otherwise.
WRONG = {"machines_cell_means": "machines_factor_slope", "sleep_uncorrelated": ""}


@pytest.mark.parametrize("name", MODELS)
def test_shares_are_performances(name: str) -> None:
    """Where lme4 calls the fit singular, performance gives none, or leaves the random part out."""
    fit, other = fitted_model(name, "REML"), WRONG.get(name, name)
    given = reference(other)["fits"]["REML"] if other else {}
    theirs = given.get("performance") or {}
    if not theirs or given["is_singular"]:
        pytest.skip("no share of all three parts to compare with")
    for table in (fit.r2(), fit.icc()):
        for label in table.labels:
            if label in LABELS:
                assert table.row(label)["estimate"] == pytest.approx(theirs[LABELS[label]], abs=2e-6), label


@pytest.mark.parametrize("name", ["sleep_uncorrelated", "oats_singular_slope", "machines_double_bar_factor"])
def test_shares_are_the_dense_covariances(name: str) -> None:
    """The mean diagonal of V is what random effects and the residual have; the rest is Xβ's."""
    fit = fitted_model(name, "REML")
    X, sigma2 = fit.design.X, fit.sigma**2
    whole = np.diag(dense_covariance(fit.design, fit.theta_values, fit.sigma)).mean()
    fixed = np.var(X @ fit.beta_values, ddof=1)
    table = fit.variance_decomposition()
    assert table.row("variance[total]")["estimate"] == pytest.approx(whole + fixed, rel=1e-10)
    assert fit.r2().row("r2[conditional]")["estimate"] == pytest.approx(1 - sigma2 / (whole + fixed))
    assert fit.icc().row("icc[adjusted]")["estimate"] == pytest.approx(1 - sigma2 / whole)
    shares = table.frame[table.frame["kind"] == "share"]["estimate"]
    assert shares.sum() == pytest.approx(1)
