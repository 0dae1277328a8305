"""Covariances of effects of which other values give the same likelihood: a slope of a constant."""

import numpy as np
from numpy.typing import NDArray

from bayeslmm.errors import DesignWarning, caution

from .block import Block
from .changes import NOTHING, Units, changes, level_grams, products
from .design import Design
from .labels import group_label

type Array = NDArray[np.float64]

PLAIN = 1e-6  # of the largest eigenvalue of a Gram, what no rounding reaches
INVOLVED = 0.1  # of the largest element of a direction, what counts as part of it
MOST_COEFS = 30  # of a block that is looked at


def warn_of_one_of_many(design: Design) -> None:
    """Warn of blocks whose covariance the rows in memory leave open."""
    for number, block in enumerate(design.blocks):
        looked_at = 2 <= block.k <= MOST_COEFS and block.known is None
        if looked_at and (labels := open_labels(design, number)):
            caution(_said(block.group, labels), DesignWarning)


def _said(group: str, labels: list[str]) -> str:
    return (
        f"the data can't tell {', '.join(labels)}: other values give the same likelihood, and those of a fit "
        "are one choice of many. A covariate does that which is constant, follows from others, or has one of "
        f"two values in each level of {group!r}, as do levels of a factor that never meet; leave such a coef "
        "out of the bar"
    )


def open_labels(design: Design, number: int) -> list[str]:
    """The sds and correlations of a block that are open.

    V moves along Z_jDZ_jᵀ, D a change of T; open is what moves by nothing.
    """
    block = design.blocks[number]
    if _one_level_tells(block):
        return []
    units = Units.of(block.columns.T @ block.columns / design.n)
    moved = changes(design, number, units)
    grams = level_grams(block.codes, block.columns @ units.back, block.n_levels)
    values, vectors = np.linalg.eigh(products(grams, moved))
    unseen = np.einsum("ir,iab->rab", vectors[:, values <= NOTHING * values[-1]], moved)
    lost = np.abs(units.back @ unseen @ units.back.T) * np.outer(units.sizes, units.sizes)
    part = (lost > INVOLVED * lost.max(axis=(1, 2), initial=0.0, keepdims=True)).any(axis=0)
    return [_label(block.group, block.coefs, a, b) for a, b in np.argwhere(np.triu(part)).tolist()]


def _one_level_tells(block: Block) -> bool:
    """Whether the rows of the largest level alone have full rank: then tr(GDGD) > 0 whatever D is."""
    rows = block.columns[block.codes == np.argmax(np.bincount(block.codes))]
    sizes = np.sqrt((block.columns.T @ block.columns).diagonal())
    values = np.linalg.eigvalsh(rows.T @ rows / sizes / sizes[:, None])
    return bool(values[0] > PLAIN * values[-1])


def _label(group: str, coefs: tuple[str, ...], a: int, b: int) -> str:
    if a == b:
        return group_label("sd", group, coefs[a])
    return group_label("cor", group, f"{coefs[a]}, {coefs[b]}")
