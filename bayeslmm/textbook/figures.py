"""Figures of the lectures: power, shrinkage, lines by level, and the matrices behind a formula."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from bayeslmm.errors import DataError, OptionError, did_you_mean
from bayeslmm.render.curves import plot_curves
from bayeslmm.render.matrices import plot_matrices
from bayeslmm.render.panels_of_lines import LinesPanel, plot_panels_of_lines
from bayeslmm.render.pulled import plot_pulled
from bayeslmm.spec.block import Block
from bayeslmm.spec.build import build, opened
from bayeslmm.spec.dense import dense_covariance
from bayeslmm.spec.model_spec import ModelSpec
from bayeslmm.textbook.inputs import Array, check_variance
from bayeslmm.textbook.laws import f_test_power
from bayeslmm.textbook.realized import RealizedMeans

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from bayeslmm.likelihood.fitted import Fitted

MOST_ROWS = 400  # a matrix can be seen with


def plot_power(
    designs: Mapping[str, Sequence[int]], alpha: float = 0.05, largest_ratio: float = 2.0
) -> "Figure":
    """Power of the exact F test of σ²_A = 0 against σ²_A/σ²_E, one curve a design.

    Parameters
    ----------
    designs : group sizes by name. alpha : level of the test. largest_ratio : where the axis ends.

    Examples
    --------
    >>> figure = plot_power({"6 groups of 5": [5] * 6, "3 groups of 10": [10] * 3})
    >>> [curve.name for curve in figure.data]
    ['6 groups of 5', '3 groups of 10']
    """
    if not isinstance(designs, Mapping):
        raise OptionError("designs are group sizes by name, such as {'6 groups of 5': [5] * 6}")
    ratios = np.linspace(0.0, check_variance("largest_ratio", largest_ratio, positive=True), 101)
    curves = {
        name: np.column_stack([ratios, f_test_power(ratios, sizes, alpha)]) for name, sizes in designs.items()
    }
    return plot_curves(curves, "σ²<sub>A</sub> / σ²<sub>E</sub>", "power", level=alpha)


def plot_realized_means(realized: RealizedMeans, unit: str = "mean") -> "Figure":
    """Group means (hollow) and the BLUPs they are shrunk to, about the estimate of μ.

    Examples
    --------
    >>> import bayeslmm as bl
    >>> dyes = bl.load_dataset("Dyestuff")
    >>> layout = bl.textbook.one_way(dyes["Yield"], dyes["Batch"])
    >>> figure = plot_realized_means(bl.textbook.realized_means(layout, 1764.05, 2451.25), "Yield")
    >>> [trace.name for trace in figure.data if trace.name]
    ['group mean', 'BLUP']
    """
    labels = [str(group) for group in realized.groups]
    return plot_pulled(labels, realized.mean, realized.blup, realized.mu, unit)


def plot_lines(fit: "Fitted", data: Any, x: str) -> "Figure":
    """One panel a level of a fit's grouping factor: observations, the population's line and the level's own.

    Parameters
    ----------
    fit : LikelihoodFit with one grouping factor. data : the table it was made from. x : column of the axis.

    Raises
    ------
    OptionError
        For a fit with no or several grouping factors.
    DataError
        When `x` is no numeric column of `data`, or `data` isn't the fit's.

    Examples
    --------
    >>> import bayeslmm as bl
    >>> data = bl.load_dataset("sleepstudy")
    >>> fit = bl.LinearMixedModel("Reaction ~ Days + (Days | Subject)", data).fit()
    >>> len(plot_lines(fit, data, "Days").data)  # three traces a panel
    54
    """
    design, block = fit.design, _only_block(fit)
    across = _column(opened(data), x, fit)
    population = np.asarray(design.X @ fit.beta_values + design.offset, dtype=float)
    own = np.asarray(fit.fitted, dtype=np.float64)

    def panel(level: int) -> LinesPanel:
        rows = np.flatnonzero(block.codes == level)
        rows = rows[np.argsort(across[rows], kind="stable")]
        return LinesPanel(str(block.levels[level]), across[rows], design.y[rows], population[rows], own[rows])

    panels = [panel(level) for level in np.unique(block.codes)]
    return plot_panels_of_lines(panels, x, design.response)


def plot_structure(formula: str, data: Any, theta: ArrayLike, sigma: float = 1.0) -> "Figure":
    """Z and V = σ²(ZΛΛᵀZᵀ + R) of a formula as pictures: zero white, the sign a colour, the size its depth.

    Parameters
    ----------
    formula, data : as of a model. theta : elements of Λ, in lme4's order: factors
        with more levels first. sigma : residual standard deviation.

    Raises
    ------
    DataError
        For more rows than can be seen.
    OptionError
        For a theta of another length.

    Examples
    --------
    >>> import bayeslmm as bl
    >>> figure = plot_structure("Yield ~ 1 + (1 | Batch)", bl.load_dataset("Dyestuff"), [0.85])
    >>> [trace.z.shape for trace in figure.data]
    [(30, 6), (30, 30)]
    """
    design = build(ModelSpec(formula), opened(data)).design
    if design.n > MOST_ROWS:
        raise DataError(f"{design.n} rows make a picture nobody can see; give some {MOST_ROWS} or fewer")
    V = dense_covariance(design, theta, sigma)
    return plot_matrices({"Z": design.Z.toarray(), "V": V})


def _only_block(fit: "Fitted") -> Block:
    groups = [block.group for block in fit.design.blocks]
    if len(groups) != 1:
        named = ", ".join(groups) or "none"
        raise OptionError(f"a panel a level needs one grouping factor; this fit has {named}")
    return fit.design.blocks[0]


def _column(data: pd.DataFrame, name: str, fit: "Fitted") -> Array:
    if name not in data:
        raise DataError(f"the data have no column {name!r}{did_you_mean(name, map(str, data))}")
    if not pd.api.types.is_numeric_dtype(data[name]):
        raise DataError(f"column {name!r} isn't numeric, so it makes no axis for a line")
    if len(data) <= fit.design.rows.max():
        raise DataError(f"the data have {len(data)} rows, fewer than the fit's; give those it was made from")
    return data[name].to_numpy(float)[fit.design.rows]
