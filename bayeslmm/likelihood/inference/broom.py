"""A fit as R's broom lays results out: tidy, glance, augment."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayeslmm.errors import DataError
from bayeslmm.estimands.broom import FIXED, PARAMETERS, VALUES, Effects, rows_of, tidied, wanted
from bayeslmm.likelihood.estimates import wald_table
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.likelihood.inference.coef_table import coef_table
from bayeslmm.likelihood.inference.table import InferenceTable, headed
from bayeslmm.spec.labels import beta_labels

type Array = NDArray[np.float64]

WALD = {"estimate": "estimate", "se": "std.error", "lower": "conf.low", "upper": "conf.high"}
TESTED = WALD | {"t": "statistic", "df": "df", "p": "p.value"}
COLUMNS = ["estimate", "std.error", "statistic", "df", "p.value", "conf.low", "conf.high"]


def tidy(fit: Fitted, effects: Effects, ddf: str, prob: float) -> InferenceTable:
    """One row a term, with broom.mixed's columns.

    Raises
    ------
    OptionError
        For effects or a method that there isn't, or a probability outside (0, 1).
    """
    asked = wanted(effects)
    parts = [_wald(fit, prob, ranef=VALUES in asked)] if {PARAMETERS, VALUES} & set(asked) else []
    tested = [_tested(fit, ddf, prob)] if FIXED in asked else []
    found = pd.concat([*tested, *parts]).reindex(columns=COLUMNS)
    heading = f"Terms of the fit by {fit.criterion}, {100 * prob:g} % intervals"
    return headed(tidied(found, fit.design, asked), heading, ddf=ddf, prob=prob)


def _tested(fit: Fitted, ddf: str, prob: float) -> pd.DataFrame:
    frame = coef_table(fit, ddf, prob).to_frame()[list(TESTED)].rename(columns=TESTED)
    return frame.set_axis(pd.Index(beta_labels(fit.design), name="label"))


def _wald(fit: Fitted, prob: float, ranef: bool) -> pd.DataFrame:
    """Rows of what has no t test, by label."""
    table = wald_table(fit, prob, ranef).frame
    return table.loc[table["kind"] != "beta", list(WALD)].rename(columns=WALD)


def glance(fit: Fitted) -> InferenceTable:
    """One row a model: nobs, sigma, logLik, AIC, BIC, REMLcrit or deviance, df.residual."""
    criterion = "REMLcrit" if fit.reml else "deviance"
    row = {
        "nobs": fit.design.n,
        "sigma": fit.sigma,
        "logLik": fit.loglik,
        "AIC": fit.aic,
        "BIC": fit.bic,
        criterion: fit.criterion_value,
        "df.residual": fit.design.n - fit.n_params,
    }
    return headed(pd.DataFrame([row]), f"Fit by {fit.criterion}")


def augment(fit: Fitted) -> InferenceTable:
    """The fitted rows with .fitted, .resid, .hat, .cooksd, .fixed, .offset and .weights.

    `.cooksd` holds θ and the random effects' distribution as they are: e²h/(pσ²(1 − h)²), e the residual
    times √w and h the leverage on the fitted value, random effects included.

    Raises
    ------
    DataError
        When the rows aren't in memory.
    """
    design = fit.design
    if not design.in_memory:
        raise DataError("the rows aren't in memory: use fit.fitted_chunks(), some rows at a time")
    hat, variances = np.asarray(fit.hat_values), design.residual.variances()
    weighted = np.asarray(fit.pearson_residuals) / (1 - hat)
    rows = rows_of(design, fit.recipe).assign(
        **{
            ".fitted": np.asarray(fit.fitted),
            ".resid": np.asarray(fit.residuals),
            ".hat": hat,
            ".cooksd": weighted**2 * hat / max(design.p, 1),
            ".fixed": design.X @ fit.beta_values + design.offset,
            ".offset": design.offset,
            ".weights": 1 / variances,
        }
    )
    return headed(rows, f"Rows of the fit by {fit.criterion}")
