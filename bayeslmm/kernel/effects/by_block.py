"""Every block's own (k, k) matrix: functions of many at once, and products with the rows of its levels."""

from collections.abc import Callable

import numpy as np

from bayeslmm.kernel.arrays import Floats
from bayeslmm.kernel.compiled import compiled
from bayeslmm.kernel.problem.layout import Problem, block_at


@compiled
def times_own(factors: Floats, problem: Problem, x: Floats, transposed: bool) -> Floats:
    """Every level's (k, k) matrix, or its transpose, times its rows of x (q, m), elimination order.

    Parameters
    ----------
    factors : (n_lam, m), each column's matrices laid out as Λ is.
    """
    out = np.zeros(x.shape)
    r = 0
    while r < x.shape[0]:
        block = block_at(problem, r)
        k = block.k
        for i in range(k):
            for m in range(k):
                entry = block.lam + (m * k + i if transposed else i * k + m)
                for j in range(x.shape[1]):
                    out[r + i, j] += factors[entry, j] * x[r + m, j]
        r += k
    return out


def by_block(
    problem: Problem, one: Floats, other: Floats, change: Callable[[Floats, Floats], Floats]
) -> Floats:
    """A function of every block's matrices, (·, k, k) each; one, other : (m or 1, n_lam)."""
    out = np.empty((max(len(one), len(other)), one.shape[1]))
    blocks = problem.blocks
    for k, start in zip(blocks.k.tolist(), blocks.lam.tolist(), strict=True):
        parts = (x[:, start : start + k * k].reshape(-1, k, k) for x in (one, other))
        out[:, start : start + k * k] = change(*parts).reshape(-1, k * k)
    return out
