"""Residuals with parameters, made from their dense R: correlated within groups, or unequally spread."""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular
from scipy.sparse import csr_array, issparse

from bayeslmm.spec.residual import Residual

type Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class DenseResidual(Residual):
    """R(φ) is made element by element; data are `group` and `time`."""

    is_identity = False
    description = "dense"

    @classmethod
    def example(cls, n: int, generator: np.random.Generator, sigma: float | None = None) -> Self:
        return cls(n, sigma, {"group": generator.integers(0, 3, n), "time": generator.uniform(0, 4, n)})

    @abstractmethod
    def dense(self, phi: Array) -> Array:
        """R (n, n)."""

    @property
    def start(self) -> Array:
        return np.zeros(self.n_phi)

    @property
    def groups(self) -> NDArray[np.int64] | None:
        return self.data["group"].astype(np.int64)

    @property
    def alike(self) -> Array:
        """(n, n) 1 for rows of one group."""
        return 1.0 * (self.data["group"][:, None] == self.data["group"])

    def root(self, phi: Array) -> Array:
        return np.linalg.cholesky(self.dense(phi))

    def moves(self, phi: Array) -> list[Array]:
        """d R^{-½} / dφ, by the derivative of a Cholesky factor."""
        inverse = np.linalg.inv(self.root(phi))
        out = []
        for step in 1e-20 * np.eye(self.n_phi):
            change = inverse @ (self.dense(phi + 1j * step).imag / 1e-20) @ inverse.T
            out.append(-(np.tril(change, -1) + 0.5 * np.diag(np.diag(change))) @ inverse)
        return out

    def _whiten(self, rows: Any, phi: Array) -> Any:
        if issparse(rows):
            return csr_array(self._whiten(rows.toarray(), phi))
        flat = solve_triangular(self.root(phi), rows.reshape(self.n, -1), lower=True)
        return flat.reshape(rows.shape)

    def _unwhiten(self, rows: Array, phi: Array) -> Array:
        return (self.root(phi) @ rows.reshape(self.n, -1)).reshape(rows.shape)

    def _untransposed(self, rows: Array, phi: Array) -> Array:
        return (self.root(phi).T @ rows.reshape(self.n, -1)).reshape(rows.shape)

    def _transposed(self, rows: Array, phi: Array) -> Array:
        return np.linalg.solve(self.root(phi).T, rows.reshape(self.n, -1)).reshape(rows.shape)

    def _pull(self, rows: Any, by_whitened: Any, phi: Array) -> Array:
        if issparse(rows):
            changes = [csr_array(move @ rows.toarray()) for move in self.moves(phi)]
            return np.array([by_whitened.multiply(change).sum() for change in changes])
        return np.array([np.sum(by_whitened * (move @ rows)) for move in self.moves(phi)])

    def _log_det_gradient(self, phi: Array) -> Array:
        root = self.root(phi)
        return np.array([-2 * np.sum(np.diag(move) * np.diag(root)) for move in self.moves(phi)])

    def _log_pivots(self, phi: Array) -> Array:
        return 2 * np.log(np.diag(self.root(phi)))

    def _variances(self, phi: Array) -> Array:
        return np.diag(self.dense(phi))

    def _elements(self, i: Any, j: Any, phi: Array) -> tuple[Array, Array]:
        steps = 1e-20j * np.eye(self.n_phi)
        return self.dense(phi)[i, j], np.array([self.dense(phi + e)[i, j].imag / 1e-20 for e in steps])

    def _covariance(self, new: Self, phi: Array) -> csr_array:
        raise NotImplementedError


class AutoRegressive(DenseResidual):
    """tanh(φ) to the power of the distance in time, in a group."""

    names = ("phi",)

    def dense(self, phi: Array) -> Array:
        order = np.argsort(np.argsort(self.data["time"]))
        apart = np.abs(order[:, None] - order)
        return self.alike * np.tanh(phi[0]) ** apart


class Symmetric(DenseResidual):
    """Compound symmetry in a group, with a correlation of 0.1 to 0.9, and twice the spread late as φ says."""

    names = ("cor", "sd")

    def dense(self, phi: Array) -> Array:
        cor = 0.5 + 0.4 * np.tanh(phi[0])
        spread = np.where(self.data["time"] > 2, np.exp(phi[1]), 1.0)
        return (cor * self.alike + (1 - cor) * np.eye(self.n)) * np.outer(spread, spread)


class TwoSpreads(DenseResidual):
    """Rows late in time have a sd of their own: its log ratio is φ."""

    names = ("delta",)
    groups = None

    def dense(self, phi: Array) -> Array:
        return np.diag(np.where(self.data["time"] > 2, np.exp(2 * phi[0]), 1.0))


RESIDUALS: dict[str, Callable[..., DenseResidual]] = {
    "autoregressive": AutoRegressive,
    "symmetric": Symmetric,
    "two spreads": TwoSpreads,
}
