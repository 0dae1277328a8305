"""Simulated residuals: where each response lies among those that the fit would make (Dunn & Smyth 1996)."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayeslmm.errors import DataError, check_seed, check_whole
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.likelihood.inference.table import InferenceTable, headed
from bayeslmm.likelihood.simulation import simulate
from bayeslmm.printed import Page, Printed

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

type Array = NDArray[np.float64]

FEWEST = 20  # simulations
TESTS = {"uniformity": False, "dispersion": True, "outliers": True}  # are both tails wrong?


@dataclass(frozen=True, eq=False)
class SimulatedResiduals(Printed):
    """Scaled residuals in (0, 1), uniform where the model holds, with tests whose nulls are simulated, too.

    Rows of a level go together in a simulation as in the data, so that the tests hold for them. The
    parameters are the fit's, which fitted these data: the tests are a little too mild.

    Attributes
    ----------
    response : what is simulated.
    scaled : (n,) share of the simulations below each response, half of a step above the lowest.
    fitted : (n,) the simulations' means. statistics : (m + 1, 3) of the data, then of each simulation.
    """

    response: str
    scaled: "pd.Series[float]"
    fitted: Array
    statistics: Array

    @property
    def n_simulations(self) -> int:
        """How many data sets were simulated."""
        return len(self.statistics) - 1

    @cached_property
    def tests(self) -> InferenceTable:
        """By test: statistic, its mean over simulations, p.

        uniformity : the largest distance of the scaled residuals' distribution from the uniform one.
        dispersion : mean square of responses about the simulations' means, over their variances.
        outliers : rows outside all simulations.
        """
        pairs = zip(TESTS.items(), self.statistics.T, strict=True)
        rows = {name: _test(values, both) for (name, both), values in pairs}
        frame = pd.DataFrame.from_dict(rows, orient="index", columns=["statistic", "simulated", "p"])
        heading = f"Simulated residuals of {self.response}, {self.n_simulations} simulations"
        return headed(frame.rename_axis("test"), heading)

    def to_frame(self) -> pd.DataFrame:
        """The tests as an ordinary DataFrame."""
        return self.tests.to_frame()

    @property
    def page(self) -> Page:
        """What is printed."""
        return self.tests.page

    def plot(self) -> "Figure":
        """Quantiles against the uniform ones, and scaled residuals over the ranks of the simulated means."""
        from bayeslmm.likelihood.diagnostics.panels import simulated_panels
        from bayeslmm.render.diagnostics import plot_panels

        return plot_panels(simulated_panels(self.scaled, self.fitted))

    def __repr__(self) -> str:
        return repr(self.tests)

    def _repr_html_(self) -> str:
        return self.tests._repr_html_()


def _test(values: Array, both: bool) -> tuple[float, float, float]:
    """The data's value, the mean of the simulations', and the share of these that are at least as far."""
    own, others = values[0], values[1:]
    above = (1 + np.sum(others >= own)) / len(values)
    below = (1 + np.sum(others <= own)) / len(values)
    return float(own), float(others.mean()), float(min(1.0, 2 * min(above, below)) if both else above)


def _uniformity(scaled: Array) -> Array:
    """Kolmogorov's distance of each data set's scaled residuals (m, n) from the uniform law."""
    u, n = np.sort(scaled, axis=1), scaled.shape[1]
    steps = np.arange(n) / n
    return np.asarray(np.maximum((u - steps).max(axis=1), (steps + 1 / n - u).max(axis=1)))


def _statistics(responses: Array) -> tuple[Array, Array]:
    """Scaled residuals (m, n) of data sets among each other, and the three statistics of each, (m, 3)."""
    m = len(responses)
    ranks = np.argsort(np.argsort(responses, axis=0), axis=0)
    gaps = responses - responses.mean(axis=0)
    dispersion = np.mean(gaps**2 / np.maximum(np.var(responses, axis=0), 1e-300), axis=1)
    outside = np.sum((ranks == 0) | (ranks == m - 1), axis=1)
    scaled = (ranks + 0.5) / m
    return scaled, np.column_stack([_uniformity(scaled), dispersion, outside])


def simulated_residuals(fit: Fitted, n: int, seed: int | None) -> SimulatedResiduals:
    """Compare the data with n simulations, new random effects included.

    Raises
    ------
    OptionError
        For fewer than 20 simulations, or a seed that is none.
    DataError
        When the rows aren't in memory.
    """
    check_whole("n", n, FEWEST)
    check_seed(seed)
    if not fit.design.in_memory:
        raise DataError("the rows aren't in memory: simulated residuals need all of them")
    made = simulate(fit, n, np.random.default_rng(seed)).T
    scaled, statistics = _statistics(np.vstack([fit.design.y, made]))
    values = pd.Series(scaled[0], index=fit.design.index, name="scaled_residual")
    return SimulatedResiduals(fit.design.response, values, made.mean(axis=0), statistics)
