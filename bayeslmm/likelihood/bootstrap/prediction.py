"""Intervals of predictions from the errors that predictions make in simulated data."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayeslmm.errors import check_whole
from bayeslmm.likelihood.bootstrap.kinds.parametric import Parametric
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.spec.prediction import PredictedRows, Prediction, PredictOptions, rows_to_predict

type Array = NDArray[np.float64]


def predict_by_bootstrap(fit: Fitted, newdata: Any, options: PredictOptions, n: int) -> Prediction:
    """x'β̂ + offset + z'b̂ with an interval that counts the estimation of θ, too.

    In each of n data sets simulated from the fit the model is refitted and its prediction compared with what
    was simulated, b* and all: limits are the prediction less quantiles of these errors, se is their sd.

    Raises
    ------
    DataError, OptionError
        As for the analytic interval; when n isn't a whole number of at least 2.
    """
    check_whole("n", n, 2)
    rows = rows_to_predict(fit.design, fit.recipe, newdata, options)
    generators = [np.random.default_rng(seed) for seed in np.random.SeedSequence(options.seed).spawn(n + 1)]
    known = np.array(list(_errors(fit, rows, generators[1:])))
    errors = known + generators[0].standard_normal(known.shape) * _sd_of_unknown(fit, rows, options)
    values = rows.X @ fit.beta_values + rows.offset + rows.Z @ fit.b
    upper, lower = values - np.quantile(errors, options.tails, axis=0)
    return rows.answer(prediction=values, se=errors.std(axis=0, ddof=1), lower=lower, upper=upper)


def _errors(fit: Fitted, rows: PredictedRows, generators: list[np.random.Generator]) -> Iterator[Array]:
    """x'(β̂* − β̂) + z'(b̂* − b*) of each refit that found an optimum."""
    replicates = Parametric().engine(fit, rows=False)(generators)
    for i in np.flatnonzero(~replicates.refits.failed):
        refit = replicates.fit(int(i))
        yield rows.X @ (refit.beta_values - fit.beta_values) + rows.Z @ (refit.b - replicates.b[i])


def _sd_of_unknown(fit: Fitted, rows: PredictedRows, options: PredictOptions) -> Array:
    """(m,) sd of what the data don't tell: unseen effects, and of an observation the residual."""
    factors = [fit.sigma * factor for factor in fit.design.covariance.factors(fit.theta_values)]
    residual = options.of_observation * fit.sigma**2 * rows.noise
    return np.asarray(np.sqrt(rows.unknown_variances(factors) + residual))
