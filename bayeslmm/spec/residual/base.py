"""What every residual can do."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple, Self, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayeslmm.errors import OptionError
from bayeslmm.registry import Registered

from .structure import Part

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from .precision import Precision

type Array = NDArray[np.float64]
type Codes = NDArray[np.int64]


class Parameters(NamedTuple):
    """The parameters of R as people know them.

    Attributes
    ----------
    labels : of each, m. values : (m,). bounds : (m, 2) ends of their ranges.
    slopes : (m, n_phi + 1) derivatives by φ and log σ.
    """

    labels: tuple[str, ...]
    values: Array
    bounds: Array
    slopes: Array

    @classmethod
    def joined(cls, parts: "Sequence[Parameters]") -> "Parameters":
        """Those of several parts of R, each with a φ of its own."""
        from scipy.linalg import block_diag

        by_phi = block_diag(np.zeros((0, 0)), *(part.slopes[:, :-1] for part in parts))
        by_log_sigma = np.concatenate([np.zeros(0), *(part.slopes[:, -1] for part in parts)])
        return cls(
            tuple(label for part in parts for label in part.labels),
            np.concatenate([np.zeros(0), *(part.values for part in parts)]),
            np.vstack([np.zeros((0, 2)), *(part.bounds for part in parts)]),
            np.column_stack([by_phi, by_log_sigma]),
        )


@dataclass(frozen=True, eq=False)
class Residual(Registered, ABC):
    """The residual of n rows, e ~ N(0, σ²R(φ)).

    A structure is a subclass with a `keyword`. R^½ is any root with R^½(R^½)ᵀ = R that joins only rows of one
    residual group.

    Attributes
    ----------
    n : number of rows. sigma : σ where it is known, None where it is estimated.
    data : what R takes from the rows, (n,) each, by name.
    settled : the φ (n_phi,) that counts where none is given, as that of a fit; None for none.
    """

    n: int
    sigma: float | None = None
    data: Mapping[str, Array] = field(default_factory=dict)
    settled: Array | None = None

    @classmethod
    @abstractmethod
    def example(cls, n: int, generator: np.random.Generator, sigma: float | None = None) -> Self:
        """A residual of n made-up rows, for the laws that hold for every structure."""

    @property
    def sigma_free(self) -> bool:
        """Is σ estimated?"""
        return self.sigma is None

    @property
    def n_phi(self) -> int:
        """Number of parameters of R."""
        return len(self.names)

    @property
    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """Labels of φ."""

    @property
    @abstractmethod
    def start(self) -> Array:
        """A φ to begin with, (n_phi,)."""

    @property
    def usual(self) -> Array:
        """The φ (n_phi,) to begin with where nobody gives start values."""
        return self.start

    @property
    def starts(self) -> Array:
        """φ (m, n_phi) to begin with, far from each other; the first is `start`."""
        return self.start[None]

    @property
    @abstractmethod
    def description(self) -> str:
        """R in a few words."""

    @property
    @abstractmethod
    def is_identity(self) -> bool:
        """Is R the identity at every φ?"""

    @property
    def shown(self) -> Mapping[str, Array]:
        """The data with what was left to default, for people to look at."""
        return self.data

    @property
    def groups(self) -> Codes | None:
        """(n,) number of each row's residual group; None where every row is one by itself."""
        return None

    @property
    def order(self) -> Codes:
        """(n,) the rows in the order in which each depends on those of its group before it."""
        return np.arange(self.n)

    @property
    def settled_phi(self) -> Array:
        """(n_phi,) the φ that counts where none is given; refused where there is none."""
        return self._checked(())

    @property
    def of_fitted(self) -> bool:
        """Is R a function of the fitted values?"""
        return False

    @property
    def kinked(self) -> bool:
        """Has the likelihood kinks in φ, and with them many valleys?"""
        return False

    def with_fitted(self, values: Array) -> Self:
        """R at other fitted values (n,)."""
        del values
        return self

    def settle(self, phi: Array) -> Self:
        """The same residual, at φ where none is given; φ stays a parameter."""
        return replace(self, settled=phi)

    def parameters(self, phi: Array, sigma: float) -> Parameters:
        """The parameters as people know them."""
        del phi, sigma
        return Parameters.joined(())

    def kept(self, sigma: float) -> Parameters:
        """Those that a user keeps at their start values; φ moves none of them, σ the absolute ones."""
        del sigma
        return Parameters.joined(())

    @property
    def parts(self) -> tuple[Part[Any], ...]:
        """What R is made of, in the order of φ."""
        return ()

    def ratios(self, phi: Array) -> Array:
        """Parameters as people know them, (n_phi,), absolute ones over σ."""
        return phi

    def of_ratios(self, ratios: Array) -> Array:
        """φ (n_phi,) of `ratios`."""
        return ratios

    def ratio_slopes(self, phi: Array) -> Array:
        """d ratios / dφ, (n_phi, n_phi)."""
        return np.eye(len(phi))

    def natural(self, phi: Array, sigma: Array) -> Array:
        """Parameters as people know them, in the order of `labels`, (m, n), of φ (m, n_phi) and σ (m,)."""
        del phi
        return np.zeros((len(sigma), 0))

    def free(self, natural: Array, sigma: Array) -> Array:
        """φ (m, n_phi) of parameters as people know them, (m, n), and σ (m,)."""
        del natural
        return np.zeros((len(sigma), 0))

    @property
    def labels(self) -> tuple[str, ...]:
        """Of the parameters as people know them."""
        return self.parameters(self.start, 1.0).labels

    def check_known(self, what: str, instead: str, why: str = "") -> None:
        """Refuse what holds for a known R only.

        Raises
        ------
        OptionError
            Where R has parameters; `instead` is the next step, `why` the reason.
        """
        if self.n_phi:
            reason = f", since {why}" if why else ""
            raise OptionError(
                f"{what} needs a residual without parameters{reason}, and this one has "
                f"{', '.join(self.labels)}; {instead}"
            )

    def of_rows(self, n: int, data: Mapping[str, Array]) -> Self:
        """The residual of other rows, σ and structure the same."""
        return replace(self, n=n, data=data)

    def take(self, rows: Codes) -> Self:
        """The residual of some of the rows (m,), each as often as it is named."""
        return self.of_rows(len(rows), {name: values[rows] for name, values in self.data.items()})

    @overload
    def whiten(self, rows: Array, phi: ArrayLike = ()) -> Array: ...
    @overload
    def whiten(self, rows: "csr_array", phi: ArrayLike = ()) -> "csr_array": ...
    def whiten(self, rows: Any, phi: ArrayLike = ()) -> Any:
        """R^{-½} rows, of an array (n, ...) or a sparse matrix (n, m); the argument itself where R = I."""
        return rows if self.is_identity else self._whiten(rows, self._checked(phi))

    def unwhiten(self, rows: Array, phi: ArrayLike = ()) -> Array:
        """R^½ rows, of an array (n, ...): the inverse of `whiten`."""
        return rows if self.is_identity else self._unwhiten(rows, self._checked(phi))

    def untransposed(self, rows: Array, phi: ArrayLike = ()) -> Array:
        """(R^½)ᵀ rows, of an array (n, ...): rowsᵀR rows is the square of it."""
        return rows if self.is_identity else self._untransposed(rows, self._checked(phi))

    def transposed(self, rows: Array, phi: ArrayLike = ()) -> Array:
        """(R^{-½})ᵀ rows, of an array (n, ...): R⁻¹ rows is this of whitened rows."""
        return rows if self.is_identity else self._transposed(rows, self._checked(phi))

    def spread(self, rows: "csr_array") -> "csr_array":
        """Where R^{-½} rows or their derivatives by φ can differ from 0, (n, m), whatever φ is.

        Everything that the residual group holds, unless a structure knows better.
        """
        from bayeslmm.kernel.problem.entries import over_groups

        return rows if self.groups is None else over_groups(self.groups)(rows)

    @property
    def precision(self) -> "Precision | None":
        """R⁻¹ as a sum of squares, where few say all; None where rows are to be whitened."""
        return None

    def pull(self, rows: Any, by_whitened: Any, phi: ArrayLike = ()) -> Array:
        """Gradient (n_phi,) of a function of R^{-½} rows, given its derivative by them.

        Parameters
        ----------
        rows, by_whitened : arrays (n, m), or sparse; then `by_whitened` is stored wherever `spread` says.
        """
        return self._pull(rows, by_whitened, self._checked(phi))

    def log_det_gradient(self, phi: ArrayLike = ()) -> Array:
        """d log|R| / dφ, (n_phi,)."""
        return self._log_det_gradient(self._checked(phi))

    def log_pivots(self, phi: ArrayLike = ()) -> Array:
        """(n,) log variance over σ² of each row, given the rows of its group before it in `order`."""
        return self._log_pivots(self._checked(phi))

    def log_det(self, phi: ArrayLike = ()) -> float:
        """log|R|."""
        return 0.0 if self.is_identity else float(np.sum(self.log_pivots(phi)))

    def variances(self, phi: ArrayLike = ()) -> Array:
        """Diagonal (n,) of R; infinite far out."""
        with np.errstate(over="ignore"):
            return self._variances(self._checked(phi))

    @property
    def coordinates(self) -> Array | None:
        """(n, d) at which a correlation sees the rows; None where there is none, or it doesn't ask."""
        return None

    @property
    def mean_variance(self) -> float:
        """Mean over rows of R's diagonal, as if no row had a prior weight, at the φ that R is settled at."""
        return 1.0

    @property
    def in_memory(self) -> bool:
        """Are the rows' data here, and not read in chunks?"""
        return isinstance(self.data, dict)

    def evenness(self, phi: ArrayLike = ()) -> float:
        """(Σw)²/(n Σw²) of the rows' precisions w: the share of them that would tell as much, all alike.

        1 where the rows aren't here.
        """
        if self.is_identity or not self.in_memory:
            return 1.0
        variances = self.variances(phi)
        precisions = np.min(variances) / variances
        return float(np.mean(precisions) ** 2 / np.mean(precisions**2))

    def draw(self, generator: np.random.Generator, size: int, phi: ArrayLike = ()) -> Array:
        """(size, n) draws of e / σ."""
        return self.unwhiten(generator.standard_normal((size, self.n)).T, phi).T

    def covariance(self, new: Self, phi: ArrayLike = ()) -> "csr_array":
        """Covariance (m, n) over σ² of the m new rows with these."""
        return self._covariance(new, self._checked(phi))

    def elements(self, i: Codes, j: Codes, phi: ArrayLike = ()) -> tuple[Array, Array]:
        """R_ij (m,) of pairs of rows, and derivatives (n_phi, m) by φ."""
        return self._elements(i, j, self._checked(phi))

    def _checked(self, phi: ArrayLike) -> Array:
        if self.settled is not None and np.size(phi) == 0:
            return self.settled
        if np.shape(phi) != (self.n_phi,):
            raise OptionError(
                f"phi has {np.size(phi)} values; this residual has {self.n_phi}: {', '.join(self.names)}"
            )
        return np.asarray(phi, dtype=np.float64)

    @abstractmethod
    def _whiten(self, rows: Any, phi: Array) -> Any: ...

    @abstractmethod
    def _unwhiten(self, rows: Array, phi: Array) -> Array: ...

    @abstractmethod
    def _untransposed(self, rows: Array, phi: Array) -> Array: ...

    @abstractmethod
    def _transposed(self, rows: Array, phi: Array) -> Array: ...

    @abstractmethod
    def _pull(self, rows: Any, by_whitened: Any, phi: Array) -> Array: ...

    @abstractmethod
    def _log_det_gradient(self, phi: Array) -> Array: ...

    @abstractmethod
    def _log_pivots(self, phi: Array) -> Array: ...

    @abstractmethod
    def _variances(self, phi: Array) -> Array: ...

    @abstractmethod
    def _elements(self, i: Codes, j: Codes, phi: Array) -> tuple[Array, Array]: ...

    @abstractmethod
    def _covariance(self, new: Self, phi: Array) -> "csr_array": ...
