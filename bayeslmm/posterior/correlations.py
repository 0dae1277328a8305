"""The correlations of a block in free coordinates, and the factor they make."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayeslmm.spec.block import Block
from bayeslmm.spec.covariance import Correlation, Entries, Scalar

type Array = NDArray[np.float64]


@dataclass(frozen=True)
class BlockCorrelation:
    """The direct sum of a block's bars.

    Attributes
    ----------
    bars : correlation of each bar. sd_of_coef : (k,) which of the free standard deviations each coef has.
    """

    bars: tuple[Correlation, ...]
    sd_of_coef: tuple[int, ...]

    @classmethod
    def of(cls, block: Block) -> "BlockCorrelation":
        """The correlations of a block's bars."""
        owner: list[int] = []
        for structure in block.structures:
            first = owner[-1] + 1 if owner else 0
            owner += [first + i for i in structure.sd_of_coef]
        return cls(tuple(structure.correlation for structure in block.structures), tuple(owner))

    @property
    def n_sd(self) -> int:
        """Number of free standard deviations."""
        return self.sd_of_coef[-1] + 1

    @property
    def n_free(self) -> int:
        return sum(bar.n_free for bar in self.bars)

    def shapes(self, eta: float) -> Array:
        """Beta shapes (n_free,) under LKJ(eta) of each bar."""
        return np.array([shape for bar in self.bars for shape in bar.shapes(eta)])

    def factor(self, sd: Sequence[Scalar], z: Sequence[Scalar]) -> Entries:
        """Factor of the absolute covariance diag(sd) R diag(sd), from the free standard deviations."""
        out: Entries = {}
        for bar, first, part in self._parts(z):
            for (i, j), value in bar.factor(part).items():
                out[first + i, first + j] = sd[self.sd_of_coef[first + i]] * value
        return out

    def pairs(self, z: Sequence[Scalar]) -> list[Scalar]:
        """The correlations, bar after bar."""
        return [value for bar, _, part in self._parts(z) for value in bar.pairs(part)]

    def free(self, cor: ArrayLike) -> Array:
        """The coordinates (n_free,) of correlations (n_pairs,)."""
        values, out, used = np.asarray(cor, dtype=float), [np.zeros(0)], 0
        for bar in self.bars:
            n = len(bar.pairs([0.0] * bar.n_free))
            out.append(bar.free(values[used : used + n]))
            used += n
        return np.concatenate(out)

    def _parts(self, z: Sequence[Scalar]) -> list[tuple[Correlation, int, Sequence[Scalar]]]:
        """Each bar with its first coef and its own coordinates."""
        out, first, used = [], 0, 0
        for bar in self.bars:
            out.append((bar, first, z[used : used + bar.n_free]))
            first, used = first + bar.k, used + bar.n_free
        return out
