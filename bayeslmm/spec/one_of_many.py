"""Covariances of effects of which other values give the same likelihood: a slope of a constant."""

import warnings
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from bayeslmm.errors import DesignWarning

from .block import Block
from .design import Design
from .identified import directions, level_grams
from .labels import group_label

type Array = NDArray[np.float64]

NOTHING = 1e-13  # of the largest eigenvalue of a Gram of directions, what rounding leaves of 0
PLAIN = 1e-6  # of it, what no rounding reaches
INVOLVED = 0.1  # of the largest element of a direction, what counts as part of it
MOST_COEFS = 30  # of a block that is looked at


def warn_of_one_of_many(design: Design) -> None:
    """Warn of blocks whose covariance the rows in memory leave open."""
    for number, block in enumerate(design.blocks):
        looked_at = 2 <= block.k <= MOST_COEFS and block.known is None
        if looked_at and (labels := open_labels(design, number)):
            warnings.warn(_said(block.group, labels), DesignWarning, stacklevel=6)


def _said(group: str, labels: list[str]) -> str:
    return (
        f"the data can't tell {', '.join(labels)}: other values give the same likelihood, and those of a fit "
        "are one choice of many. A covariate does that which is constant, follows from others, or has one of "
        f"two values in each level of {group!r}, as do levels of a factor that never meet; leave such a coef "
        "out of the bar"
    )


def open_labels(design: Design, number: int) -> list[str]:
    """The sds and correlations of a block that are open.

    V moves along Z_jDZ_jᵀ, D a change of T; open is what moves by nothing. Columns are taken in the units of
    their Gram, and changes made orthonormal, so that it doesn't matter in which unit, and from which origin,
    they count.
    """
    block = design.blocks[number]
    if _one_level_tells(block):
        return []
    sizes, to, back = _units(block.columns)
    changes = _orthonormal(to @ np.concatenate(list(_directions(design, number))) @ to.T)
    grams = level_grams(block.codes, block.columns @ back, block.n_levels)
    values, vectors = np.linalg.eigh(_products(grams, changes))
    unseen = np.einsum("ir,iab->rab", vectors[:, values <= NOTHING * values[-1]], changes)
    lost = np.abs(back @ unseen @ back.T) * np.outer(sizes, sizes)
    part = (lost > INVOLVED * lost.max(axis=(1, 2), initial=0.0, keepdims=True)).any(axis=0)
    return [_label(block.group, block.coefs, a, b) for a, b in np.argwhere(np.triu(part)).tolist()]


def _one_level_tells(block: Block) -> bool:
    """Whether the rows of the largest level alone have full rank: then tr(GDGD) > 0 whatever D is."""
    rows = block.columns[block.codes == np.argmax(np.bincount(block.codes))]
    values = np.linalg.eigvalsh(rows.T @ rows / np.outer(*2 * [np.sqrt(np.mean(block.columns**2, axis=0))]))
    return bool(values[0] > PLAIN * values[-1])


def _label(group: str, coefs: tuple[str, ...], a: int, b: int) -> str:
    if a == b:
        return group_label("sd", group, coefs[a])
    return group_label("cor", group, f"{coefs[a]}, {coefs[b]}")


def _units(columns: Array) -> tuple[Array, Array, Array]:
    """Root mean squares (k,) of columns, and W⁻¹ and W with columns·W orthogonal, of length 1 or 0."""
    sizes = np.sqrt(np.mean(columns**2, axis=0))
    scaled = columns / sizes
    values, vectors = np.linalg.eigh(scaled.T @ scaled / len(columns))
    lengths = np.sqrt(np.where(values > NOTHING * values[-1], values, 1.0))
    return sizes, lengths[:, None] * (vectors.T * sizes), vectors / lengths / sizes[:, None]


def _orthonormal(changes: Array) -> Array:
    """A basis (r, k, k) of what changes (r, k, k) span."""
    flat = changes.reshape(len(changes), -1)
    basis = np.linalg.qr((flat / np.linalg.norm(flat, axis=1)[:, None]).T)[0]
    return basis.T.reshape(changes.shape)


def _directions(design: Design, number: int) -> Iterator[Array]:
    """Changes (r, k, k) of a block's T, bar by bar."""
    k = design.blocks[number].k
    for slot in design.covariance.slots_of(number):
        own = directions(slot.structure)
        out = np.zeros((len(own), k, k))
        out[:, slot.coefs, slot.coefs] = own
        yield out


def _products(grams: Array, D: Array) -> Array:
    """Σ_j tr(G_jD_iG_jD_l), (r, r)."""
    J, k, _ = grams.shape
    flat = grams.reshape(J, k * k)
    together = (flat.T @ flat).reshape(k, k, k, k)
    return np.asarray(np.einsum("abcd,ibc,lda->il", together, D, D, optimize=True))
