"""What the effects would be without pooling: each level's own least squares."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from bayeslmm.spec.block import Block
    from bayeslmm.spec.design import Design

type Array = NDArray[np.float64]


def no_pooling(design: "Design", beta: Array, ranef: list[Array]) -> list[Array]:
    """Least squares of each level on what the rest of the model leaves of its rows.

    Parameters
    ----------
    design : Design
    beta : (p,)
    ranef : list of (J, k)
        Random effects of each block.

    Returns
    -------
    list of (J, k)
        Deviations from the fixed effects; NaN for levels whose rows cannot tell the coefs apart.
    """
    parts = [_contribution(block, b) for block, b in zip(design.blocks, ranef, strict=True)]
    residual = design.y - design.offset - design.X @ beta - sum(parts, np.zeros(design.n))
    return [
        _by_level(block, *map(design.residual.whiten, (block.columns, residual + part)))
        for block, part in zip(design.blocks, parts, strict=True)
    ]


def _contribution(block: "Block", b: Array) -> Array:
    part: Array = np.einsum("nk,nk->n", block.columns, b[block.codes])
    return part


def _by_level(block: "Block", columns: Array, target: Array) -> Array:
    """Normal equations of every level at once, of whitened columns (n, k) and target (n,)."""
    gram = np.zeros((block.n_levels, block.k, block.k))
    right = np.zeros((block.n_levels, block.k))
    np.add.at(gram, block.codes, columns[:, :, None] * columns[:, None, :])
    np.add.at(right, block.codes, columns * target[:, None])
    solved = np.full_like(right, np.nan)
    sound = np.linalg.matrix_rank(gram, hermitian=True) == block.k
    solved[sound] = np.linalg.solve(gram[sound], right[sound][..., None])[..., 0]
    return solved
