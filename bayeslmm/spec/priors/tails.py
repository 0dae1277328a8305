"""What is left of a posterior as sds grow: whether it is proper, and which moments it has.

Where the sds of a set A grow as t, ∫p(y | β, ω)π(β)dβ falls as t^−rank(A), the rank of their columns of Z
beyond the columns of X with flat priors; σ's columns are all rows. With priors that fall as sd^−aᵢ the
density of log t goes as t^(|A| − Σaᵢ − rank(A)). Sds that grow at different speeds lie between sets that grow
alike.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayeslmm.spec.labels import SIGMA, beta_label, group_label
from bayeslmm.spec.rank import TOLERANCE, levels_beyond

from .base import Prior

if TYPE_CHECKING:
    from bayeslmm.spec.block import Block
    from bayeslmm.spec.design import Design

type Array = NDArray[np.float64]

AMPLE = 4  # ranks beyond its size with which a set has every moment that is asked for


class Tail(NamedTuple):
    """Where the posterior of an sd falls least.

    Attributes
    ----------
    sds : that grow there together. rank : of their columns. fall : power by which their priors fall, in all.
    """

    sds: tuple[str, ...]
    rank: int
    fall: float

    @property
    def power(self) -> float:
        """Of the sd's posterior: it is proper if that is more than 1, and has the k-th moment above k + 1."""
        return self.rank + self.fall - (len(self.sds) - 1)


@dataclass(frozen=True, eq=False)
class Tails:
    """The likelihood of a design far out.

    Attributes
    ----------
    design : whose. Where its rows are elsewhere, ranks are levels.
    """

    design: "Design"

    def power(self, label: str, falls: Mapping[str, float], table: Mapping[str, Prior]) -> "Tail":
        """How the posterior of one sd falls in the end.

        Parameters
        ----------
        falls : by sd, the power by which its prior falls. table : the priors, of which flat ones of β count.
        """
        others = [other for other, power in falls.items() if power < 1 and other != label]
        sets = [(label, *more) for n in range(len(others) + 1) for more in combinations(others, n)]
        tails = [Tail(each, self.rank(each, table), sum(falls[one] for one in each)) for each in sets]
        return min(tails, key=lambda tail: tail.power)

    def beyond_all(self) -> int:
        """Dimensions m of y that no effect reaches: if y has no part there, p(y | σ) goes as σ^−m near 0."""
        columns = [_levels(block, column) for block in self.design.blocks for column in block.columns.T]
        return self.design.n - self.design.p - _rank_beyond(self.design.X, np.hstack(columns))

    def _flat(self, table: Mapping[str, Prior]) -> Array:
        """Columns of X whose coefficients have flat priors."""
        design = self.design
        flat = [not table[beta_label(coef)].proper for coef in design.coefs]
        return design.X[:, flat] if design.in_memory else np.zeros((design.n, 0))

    def rank(self, labels: Sequence[str], table: Mapping[str, Prior]) -> int:
        """Of the columns of these sds beyond X's with flat priors; of one sd's alone, where that is ample."""
        X = self._flat(table)
        if SIGMA in labels:
            return self.design.n - (X.shape[1] if self.design.in_memory else self.design.p)
        each = [list(self._columns(label)) for label in labels]
        if not self.design.in_memory:
            return sum(max(block.n_levels for block, _ in own) for own in each)
        alone = max(levels_beyond(X, block.codes, column) for own in each for block, column in own)
        if alone >= len(labels) + AMPLE or sum(map(len, each)) == 1:
            return alone
        return _rank_beyond(X, np.hstack([_levels(*one) for own in each for one in own]))

    def _columns(self, label: str) -> "Iterator[tuple[Block, Array]]":
        """The left-hand columns (n,) that an sd belongs to."""
        for number, block in enumerate(self.design.blocks):
            names = self.design.covariance.sd_names(number)
            for place, owner in enumerate(self.design.covariance.sd_of_coef(number)):
                if group_label("sd", block.group, names[owner]) == label:
                    yield block, block.columns[:, place] if self.design.in_memory else np.zeros(0)


def fall(prior: Prior, x: float) -> float:
    """The power of x by which a density falls between x and 2x."""
    if x < prior.bounds[0]:
        return -np.inf
    with np.errstate(over="ignore", invalid="ignore"):
        power = float((prior.logpdf(x) - prior.logpdf(2 * x)) / np.log(2))
    return np.inf if np.isnan(power) else round(power, 6)


def _levels(block: "Block", column: Array) -> Array:
    """(n, J) a column of Z for each level."""
    out = np.zeros((len(column), block.n_levels))
    out[np.arange(len(column)), block.codes] = column
    return out


def _rank_beyond(X: Array, Z: Array) -> int:
    """Rank of Z once X is projected out, its columns in units of their lengths."""
    lengths = np.linalg.norm(Z, axis=0)
    unit = Z[:, lengths > 0] / lengths[lengths > 0]
    basis = np.linalg.qr(X)[0]
    left = unit - basis @ (basis.T @ unit)
    return int(np.sum(np.linalg.svd(left, compute_uv=False) > TOLERANCE**0.5)) if left.size else 0
