"""The residual in the explicit graph: a dense covariance for every residual group, from natural values.

Nothing of what whitens rows elsewhere is used here.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayeslmm.errors import OptionError
from bayeslmm.posterior import names
from bayeslmm.posterior.graph.correlations import CORRELATIONS, SPREADS, Places
from bayeslmm.posterior.graph.residual import Ratios
from bayeslmm.posterior.names import Tensor
from bayeslmm.spec.design import Design
from bayeslmm.spec.residual.structure import Part

type Array = NDArray[np.float64]
type Codes = NDArray[np.int64]


class Alike(NamedTuple):
    """Residual groups of one size m in one stratum.

    Attributes
    ----------
    stratum : its number. rows : (g, m). at : (p, m, d) coordinates of each pattern. pattern : (g,).
    """

    stratum: int
    rows: Codes
    at: Array
    pattern: Codes


def correlated_rows(design: Design, ratios: list[Ratios], sigma: Tensor, mean: Tensor) -> None:
    """Add y to the open model: one normal for all rows, or one for the groups of each size and stratum.

    Raises
    ------
    OptionError
        For a structure that no formula is known of here, or R that depends on fitted values.
    """
    import pymc as pm

    parts = design.residual.parts
    _check(design)
    own = [_natural(part, strata) for part, strata in zip(parts, ratios, strict=True)]
    correlated = design.residual.groups is not None
    spread = sigma * _spread(design, own[correlated:])
    if not correlated:
        response = pm.Data("response", design.y, dims=names.ROW)
        pm.Normal(names.RESPONSE, mean, spread, observed=response, dims=names.ROW)
        return
    stacks = list(_stacks(design))
    for number, alike in enumerate(stacks):
        name = names.RESPONSE if len(stacks) == 1 else f"{names.RESPONSE}_{number}"
        root = _root(parts[0], own[0][alike.stratum], alike) * spread[alike.rows][:, :, None]
        pm.MvNormal(name, mean[alike.rows], chol=root, observed=design.y[alike.rows])


def _check(design: Design) -> None:
    structures = [part.structure for part in design.residual.parts]
    unknown = [each.keyword for each in structures if each.keyword not in CORRELATIONS | SPREADS]
    if unknown:
        raise OptionError(
            f"the explicit graph has no formula for {', '.join(unknown)}; ask for method='marginal', "
            "or add it to bayeslmm.posterior.graph.correlations"
        )


def _natural(part: Part[Any], strata: Ratios) -> Ratios:
    """Natural values of each stratum, those that are kept included."""
    if part.held is None:
        return strata or [[] for _ in part.learnt.strata]
    kept = part.structure.natural(part.held, part.learnt)
    return [[np.float64(value) for value in kept]] * part.n_strata


def _root(part: Part[Any], natural: list[Tensor], alike: Alike) -> Tensor:
    """A root of every group's correlation matrix, (g, m, m)."""
    import pytensor.tensor as pt
    from pytensor.tensor.linalg import cholesky

    places = Places(alike.at, len(part.learnt.levels))
    C = CORRELATIONS[part.structure.keyword](part.structure, natural, places)
    eye = np.eye(alike.rows.shape[1])
    return cholesky(pt.switch(eye, 1.0, C))[alike.pattern]


def _spread(design: Design, own: list[Ratios]) -> Tensor:
    """(n,) standard deviation of every row over σ."""
    import pytensor.tensor as pt

    residual, parts = design.residual, design.residual.parts[len(design.residual.parts) - len(own) :]
    total: Any = residual.data.get("weights", np.ones(design.n)) ** -0.5
    for k, (part, strata) in enumerate(zip(parts, own, strict=True)):
        values, stratum = residual.data[f"values {k}"], residual.data[f"stratum {k}"].astype(int)
        each = [SPREADS[part.structure.keyword](natural, values) for natural in strata]
        total = total * pt.stack([pt.zeros(design.n) + one for one in each])[stratum, np.arange(design.n)]
    return total


def _stacks(design: Design) -> Iterator[Alike]:
    """Groups by stratum and size; those with the same coordinates share a pattern."""
    data = design.residual.data
    names_of = [name for name in data if name.startswith("coordinate")]
    at = np.column_stack([data[name] for name in names_of] or [np.zeros(design.n)])
    members: dict[tuple[int, int], list[Codes]] = {}
    for group in np.unique(data["group"]):
        rows = np.flatnonzero(data["group"] == group)
        members.setdefault((int(data["stratum"][rows[0]]), len(rows)), []).append(rows)
    for (stratum, _), groups in members.items():
        rows = np.array(groups)
        patterns, pattern = np.unique(at[rows].reshape(len(rows), -1), axis=0, return_inverse=True)
        yield Alike(stratum, rows, patterns.reshape(-1, *at[rows].shape[1:]), pattern.ravel())
