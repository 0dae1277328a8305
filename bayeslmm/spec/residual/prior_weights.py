"""Independent rows, each as precise as its prior weight says."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from .base import Array, Codes, Residual

if TYPE_CHECKING:
    from scipy.sparse import csr_array


@dataclass(frozen=True, eq=False)
class PriorWeights(Residual):
    """R = diag(1/w); data are `weights`, positive, or nothing where all are 1."""

    keyword: ClassVar[str] = "weights"

    @classmethod
    def of(cls, weights: Array, sigma: float | None = None) -> Self:
        """The residual of rows with these weights (n,)."""
        return cls(len(weights), sigma, {} if np.all(weights == 1.0) else {"weights": weights})

    @classmethod
    def example(cls, n: int, generator: np.random.Generator, sigma: float | None = None) -> Self:
        return cls.of(generator.uniform(0.2, 5.0, n), sigma)

    @property
    def names(self) -> tuple[str, ...]:
        return ()

    @property
    def start(self) -> Array:
        return np.zeros(0)

    @property
    def description(self) -> str:
        return "all rows alike" if self.is_identity else "variance over prior weights"

    @property
    def is_identity(self) -> bool:
        return "weights" not in self.data

    @property
    def weights(self) -> Array:
        """(n,) w, ones included."""
        return np.broadcast_to(1.0, self.n) if self.is_identity else self.data["weights"]

    @property
    def shown(self) -> Mapping[str, Array]:
        return {"weights": self.weights}

    @cached_property
    def _roots(self) -> Array:
        """(n,) square roots of the weights."""
        return np.sqrt(self.weights)

    def _whiten(self, rows: Any, phi: Array) -> Any:
        from scipy.sparse import csr_array

        if isinstance(rows, np.ndarray):
            return along(self._roots, rows) * rows
        return csr_array(rows.multiply(self._roots[:, None]))

    def _unwhiten(self, rows: Array, phi: Array) -> Array:
        return rows / along(self._roots, rows)

    def _untransposed(self, rows: Array, phi: Array) -> Array:
        return self._unwhiten(rows, phi)

    def _transposed(self, rows: Array, phi: Array) -> Array:
        return np.asarray(self._whiten(rows, phi))

    def _pull(self, rows: Any, by_whitened: Any, phi: Array) -> Array:
        return np.zeros(self.n_phi)

    def _log_det_gradient(self, phi: Array) -> Array:
        return np.zeros(self.n_phi)

    def _log_pivots(self, phi: Array) -> Array:
        return -np.log(self.weights)

    def _variances(self, phi: Array) -> Array:
        return 1 / self.weights

    def _elements(self, i: Codes, j: Codes, phi: Array) -> tuple[Array, Array]:
        values = np.where(i == j, 1 / self.weights[i], 0.0)
        return values, np.zeros((0, len(values)))

    def _covariance(self, new: Self, phi: Array) -> "csr_array":
        from scipy.sparse import csr_array

        return csr_array((new.n, self.n))


def along(values: Array, rows: Array) -> Array:
    """One value a row (n,), shaped to multiply rows (n, ...)."""
    return values.reshape(-1, *(1,) * (rows.ndim - 1))
