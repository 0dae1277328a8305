"""The coefficients with t tests and intervals."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayeslmm.errors import check_prob
from bayeslmm.likelihood.curvature import errors_of
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.likelihood.inference.ddf.base import DDF
from bayeslmm.likelihood.inference.ddf.methods import ddf_of
from bayeslmm.likelihood.inference.table import InferenceTable, headed

type Array = NDArray[np.float64]


def coef_table(fit: Fitted, ddf: str, prob: float) -> InferenceTable:
    """Estimate, se, df, t, p and interval of every coefficient.

    Raises
    ------
    OptionError
        For a misspelt method or a probability outside (0, 1).
    """
    method = ddf_of(fit, ddf)
    names = pd.Index(fit.design.coefs, name="coefficient")
    frame = t_frame(method, np.eye(fit.design.p), fit.beta_values, np.zeros(fit.design.p), prob)
    heading = f"t tests of the coefficients, {method.name} degrees of freedom, {100 * prob:g} % intervals"
    return headed(frame.set_axis(names), heading, ddf=method.keyword, prob=prob)


def t_frame(method: DDF, L: Array, estimate: Array, null: Array, prob: float) -> pd.DataFrame:
    """One t test and interval a row of L (m, p).

    Parameters
    ----------
    estimate, null : (m,) Lβ̂ and what the hypothesis says of it.
    """
    from scipy.special import stdtr, stdtrit

    check_prob(prob)
    se = errors_of(method.variance(L))
    df = method.df(L)
    with np.errstate(divide="ignore", invalid="ignore"):  # of a model that explains y to its last digit
        t = (estimate - null) / se
    half = stdtrit(df, 0.5 + prob / 2) * se
    columns = {
        "estimate": estimate,
        "se": se,
        "df": df,
        "t": t,
        "p": 2 * stdtr(df, -np.abs(t)),
        "lower": estimate - half,
        "upper": estimate + half,
    }
    return pd.DataFrame(columns)
