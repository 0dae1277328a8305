"""What variables are called, in the graphs and in the DataTree."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from bayeslmm.spec.block import Block
from bayeslmm.spec.design import Design

type Tensor = Any  # a PyTensor expression; PyTensor's own types don't say what its operators return

SIGMA = "sigma"
BETA = "beta"
COEF = "coef"
ROW = "row"
RESPONSE = "y"
RESIDUAL = "residual"
PARAMETER = "residual_parameter"

_PLAIN = {"integer", "floating", "string", "datetime64"}  # kinds of index that a coordinate can be


_TAKEN = (SIGMA, BETA, COEF, ROW, RESPONSE, "chain", "draw", "sample", "lp", "X", "offset", "weights")
_TAKEN_TOO = ("response", "root_weights", "log_likelihood", "__sample__", RESIDUAL, PARAMETER)
_BEGINNINGS = ("sd_", "cor_", "ranef_", "u_", "codes_", "columns_", "known_")
_ENDS = ("_coef", "_effect", "_pair", "_sd", "_unit", "_level")


def of_units(label: str) -> str:
    """Elements, carried to (0, 1), of residual parameters that have one prior; `label` is that prior's."""
    return f"{label}_unit"


def element_dim(label: str) -> str:
    """Their dimension."""
    return f"{label}_element"


def level_dim(group: str) -> str:
    """Dimension of a group's levels, and the group's name within variables: the group's own where it is free.

    Where PyMC, ArviZ or another variable could mean something else by it, ``group_{group}_level`` stands for
    it: no other name begins or ends like that. A slash, which a DataTree reads as a path, becomes a dot.
    """
    plain = group.replace("/", ".")
    taken = group in (*_TAKEN, *_TAKEN_TOO) or group.startswith(_BEGINNINGS) or group.endswith(_ENDS)
    return f"group_{plain}_level" if taken or plain != group else plain


def sd_name(group: str) -> str:
    """Standard deviations of a group, dims (``{group}_coef``), or (``{group}_sd``) where coefs share one."""
    return f"sd_{level_dim(group)}"


def cor_name(group: str) -> str:
    """Correlations of a group, dims (``{group}_pair``)."""
    return f"cor_{level_dim(group)}"


def unit_name(group: str) -> str:
    """Partial correlations of a group carried to (0, 1), dims (``{group}_pair``)."""
    return f"cor_{level_dim(group)}_unit"


def ranef_name(group: str) -> str:
    """Random effects of a group, dims (``{group}``, ``{group}_effect``)."""
    return f"ranef_{level_dim(group)}"


def spherical_name(group: str) -> str:
    """Spherical random effects u, b = Λu, dims (``{group}``, ``{group}_effect``)."""
    return f"u_{level_dim(group)}"


def coef_dim(group: str) -> str:
    """Dimension of the standard deviations of a group's coefs."""
    return f"{level_dim(group)}_coef"


def effect_dim(group: str) -> str:
    """Dimension of a level's effects: coefs again, under a name that standard deviations don't have.

    Variables that share a dimension are matched by it in ArviZ's tables, which then label one's rows by the
    other's.
    """
    return f"{level_dim(group)}_effect"


def sd_dim(design: Design, number: int) -> str:
    """Dimension of a block's standard deviations: its coefs, or ``{group}_sd`` where some share one."""
    block = design.blocks[number]
    own = len(design.covariance.block_sds(number)) == block.k
    return coef_dim(block.group) if own else f"{level_dim(block.group)}_sd"


def sd_names(design: Design, number: int) -> list[str]:
    """Coordinates of a block's standard deviations: coefs, or the group itself for one shared by all."""
    return [name or design.blocks[number].group for name in design.covariance.sd_names(number)]


def pair_dim(group: str) -> str:
    """Dimension of a group's free correlations."""
    return f"{level_dim(group)}_pair"


def pair_names(design: Design, number: int) -> list[str]:
    """The free correlations of a block, ``"Intercept, Days"``, or the group itself for one shared by all."""
    return [name or design.blocks[number].group for name in design.covariance.cor_names(number)]


def row_labels(index: pd.Index) -> list[Any]:
    """The user's labels of rows as a coordinate: numbers, text, plain dates as they are, others as text."""
    plain = pd.api.types.infer_dtype(index) in _PLAIN and not isinstance(index.dtype, pd.DatetimeTZDtype)
    return list(index) if plain and index.nlevels == 1 else [str(label) for label in index]


def coords(design: Design) -> dict[str, list[Any]]:
    """Coordinates of every dimension of the graphs and the DataTree."""
    out: dict[str, list[Any]] = {COEF: list(design.coefs), ROW: row_labels(design.index)}
    out |= {PARAMETER: list(design.residual.labels)} if design.residual.n_phi else {}
    out |= {element_dim(label): list(range(n)) for label, n in _units(design)}
    for number, block in enumerate(design.blocks):
        out[level_dim(block.group)] = list(block.levels)
        out[sd_dim(design, number)] = sd_names(design, number)
        out[effect_dim(block.group)] = list(block.coefs)
        if pairs := pair_names(design, number):
            out[pair_dim(block.group)] = pairs
    return out


def _units(design: Design) -> Iterator[tuple[str, int]]:
    """Labels of priors of several residual parameters, and how many these are."""
    for part in design.residual.parts:
        yield from ((slot.label, part.width) for own in part.slots() for slot in own if slot.together)


def dims(design: Design) -> dict[str, list[str]]:
    """Dimensions of every variable of the posterior, chain and draw left out."""
    out: dict[str, list[str]] = {BETA: [COEF], RESIDUAL: [PARAMETER], SIGMA: []}
    out |= {of_units(label): [element_dim(label)] for label, _ in _units(design)}
    for number, block in enumerate(design.blocks):
        out[sd_name(block.group)] = [sd_dim(design, number)]
        out[cor_name(block.group)] = [pair_dim(block.group)]
        out[ranef_name(block.group)] = [level_dim(block.group), effect_dim(block.group)]
    return out


def ranef_by_group(blocks: tuple[Block, ...]) -> dict[str, slice]:
    """Where each block's random effects lie in b (q,)."""
    out, first = {}, 0
    for block in blocks:
        out[ranef_name(block.group)] = slice(first, first + block.q)
        first += block.q
    return out
