"""A posterior sampled elsewhere, as a bare DataTree: a row for every element of every variable."""

from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayeslmm.errors import InputError
from bayeslmm.estimands.table import EstimateTable

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
    from bayeslmm.posterior.summary.estimates import summarize

    found, draws = _columns(tree)
    return EstimateTable(summarize(found, draws, prob, "eti"), "posterior", "eti", prob)


def _columns(tree: "DataTree") -> tuple[tuple[str, ...], NDArray[np.float64]]:
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
    return tuple(names), np.concatenate(parts, axis=2)


def _labels(name: str, variable: "DataArray") -> list[str]:
    values = [
        variable[dim].values if dim in variable.coords else np.arange(variable.sizes[dim])
        for dim in variable.dims[2:]
    ]
    return [f"{name}[{', '.join(map(str, place))}]" if place else name for place in product(*values)]
