"""What each row, or each level of a grouping factor, does to a fit."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayeslmm.likelihood.diagnostics.without import Without, without_each
from bayeslmm.likelihood.estimates import wald_table
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.likelihood.inference.table import InferenceTable, headed
from bayeslmm.printed import Page, Printed
from bayeslmm.spec.labels import beta_labels, parameter_labels
from bayeslmm.spec.row_sets import RowSets

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

type Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Influence(Printed):
    """What leaving out each unit, a row or a level, changes.

    Attributes
    ----------
    fit : of all rows. without : estimates without each unit.
    """

    fit: Fitted
    without: Without

    @property
    def unit(self) -> str:
        """What is left out: "row", a grouping factor or a column."""
        return self.without.units.name

    @cached_property
    def estimates(self) -> pd.DataFrame:
        """Every parameter without each unit: units × labels."""
        found = self.without
        return self._frame(_parameters(self.fit, found.x, found.beta, found.sigma))

    @cached_property
    def dfbeta(self) -> pd.DataFrame:
        """Change of every parameter, the estimate without the unit less that with it: units × labels."""
        fit = self.fit
        x, beta, sigma = fit.optimum.x[None], fit.beta_values[None], np.array([fit.sigma])
        return self._frame(self.estimates.to_numpy() - _parameters(fit, x, beta, sigma))

    @cached_property
    def dfbetas(self) -> pd.DataFrame:
        """The same in standard errors: of fixed effects those without the unit, else those of the fit."""
        errors = self.dfbeta * 0 + wald_table(self.fit, 0.95, ranef=False).frame["se"].astype(float)
        beta = list(beta_labels(self.fit.design))
        errors[beta] = np.sqrt(np.einsum("jaa->ja", self.without.vcov))
        return self.dfbeta / errors.where(errors > 0)

    @cached_property
    def cooks_distance(self) -> "pd.Series[float]":
        """(β̂ − β̂_-j)ᵀ Var(β̂)⁻¹ (β̂ − β̂_-j) / p."""
        moved = np.linalg.solve(self.fit.vcov_values, self._moved.T).T
        return self._series(self._per_coef(self._moved, moved), "cooks_distance")

    @cached_property
    def mdffits(self) -> "pd.Series[float]":
        """The same by Var(β̂_-j), the covariance without the unit (Belsley, Kuh & Welsch 1980)."""
        moved = np.linalg.solve(self._vcov, self._moved[:, :, None])[:, :, 0]
        return self._series(self._per_coef(self._moved, moved), "mdffits")

    @cached_property
    def cov_ratio(self) -> "pd.Series[float]":
        """``|Var(β̂_-j)| / |Var(β̂)|``: above 1 the unit makes the fixed effects more precise."""
        whole = np.linalg.slogdet(self.fit.vcov_values)[1]
        return self._series(np.exp(np.linalg.slogdet(self._vcov)[1] - whole), "cov_ratio")

    @cached_property
    def table(self) -> InferenceTable:
        """By unit: n_rows, whether it was searched, measures of influence, the change of each parameter."""
        named = {"n_rows": self.without.units.sizes, "searched": self.without.searched}
        measures = [self.cooks_distance, self.mdffits, self.cov_ratio]
        frame = pd.concat([pd.DataFrame(named, index=self.index), *measures, self.dfbeta], axis=1)
        heading = (
            f"Influence of each {self.unit} on the fit by {self.fit.criterion}: change when it is left out"
        )
        return headed(frame, heading, self.notes)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the table doesn't say."""
        missing = self.index[np.isnan(self.without.beta).any(axis=1)]
        if not len(missing):
            return ()
        listed = ", ".join(map(str, missing[:5])) + (", ..." if len(missing) > 5 else "")
        return (
            f"no estimates without {listed}: a column of X depends on others there, or no optimum was found",
        )

    @property
    def index(self) -> pd.Index:
        """(J,) labels of the units."""
        return self.without.units.labels

    def to_frame(self) -> pd.DataFrame:
        """The table as an ordinary DataFrame."""
        return self.table.to_frame()

    @property
    def page(self) -> Page:
        """What is printed."""
        return self.table.page

    def plot(self, n_named: int = 5) -> "Figure":
        """Cook's distance of every unit, the largest with their names."""
        from bayeslmm.render.diagnostics import plot_index

        return plot_index(
            list(map(str, self.index)), np.asarray(self.cooks_distance), "Cook's distance", n_named
        )

    def __repr__(self) -> str:
        return repr(self.table)

    def _repr_html_(self) -> str:
        return self.table._repr_html_()

    @property
    def _moved(self) -> Array:
        return self.without.beta - self.fit.beta_values

    @property
    def _vcov(self) -> Array:
        """Var(β̂_-j), the fit's where there is none."""
        missing = np.isnan(self.without.vcov).any(axis=(1, 2))[:, None, None]
        return np.where(missing, self.fit.vcov_values, self.without.vcov)

    def _per_coef(self, left: Array, right: Array) -> Array:
        return np.sum(left * right, axis=1) / max(self.fit.design.p, 1)

    def _series(self, values: Array, name: str) -> "pd.Series[float]":
        return pd.Series(values, index=self.index, name=name)

    def _frame(self, values: Array) -> pd.DataFrame:
        return pd.DataFrame(values, index=self.index, columns=list(parameter_labels(self.fit.design)))


def _parameters(fit: Fitted, x: Array, beta: Array, sigma: Array) -> Array:
    """Values (J, m) of all parameters in the order of their labels."""
    ends = [sigma[:, None]] if fit.design.residual.sigma_free else []
    return np.concatenate([beta, *_natural(fit, x, sigma), _of_residual(fit, x, sigma), *ends], axis=1)


def _of_residual(fit: Fitted, x: Array, sigma: Array) -> Array:
    """The residual's own (J, m)."""
    residual, phis = fit.design.residual, fit.design.coordinates.phi(x)
    values = [residual.parameters(phi, each).values for phi, each in zip(phis, sigma.tolist(), strict=True)]
    return np.array(values).reshape(len(x), -1)


def _natural(fit: Fitted, x: Array, sigma: Array) -> tuple[Array, Array]:
    """Free sd (J, n_sd) and cor (J, n_cor) of all blocks."""
    covariance = fit.design.covariance
    thetas = fit.design.coordinates.theta(x)
    sd, cor = [np.zeros((len(thetas), 0))], [np.zeros((len(thetas), 0))]
    flat = covariance.flat(thetas)
    for number, (first, k) in enumerate(zip(covariance.offsets, covariance.sizes, strict=True)):
        root = sigma[:, None, None] * flat[:, first : first + k * k].reshape(-1, k, k)
        spread = np.linalg.norm(root, axis=2)
        sd.append(spread[:, list(covariance.block_sds(number))])
        with np.errstate(invalid="ignore", divide="ignore"):
            unit = root / spread[:, :, None]
        cor.extend(
            np.sum(unit[:, i] * unit[:, j], axis=1)[:, None] for i, j in covariance.block_pairs(number)
        )
    return np.concatenate(sd, axis=1), np.concatenate(cor, axis=1)


def influence(fit: Fitted, unit: str, search: bool) -> Influence:
    """Leave out each unit.

    Raises
    ------
    OptionError
        For a unit that is neither "row" nor a column.
    DataError
        When the rows aren't in memory.
    """
    return Influence(fit, without_each(fit, RowSets.of(fit.design, unit, fit.recipe), search))
