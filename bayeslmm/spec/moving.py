"""R(φ) moves: the kernel of the same rows at any φ, and derivatives pulled back to φ."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from bayeslmm.kernel.factor.factored import Factored
from bayeslmm.kernel.kernel import Kernel
from bayeslmm.kernel.problem.crossproducts import Observations, Whitened

from .moments import Moments, stored
from .residual import Residual
from .residual.precision import Precision, PrecisionAt

type Array = NDArray[np.float64]

SMALL = 300_000  # numbers of all classes' cross-products up to which they are taken whatever they are of
STRAIN = 1e4  # of C⁻¹, from which on rows are whitened again
LARGE = 6_000_000  # the same where squares of a class are several
TOGETHER = 64  # φ whose sums over classes are taken at once


@dataclass(frozen=True, eq=False)
class AtPhi(ABC):
    """A problem at one φ (n_phi,).

    Attributes
    ----------
    kernel : its cross-products.
    """

    phi: Array
    kernel: Kernel

    @abstractmethod
    def pull(self, factored: Factored, logdet_bar: float, A_bar: Array) -> Array:
        """Gradient in φ, (n_phi,), of a function of (log|V₀|, A) at one Λ, given its derivatives there.

        Parameters
        ----------
        factored : this kernel's, at that Λ. logdet_bar : by log|V₀|. A_bar : (p + 1, p + 1) by A.
        """


@dataclass(frozen=True, eq=False)
class Still(AtPhi):
    """A problem whose R has no parameters."""

    def pull(self, factored: Factored, logdet_bar: float, A_bar: Array) -> Array:
        return np.zeros(0)


@dataclass(frozen=True, eq=False)
class OfRows(AtPhi):
    """A problem of whitened rows."""

    residual: Residual
    whitened: Whitened

    @classmethod
    def of(cls, observations: Observations, residual: Residual, phi: Array) -> Self:
        """Whiten the rows and take their cross-products."""
        whitened = observations.whitened(lambda rows: residual.whiten(rows, phi))
        return cls(phi, Kernel.of_rows(whitened, residual.log_det(phi)), residual, whitened)

    def pull(self, factored: Factored, logdet_bar: float, A_bar: Array) -> Array:
        moved = self.whitened.pull(*factored.by_products(logdet_bar, A_bar))
        shares = [self.residual.pull(rows, by_whitened, self.phi) for rows, by_whitened in moved]
        return np.asarray(logdet_bar * self.residual.log_det_gradient(self.phi) + np.sum(shares, axis=0))


@dataclass(frozen=True, eq=False)
class OfSquares(AtPhi):
    """A problem whose cross-products are sums over classes."""

    products: "ByClass"
    precision: PrecisionAt

    def pull(self, factored: Factored, logdet_bar: float, A_bar: Array) -> Array:
        by_coefficients = self.products.moments.pull(*factored.by_products(logdet_bar, A_bar))
        return self.precision.pull(by_coefficients, logdet_bar)


@dataclass(frozen=True, eq=False)
class ByClass:
    """Cross-products by class: φ ↦ the problem, without seeing rows again."""

    precision: Precision
    moments: Moments
    known: tuple[Array | None, ...]

    def at(self, phi: Array) -> OfSquares:
        """The problem at φ (n_phi,)."""
        own = self.precision.at(phi)
        kernel = Kernel(self.moments.at(own.coefficients, own.log_det), self.known)
        return OfSquares(phi, kernel, self, own)

    def kernels(self, phi: Array) -> Iterator[Kernel | None]:
        """Of the problems at many φ (m, n_phi); None where sums over classes lack digits."""
        coefficients, log_dets, strains = self.precision.many(phi)
        problems = self.moments.many(coefficients, log_dets)
        for strain, problem in zip(strains, problems, strict=True):
            yield Kernel(problem, self.known) if strain <= STRAIN else None


@dataclass(frozen=True, eq=False)
class Moving:
    """φ ↦ the problem of these rows.

    Attributes
    ----------
    observations : the rows. residual : what whitens them. of_rows : are they whitened at every φ, though
    cross-products by class would do?
    """

    observations: Observations
    residual: Residual
    of_rows: bool = False

    def at(self, phi: Array) -> AtPhi:
        """The problem at φ (n_phi,); far out its numbers may not be finite, and who asks for them looks."""
        with np.errstate(all="ignore"):
            return self.whitened(phi) if self.by_class is None else self.by_class.at(phi)

    def whitened(self, phi: Array) -> OfRows:
        """The problem at φ of rows, in coordinates that are orthonormal there; of φ far out as `at` says."""
        with np.errstate(all="ignore"):
            return OfRows.of(self.observations, self.residual, phi)

    def kernels(self, phi: Array) -> Iterator[Kernel]:
        """Of the problems at many φ (m, n_phi), each with all its digits."""
        for some in np.split(phi, range(TOGETHER, len(phi), TOGETHER)):
            found = [None] * len(some) if self.by_class is None else self.by_class.kernels(some)
            for own, kernel in zip(some, found, strict=True):
                yield self.whitened(own).kernel if kernel is None else kernel

    @cached_property
    def start(self) -> OfRows:
        """The problem at the φ that R begins with, of rows."""
        return self.whitened(self.residual.start)

    def sharp_at(self, phi: Array) -> "Moving":
        """Of rows everywhere, where cross-products by class lack digits at φ; itself where they don't."""
        lacking = self.by_class is not None and self.by_class.precision.at(phi).strain > STRAIN
        return self.sharp if lacking else self

    @property
    def sharp(self) -> "Moving":
        """The same, of rows everywhere."""
        return replace(self, of_rows=True)

    @cached_property
    def by_class(self) -> ByClass | None:
        """Where cross-products by class are few, or of many rows each."""
        precision = None if self.of_rows else self.residual.precision
        if precision is None:
            return None
        problem = self.start.kernel.problem
        numbers = precision.n_classes * stored(problem)
        if numbers > (LARGE if precision.alike >= 2 else SMALL):
            return None
        moments = Moments.of(self.start.whitened, problem, precision.combinations)
        return ByClass(precision, moments, self.start.kernel.known)
