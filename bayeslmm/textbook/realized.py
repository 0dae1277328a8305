"""BLUPs of the realized group means μ + a_i of the one-way model.

Source: Searle, Casella & McCulloch (1992), chapters 3 and 7.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayeslmm.textbook.inputs import Array, check_variance
from bayeslmm.textbook.one_way import OneWay


@dataclass(frozen=True, eq=False)
class RealizedMeans:
    """Predictions of the k realized means.

    Attributes
    ----------
    groups : (k,) labels. mean : (k,) ȳ_i. weight : (k,) shrinkage weights nᵢσ²_A/(nᵢσ²_A + σ²_E).
    mu, se_mu : generalized least squares estimate of μ, and its standard error.
    effect : (k,) BLUPs of a_i, weight (ȳ_i − μ̂). se_prediction : (k,) standard errors of blup − (μ + a_i).
    """

    groups: tuple[object, ...]
    mean: Array
    weight: Array
    mu: float
    se_mu: float
    effect: Array
    se_prediction: Array

    @property
    def blup(self) -> Array:
        """(k,) μ̂ + effect, the BLUPs of μ + a_i."""
        return self.mu + self.effect

    @property
    def table(self) -> pd.DataFrame:
        """mean, weight, blup, se_prediction by group."""
        columns = ("mean", "weight", "blup", "se_prediction")
        return pd.DataFrame({name: getattr(self, name) for name in columns}, index=pd.Index(self.groups))


def realized_means(layout: OneWay, var_A: float, var_E: float) -> RealizedMeans:
    """Predict the realized group means, the variances given.

    μ̂ weighs ȳ_i by 1/Var(ȳ_i) = nᵢ/(σ²_E + nᵢσ²_A). With weight wᵢ the prediction of μ + a_i has variance
    σ²_A(1 − wᵢ) + (1 − wᵢ)² Var(μ̂).

    Raises
    ------
    OptionError
        For a negative var_A, or a var_E that isn't positive.

    Examples
    --------
    >>> import bayeslmm as bl
    >>> dyes = bl.load_dataset("Dyestuff")
    >>> layout = bl.textbook.one_way(dyes["Yield"], dyes["Batch"])
    >>> found = bl.textbook.reml_estimates(layout)
    >>> realized_means(layout, found.var_A, found.var_E).table.round(2).loc["E"].tolist()
    [1600.0, 0.78, 1584.23, 20.04]
    """
    between, within = check_variance("var_A", var_A), check_variance("var_E", var_E, True)
    precision = layout.sizes / (within + layout.sizes * between)
    weight = between * precision
    centre, vcov = float(np.average(layout.shifts, weights=precision)), float(1 / precision.sum())
    mu = layout.origin + centre
    effect = weight * (layout.shifts - centre)
    error = np.sqrt(between * (1 - weight) + (1 - weight) ** 2 * vcov)
    return RealizedMeans(layout.groups, layout.means, weight, mu, float(np.sqrt(vcov)), effect, error)
