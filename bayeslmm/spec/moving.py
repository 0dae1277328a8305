"""R(φ) moves: the kernel of the same rows at any φ, and derivatives pulled back to φ."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from bayeslmm.kernel.factor.factored import Factored
from bayeslmm.kernel.kernel import Kernel
from bayeslmm.kernel.problem.crossproducts import Observations, Whitened

from .residual import Residual

type Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class AtPhi:
    """A problem at one φ (n_phi,).

    Attributes
    ----------
    whitened : its rows. kernel : their cross-products.
    """

    phi: Array
    residual: Residual
    whitened: Whitened
    kernel: Kernel

    @classmethod
    def of(cls, observations: Observations, residual: Residual, phi: Array) -> Self:
        """Whiten the rows and take their cross-products."""
        whitened = observations.whitened(lambda rows: residual.whiten(rows, phi))
        return cls(phi, residual, whitened, Kernel.of_rows(whitened, residual.log_det(phi)))

    def pull(self, factored: Factored, logdet_bar: float, A_bar: Array) -> Array:
        """Gradient in φ, (n_phi,), of a function of (log|V₀|, A) at one Λ, given its derivatives there.

        Parameters
        ----------
        factored : this kernel's, at that Λ. logdet_bar : by log|V₀|. A_bar : (p + 1, p + 1) by A.
        """
        moved = self.whitened.pull(*factored.by_products(logdet_bar, A_bar))
        shares = [self.residual.pull(rows, by_whitened, self.phi) for rows, by_whitened in moved]
        return np.asarray(logdet_bar * self.residual.log_det_gradient(self.phi) + np.sum(shares, axis=0))


@dataclass(frozen=True, eq=False)
class Moving:
    """φ ↦ the problem of these rows.

    Attributes
    ----------
    observations : the rows. residual : what whitens them.
    """

    observations: Observations
    residual: Residual

    def at(self, phi: Array) -> AtPhi:
        """The problem at φ (n_phi,)."""
        return AtPhi.of(self.observations, self.residual, phi)
