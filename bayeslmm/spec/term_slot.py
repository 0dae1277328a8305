"""One bar of a covariance map."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .covariance import CovarianceStructure, Unstructured
from .covariance.algebra import inverse_factor

type Array = NDArray[np.float64]
type ByGroup = Mapping[str, ArrayLike]


@dataclass(frozen=True, eq=False)
class TermSlot:
    """Where one bar lies: coefs `first`:`first`+k of a block, elements `theta` of θ."""

    block: int
    first: int
    theta: slice
    structure: CovarianceStructure
    gram: Array  # (k, k) weighted mean of z zᵀ over rows, for a start

    @cached_property
    def root(self) -> Array:
        """Lower-triangular factor (k, k) of the inverse of `gram`, or of its diagonal's."""
        return inverse_factor(self.gram)

    @cached_property
    def start(self) -> Array:
        """A θ (n_params,) at which each coef contributes about as much as the residual."""
        return self.structure.start(self.gram, self.root)

    @property
    def coefs(self) -> slice:
        return slice(self.first, self.first + self.structure.k)

    @property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """Free correlations, as pairs of coef positions in the block."""
        return tuple((self.first + i, self.first + j) for i, j in self.structure.pairs)

    @property
    def sd_index(self) -> tuple[int, ...]:
        """Free standard deviations, as coef positions in the block."""
        return tuple(self.first + i for i in self.structure.sd_index)

    @property
    def apart(self) -> tuple["TermSlot", ...]:
        """The same as bars of one coef each, where coefs have nothing in common."""
        if not self.structure.separable:
            return (self,)
        one = type(self.structure)(1)
        return tuple(
            replace(
                self,
                first=self.first + i,
                theta=slice(self.theta.start + i, self.theta.start + i + 1),
                structure=one,
                gram=self.gram[i : i + 1, i : i + 1],
            )
            for i in range(self.structure.k)
        )

    @property
    def straightened(self) -> "TermSlot":
        """The same bar in linear coordinates, where any covariance has as many."""
        if self.structure.linear:
            return self
        free = Unstructured(self.structure.k)
        return replace(self, structure=free) if free.n_params == self.structure.n_params else self
