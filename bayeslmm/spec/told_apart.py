"""What the likelihood alone can't tell of a residual's parameters: by derivatives of V within joined rows."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .block import Block
from .design import Design
from .labels import sd_labels_of
from .residual.roots.base import distinct

type Array = NDArray[np.float64]
type Codes = NDArray[np.int64]

SAME = 1e-9  # of the largest eigenvalue, what the Gram of derivatives has where two do the same
INVOLVED = 0.1  # weight of a parameter in what can't be told
PAIRS = 600  # of rows looked at in one go
LISTED = 5  # parameters named in a message
WIDEST = 60  # rows looked at of one group


class Direction(NamedTuple):
    """How one parameter moves V: its label, and the derivative (m,) at pairs of rows."""

    label: str
    slope: Array


def confounded(design: Design) -> str | None:
    """Why parameters of the residual can't be told apart, None where they can or there are none."""
    residual = design.residual
    if not residual.n_phi or not design.in_memory:
        return None
    gram: Array = np.zeros(())
    inside = [number for number, block in enumerate(design.blocks) if _within(block, residual.groups)]
    for i, j in _pairs(design):
        moves = list(_directions(design, inside, i, j))
        slopes = np.array([each.slope for each in moves])
        with np.errstate(over="ignore"):
            gram = gram + slopes @ slopes.T
        if (reason := _reason(gram, [each.label for each in moves], residual.names)) is None:
            return None
    return reason


def _reason(gram: Array, labels: list[str], of_residual: tuple[str, ...]) -> str | None:
    """What a Gram of derivatives (r, r) can't tell."""
    if not np.isfinite(gram).all():  # the largest variances are beyond floating point
        return None
    sizes = np.sqrt(np.diag(gram))
    nothing = sizes <= SAME * sizes.max()
    if nothing.any():
        return _unseen([label for label, none in zip(labels, nothing, strict=True) if none])
    values, vectors = np.linalg.eigh(gram / np.outer(sizes, sizes))
    if values[0] > SAME * values[-1]:
        return None
    involved = [label for label, w in zip(labels, vectors[:, 0], strict=True) if abs(w) > INVOLVED]
    return _alike(involved, of_residual)


def _pairs(design: Design) -> Iterator[tuple[Codes, Codes]]:
    """Pairs i ≤ j of rows of one residual group, some groups at a time."""
    groups = np.arange(design.n) if design.residual.groups is None else design.residual.groups
    order = np.argsort(groups, kind="stable")
    sizes = np.bincount(groups)
    first = np.cumsum(sizes) - sizes
    seen = np.minimum(sizes, WIDEST)
    some = np.cumsum(seen * (seen + 1) // 2) // PAIRS
    for own in np.split(np.arange(len(sizes)), np.flatnonzero(np.diff(some)) + 1):
        place = np.arange(seen[own].max())
        i, j = np.triu_indices(len(place))
        held = place < seen[own, None]
        rows = order[np.where(held, first[own, None] + place, 0)]
        both = held[:, j]
        yield rows[:, i][both], rows[:, j][both]


def _directions(design: Design, inside: list[int], i: Codes, j: Codes) -> Iterator[Direction]:
    """Of σ² (R itself), φ, and the variances of effects of the blocks whose levels lie inside groups."""
    residual = design.residual
    phi = residual.usual + 0.3 + 0.2 * np.sin(np.arange(residual.n_phi))  # of no particular form
    R, by_phi = residual.elements(i, j, phi)
    natural = residual.parameters(phi, 1.0)
    by_both = natural.slopes[:, :-1]
    by_natural = np.linalg.solve(by_both[by_both.any(axis=1)].T, by_phi)  # but for σ under another name
    if residual.sigma_free:
        yield Direction("sigma", R)
    yield from map(Direction, residual.names, by_natural)
    for number, block in enumerate(design.blocks):
        if number in inside:
            label = sd_labels_of(design, number)[0]
            same = block.codes[i] == block.codes[j]
            constant = (block.columns == block.columns[0]).all(axis=0)
            for coef in np.flatnonzero(constant):
                yield Direction(label, same * block.columns[i, coef] * block.columns[j, coef])


def _within(block: Block, groups: Codes | None) -> bool:
    """Has each level rows of one residual group only, so that no other rows tell of its variance?"""
    if groups is None or block.known is not None:
        return False
    return len(distinct(block.codes, groups)[0]) == block.n_levels


def _unseen(labels: list[str]) -> str:
    told = f"nothing in the data tells {_listed(labels)}: "
    if any(label.startswith("cor[") for label in labels):
        return told + (
            "no two rows of a group are the pair of rows it is about; take a structure with fewer "
            "parameters, such as AR1, or put levels together"
        )
    return told + (
        "no two rows of a group lie at a distance, or have a value, at which it matters; give the column in "
        "other units, as a factor whose levels count, or leave the structure out"
    )


def _alike(labels: list[str], of_residual: tuple[str, ...]) -> str:
    parts = dict.fromkeys(_part(label, of_residual) for label in labels if label != "sigma")
    return (
        f"the data can't tell {_listed(labels)} apart: one can make up for the others in every group; leave "
        f"out {' or '.join(parts)}"
    )


def _part(label: str, of_residual: tuple[str, ...]) -> str:
    """What a parameter belongs to, as its user wrote it."""
    if label not in of_residual:
        return f"the random effect of {label}"
    if label.startswith("nugget"):
        return "the nugget"
    return "a function of variance=" if label.startswith(("delta[", "sd[")) else "correlation="


def _listed(labels: list[str]) -> str:
    """The first and the last, where they are many."""
    shown = labels if len(labels) <= LISTED else [*labels[: LISTED - 2], "...", labels[-1]]
    return ", ".join(shown)
