"""What follows from a fit's numbers: coefficients by level, combinations of effects, shares of variance."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayeslmm.errors import check_prob
from bayeslmm.estimands.table import EstimateTable
from bayeslmm.likelihood.estimates import normal_rows
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.likelihood.row_values import beta_variances, ranef_variances
from bayeslmm.spec.combine import Weights, combined
from bayeslmm.spec.labels import kind_of
from bayeslmm.spec.variance_parts import VarianceParts

type Array = NDArray[np.float64]


def coef(fit: Fitted) -> dict[str, pd.DataFrame]:
    """β̂ + b̂ by grouping factor, levels × coefs; what has no fixed effect is b̂ alone."""
    return {group: _with_fixed(fit.beta, ranef) for group, ranef in fit.ranef().items()}


def _with_fixed(beta: "pd.Series[float]", ranef: pd.DataFrame) -> pd.DataFrame:
    columns = beta.index.append(ranef.columns.difference(beta.index, sort=False))
    own = ranef.reindex(columns=columns, fill_value=0.0)
    return own.add(beta.reindex(columns, fill_value=0.0))


def blup(fit: Fitted, c: Weights, d: Weights, prob: float) -> EstimateTable:
    """c'β̂ + d'b̂; se is the root of the prediction error variance, Var(c'β̂ + d'(b̂ − b)), θ taken as known.

    Raises
    ------
    OptionError
        For an unknown name, the wrong number of weights, or a probability outside (0, 1).
    """
    from scipy.sparse import csr_array

    check_prob(prob)
    C, D = combined(fit.design, c, d)
    Z = csr_array(D)
    variance = beta_variances(fit.design.kernel, fit.conditional, C, Z) + ranef_variances(fit.conditional, Z)
    labels = tuple(f"blup[{number}]" for number in range(len(C)))
    estimate, se = C @ fit.beta_values + D @ fit.b, fit.sigma * np.sqrt(variance)
    return EstimateTable(normal_rows(labels, estimate, se, prob), fit.criterion, "wald", prob)


def variance_parts(fit: Fitted) -> dict[str, Array]:
    """Variance by source at the estimates."""
    factors = [fit.sigma * factor for factor in fit.design.covariance.factors(fit.theta_values)]
    return VarianceParts.of(fit.design).variances(fit.beta_values, factors, np.asarray(fit.sigma))


def point_table(fit: Fitted, values: Mapping[str, Array]) -> EstimateTable:
    """Estimates without an error."""
    frame = pd.DataFrame({"estimate": {label: float(value) for label, value in values.items()}})
    frame = frame.assign(kind=[kind_of(label) for label in values], se=np.nan, lower=np.nan, upper=np.nan)
    return EstimateTable(frame, fit.criterion, "none", 0.95)
