"""A posterior sampled elsewhere, as a bare DataTree: a row for every element of every variable."""

from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayeslmm.errors import InputError
from bayeslmm.estimands.table import EstimateTable
from bayeslmm.spec import labels

if TYPE_CHECKING:
    from xarray import DataArray, DataTree


def is_tree(result: Any) -> bool:
    """Whether a result is a DataTree (without loading xarray for what isn't one)."""
    return type(result).__module__.startswith("xarray") and hasattr(result, "children")


def tree_estimates(tree: "DataTree", prob: float) -> EstimateTable:
    """Summaries of a DataTree's posterior group, labelled as ArviZ does: ``Days``, ``1|Subject[308]``.

    Raises
    ------
    InputError
        When there is no posterior group with chains and draws.
    """
    import pandas as pd
    from arviz_stats.base import array_stats

    found, draws = _columns(tree)
    each = {"chain_axis": 0, "draw_axis": 1}
    tails = np.quantile(draws, [(1 - prob) / 2, (1 + prob) / 2], axis=(0, 1))
    columns = {
        "kind": [labels.kind_of(label) for label in found],
        "mean": draws.mean(axis=(0, 1)),
        "median": np.median(draws, axis=(0, 1)),
        "sd": draws.std(axis=(0, 1), ddof=1),
        "lower": tails[0],
        "upper": tails[1],
        "mcse": array_stats.mcse(draws, method="mean", **each),
        "ess_bulk": array_stats.ess(draws, method="bulk", **each),
        "ess_tail": array_stats.ess(draws, method="tail", prob=(0.05, 0.95), **each),
        "r_hat": array_stats.rhat(draws, method="rank", **each),
    }
    return EstimateTable(pd.DataFrame(columns, index=pd.Index(found, name="label")), "posterior", "eti", prob)


def _columns(tree: "DataTree") -> tuple[list[str], NDArray[np.float64]]:
    """Labels, and draws (chains, draws, labels) of all variables."""
    posterior = tree.children.get("posterior")
    if posterior is None or not {"chain", "draw"} <= set(posterior.dims):
        raise InputError(
            "this DataTree has no group 'posterior' with dimensions chain and draw; give compare() one as "
            "ArviZ makes it"
        )
    names, parts = [], []
    for name, variable in posterior.to_dataset().data_vars.items():
        ordered = variable.transpose("chain", "draw", ...)
        names += _labels(str(name), ordered)
        parts.append(np.asarray(ordered, dtype=float).reshape(*ordered.shape[:2], -1))
    return names, np.concatenate(parts, axis=2)


def _labels(name: str, variable: "DataArray") -> list[str]:
    values = [
        variable[dim].values if dim in variable.coords else np.arange(variable.sizes[dim])
        for dim in variable.dims[2:]
    ]
    return [f"{name}[{', '.join(map(str, place))}]" if place else name for place in product(*values)]
