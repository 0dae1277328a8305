"""Where the variance of y comes from: Var(Xβ) + Var(Zb) + Var(e), and the shares that follow."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from .block import Block
from .design import Design
from .labels import icc_label

type Array = NDArray[np.float64]

FIXED, RESIDUAL = "fixed", "residual"


@dataclass(frozen=True, slots=True, eq=False)
class VarianceParts:
    """The moments of a design that turn parameters into variances.

    Attributes
    ----------
    gram : (p, p) covariance of X's columns, divided by n − 1.
    moments : by grouping factor (k, k), the mean over rows of vzzᵀ, v the level's own variance relative to T.
    residual : mean over rows of the residual's variance over σ², of observations with weight 1.
    """

    gram: Array
    moments: Mapping[str, Array]
    residual: float

    @classmethod
    def of(cls, design: Design) -> Self:
        """The moments of a design with rows in memory."""
        centred = design.X - design.X.mean(axis=0)
        gram = centred.T @ centred / max(design.n - 1, 1)
        moments = {block.group: _moments(block) for block in design.blocks}
        return cls(gram, moments, design.residual.mean_variance)

    def variances(self, beta: Array, factors: Iterable[Array], sigma: Array) -> dict[str, Array]:
        """By source, "fixed", each grouping factor, "residual", shaped as sigma (...).

        Var(Xβ) is the sample's, without the offset; a factor's is the mean over rows of zᵀTz (Johnson 2014);
        the residual's is σ² times the mean of R's diagonal, of observations with weight 1.

        Parameters
        ----------
        beta : (..., p). factors : of each block, FFᵀ = T, (..., k, k), absolute.
        """
        pairs = zip(self.moments.items(), factors, strict=True)
        random = {
            group: np.einsum("...ij,...kj,ik->...", factor, factor, moments)
            for (group, moments), factor in pairs
        }
        fixed = np.einsum("...i,ij,...j->...", beta, self.gram, beta)
        return {FIXED: fixed, **random, RESIDUAL: self.residual * np.square(sigma)}


def _moments(block: Block) -> Array:
    own = block.columns * np.sqrt(block.level_variances[block.codes])[:, None]
    return np.asarray(own.T @ own / len(own))


def decomposition(parts: Mapping[str, Array]) -> dict[str, Array]:
    """Variances by source and their sum, then each source's share of it."""
    total = sum(parts.values(), np.zeros(()))
    variances = {f"variance[{source}]": value for source, value in parts.items()}
    shares = {f"share[{source}]": value / total for source, value in parts.items()}
    return {**variances, "variance[total]": total, **shares}


def r2(parts: Mapping[str, Array]) -> dict[str, Array]:
    """Nakagawa & Schielzeth's (2013) shares: of the fixed part, and of the fixed and random parts."""
    total = sum(parts.values(), np.zeros(()))
    return {"r2[marginal]": parts[FIXED] / total, "r2[conditional]": 1 - parts[RESIDUAL] / total}


def icc(parts: Mapping[str, Array]) -> dict[str, Array]:
    """Random effects' share of the variance beside the fixed part, of all, and factor by factor."""
    random = {source: value for source, value in parts.items() if source not in (FIXED, RESIDUAL)}
    whole = sum(random.values(), np.zeros(()))
    beside = whole + parts[RESIDUAL]
    own = {icc_label(group): value / beside for group, value in random.items()}
    return {"icc[adjusted]": whole / beside, "icc[unadjusted]": whole / (beside + parts[FIXED]), **own}
