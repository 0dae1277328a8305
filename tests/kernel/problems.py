"""Small random problems of every block structure, and the same quantities from the dense V."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag

from bayeslmm.kernel.kernel import Kernel

type Array = NDArray[np.float64]
type Rows = tuple[NDArray[np.int64], Array, int]

STRUCTURES = {
    "none": (),
    "one": (("fine", 1),),
    "slopes": (("fine", 3),),
    "nested": (("coarse", 1), ("fine", 2), ("middle", 1)),
    "crossed": (("fine", 2), ("other", 1)),
    "nested and crossed": (("other", 2), ("coarse", 1), ("fine", 2), ("middle", 1)),
    "large tail": (("many", 1), ("fine", 2), ("other", 3)),
}


def whitening(weights: Array) -> Callable[[Array], Array]:
    """√w times rows (n, ...)."""
    return lambda rows: np.einsum("n,n...->n...", np.sqrt(weights), rows)


def build(
    y: Array, X: Array, blocks: list[Rows], weights: Array, known: tuple[Array | None, ...] = ()
) -> Kernel:
    """The kernel where R = diag(1/w)."""
    return Kernel.build(y, X, blocks, whitening(weights), -float(np.sum(np.log(weights))), known)


@dataclass(frozen=True)
class Problem:
    """y, X, blocks, weights, and a Λ for each block."""

    y: Array
    X: Array
    blocks: list[Rows]
    weights: Array
    lam: Array

    @property
    def kernel(self) -> Kernel:
        return build(self.y, self.X, self.blocks, self.weights)

    @property
    def Z(self) -> Array:
        return np.hstack([_dense_block(*block) for block in self.blocks] or [np.zeros((len(self.y), 0))])

    @property
    def Lambda(self) -> Array:
        parts, start = [], 0
        for _, columns, n_levels in self.blocks:
            k = columns.shape[1]
            parts += [self.lam[start : start + k * k].reshape(k, k)] * n_levels
            start += k * k
        return block_diag(*parts) if parts else np.zeros((0, 0))

    @property
    def V0(self) -> Array:
        root = self.Z @ self.Lambda
        return root @ root.T + np.diag(1 / self.weights)


def _dense_block(codes: NDArray[np.int64], columns: Array, n_levels: int) -> Array:
    n, k = columns.shape
    Z = np.zeros((n, n_levels * k))
    for i in range(n):
        Z[i, codes[i] * k : (codes[i] + 1) * k] = columns[i]
    return Z


def make(structure: str, p: int = 2, seed: int = 0, n: int = 90, scale: float = 1.0) -> Problem:
    """A problem whose every level occurs; `scale` multiplies Λ, 0 puts it on the boundary."""
    rng = np.random.default_rng(seed)
    fine = _every_level(rng, 15, n)
    middle = _every_level(rng, 5, 15)[fine]
    groups = {
        "fine": (fine, 15),
        "middle": (middle, 5),
        "coarse": (np.array([0, 0, 1, 1, 2])[middle], 3),
        "other": (_every_level(rng, 6, n), 6),
        "many": (_every_level(rng, 70, n), 70),
    }
    blocks = [
        (groups[name][0], np.column_stack([np.ones(n), rng.normal(size=(n, k - 1))]), groups[name][1])
        for name, k in STRUCTURES[structure]
    ]
    lam = [np.tril(rng.normal(size=(b[1].shape[1],) * 2)).ravel() for b in blocks]
    X = np.column_stack([np.ones(n), rng.normal(size=(n, max(p - 1, 0)))])[:, :p]
    weights = rng.uniform(0.5, 2.0, n)
    return Problem(
        5 + 3 * rng.normal(size=n), X, blocks, weights, scale * np.concatenate([np.zeros(0), *lam])
    )


def _every_level(rng: np.random.Generator, levels: int, n: int) -> NDArray[np.int64]:
    return rng.permutation(np.concatenate([np.arange(levels), rng.integers(0, levels, n - levels)]))


def crossed_problem(seed: int = 0) -> Problem:
    """Two crossed factors, one with slopes, whose tail is large enough for LAPACK."""
    rng = np.random.default_rng(seed)
    n = 700
    columns = np.column_stack([np.ones(n), rng.normal(size=n)])
    blocks = [
        (_every_level(rng, 120, n), np.ones((n, 1)), 120),
        (_every_level(rng, 80, n), columns, 80),
    ]
    X = np.column_stack([np.ones(n), rng.normal(size=(n, 1))])
    y, weights = 5 + 3 * rng.normal(size=n), rng.uniform(0.5, 2.0, n)
    lam = np.concatenate([[0.7], np.tril(rng.normal(size=(2, 2))).ravel()])
    return Problem(y, X, blocks, weights, lam)


def crossed_kernel(seed: int = 0) -> tuple[Kernel, Array]:
    """The kernel of a `crossed_problem`, and a Λ."""
    problem = crossed_problem(seed)
    return problem.kernel, problem.lam
