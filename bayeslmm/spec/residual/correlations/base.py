"""What every correlation structure can do."""

from abc import abstractmethod
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar

import numpy as np

from bayeslmm.registry import Registered
from bayeslmm.spec.residual.roots import Joined, Patterns, Root
from bayeslmm.spec.residual.structure import Array, Learnt, Natural, Structure, Usual, logistic, logit, slopes


class Counts(Enum):
    """What the left side of a form counts."""

    NOTHING = "nothing"  # rows of a group are alike
    STEPS = "steps"  # whole numbers, or levels of a factor: how many lie between
    LEVELS = "levels"  # visits, by name
    DISTANCE = "distance"  # positions on a line, in a plane, ...


@dataclass(frozen=True, eq=False)
class CorrelationStructure(Structure, Registered):
    """Cor(e_i, e_j) for rows of one residual group: one analytic function of φ and of their place.

    A place is what `Counts` says: steps between them, their distance, or the pair of their visits as one
    number, i k + j of k levels, i < j.
    """

    counts: ClassVar[Counts] = Counts.DISTANCE
    by_pair: ClassVar[bool] = False  # does it ask a pair of visits for a parameter?
    on_a_line: ClassVar[bool] = False  # has it one coordinate only, though it goes by distance?

    @abstractmethod
    def at(self, phi: Any, places: Array, learnt: Learnt) -> Any:
        """Correlations (m,) at places (m,)."""

    def slopes(self, phi: Array, places: Array, learnt: Learnt) -> Array:
        """(n, m) derivatives of the correlations at places (m,) by φ (n,)."""
        return slopes(lambda phi: self.at(phi, places, learnt), phi, len(places))

    def root(self, joined: Joined) -> type[Root]:
        """How rows are whitened."""
        return Patterns

    def place(self, a: Array, b: Array, learnt: Learnt) -> Array:
        """Places (m,) of pairs of rows, by their coordinates (m, d)."""
        if self.counts is Counts.LEVELS:
            low, high = np.minimum(a, b)[:, 0], np.maximum(a, b)[:, 0]
            return low * len(learnt.levels) + high
        return np.sqrt(np.sum((a - b) ** 2, axis=1))

    @property
    def repeats(self) -> bool:
        """May two rows of a group have the same coordinates?"""
        return self.counts is Counts.NOTHING


def pairs_of(places: Array, levels: int) -> tuple[Array, Array]:
    """The two visits of each place."""
    low, high = np.divmod(places.astype(np.int64), levels)
    return low, high


@dataclass(frozen=True, eq=False)
class Spatial(CorrelationStructure):
    """A correlation that falls with the distance over a range, at 0 distance to 1 − nugget.

    Attributes
    ----------
    nugget : is there one?
    """

    nugget: bool = False

    counts: ClassVar[Counts] = Counts.DISTANCE

    @abstractmethod
    def falls(self, ratio: Any) -> Any:
        """Correlations at distances over the range."""

    def parameters(self, learnt: Learnt) -> Natural:
        names, bounds = [f"phi[{self.keyword}]", "nugget"], np.array([[0.0, np.inf], [0.0, 1.0]])
        return Natural(tuple(names[: 1 + self.nugget]), bounds[: 1 + self.nugget])

    def natural(self, phi: Any, learnt: Learnt) -> Any:
        return np.concatenate([learnt.scale * np.exp(phi[:1]), logistic(phi[1:])])

    def free(self, natural: Array, learnt: Learnt) -> Array:
        return np.concatenate([np.log(natural[:1] / learnt.scale), logit(natural[1:])])

    def usual_priors(self, learnt: Learnt, spread: float) -> tuple[Usual, ...]:
        """The range's median is the median gap."""
        of_range = Usual("LogNormal", (float(np.log(learnt.scale)), 1.5))
        return (of_range, Usual("Beta", (2.0, 2.0)))[: 1 + self.nugget]

    def starts(self, learnt: Learnt) -> Array:
        ranges = np.array([0.0, 2.0, -1.0, 4.0])
        return np.column_stack([ranges, np.full(4, -2.0)])[:, : 1 + self.nugget]

    def at(self, phi: Any, places: Array, learnt: Learnt) -> Any:
        own = self.natural(phi, learnt)
        share = 1 - own[1] if self.nugget else 1.0
        return share * self.falls(places / own[0])

    @property
    def repeats(self) -> bool:
        return self.nugget
