"""Predictions of a fit: x'β̂ + offset + z'b̂, and the variance of their error."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.likelihood.row_values import beta_variances, ranef_variances
from bayeslmm.spec.prediction import PredictedRows, Prediction, PredictOptions, rows_to_predict

type Array = NDArray[np.float64]


def predict(fit: Fitted, newdata: Any, options: PredictOptions) -> Prediction:
    """Predict the fitted rows or new ones.

    Returns
    -------
    Series, or with an interval a DataFrame with columns prediction, se, lower, upper

    Raises
    ------
    DataError
        When a column isn't there, or a level is new and that is an error.
    OptionError
        When `random` names what isn't in the model.
    """
    rows = rows_to_predict(fit.design, fit.recipe, newdata, options)
    factors = [fit.sigma * factor for factor in fit.design.covariance.factors(fit.theta_values)]
    values = rows.X @ fit.beta_values + rows.offset + rows.Z @ fit.b
    if options.draws_levels:
        values = values + rows.drawn(factors, np.random.default_rng(options.seed))
    if options.interval is None:
        return rows.answer(prediction=values)
    se = np.sqrt(_known_variances(fit, rows, options.of_observation) + rows.unknown_variances(factors))
    return _with_limits(rows, values, se, options)


def _known_variances(fit: Fitted, rows: PredictedRows, of_observation: bool) -> Array:
    """Variance of the error of x'β̂ + z'b̂, θ taken as known, and of an observation's residual."""
    estimated = beta_variances(fit.design.kernel, fit.conditional, rows.X, rows.Z)
    predicted = ranef_variances(fit.conditional, rows.Z)
    return fit.sigma**2 * (estimated + predicted + of_observation * rows.noise)


def _with_limits(rows: PredictedRows, values: Array, se: Array, options: PredictOptions) -> Prediction:
    from scipy.special import ndtri

    lower, upper = (values + se * ndtri(tail) for tail in options.tails)
    return rows.answer(prediction=values, se=se, lower=lower, upper=upper)
