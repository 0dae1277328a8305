"""Made-up rows for every correlation structure and variance function, for the laws that hold for all."""

from collections.abc import Callable
from typing import Any

import numpy as np

from .correlations import CorrelationStructure, Counts
from .structure import Learnt, Part
from .variances import Reads, VarianceFunction

type Array = np.ndarray[Any, np.dtype[np.float64]]

LEVELS = ("a", "b", "c", "d", "e")


def example[R](
    kind: Callable[..., R], n: int, generator: np.random.Generator, sigma: float | None = None
) -> R:
    """Rows of any correlation and any variance function, drawn by the generator."""
    correlation = generator.choice(list(CorrelationStructure.kinds()))
    variance = generator.choice(list(VarianceFunction.kinds()))
    return of(kind, str(correlation), str(variance), n, generator, sigma)


def of[R](
    kind: Callable[..., R],
    correlation: str,
    variance: str,
    n: int,
    generator: np.random.Generator,
    sigma: float | None = None,
) -> R:
    """Rows of this correlation and this variance function, in two strata each."""
    groups = generator.integers(0, 3, n)
    chosen = CorrelationStructure.kind(correlation)
    own = chosen("at | group", by="stratum", **chosen.example_options)
    data = {"group": groups.astype(float), "stratum": (groups % 2).astype(float)} | _coordinates(
        own, groups, generator
    )
    function = VarianceFunction.kind(variance)
    spread = function("value", by="stratum", **function.example_options)
    strata = 1 if spread.reads is Reads.LEVELS else 2
    data |= {
        "values 0": _values(spread, n, generator),
        "stratum 0": generator.integers(0, strata, n).astype(float),
    }
    most = int(np.bincount(groups).max(initial=1))
    levels = LEVELS + tuple(f"f{i}" for i in range(max(most - len(LEVELS), 0)))
    learnt = Learnt("at", levels, 1.5, most, ("one", "two"))
    parts = (Part(spread, Learnt("value", LEVELS, 0.7, most, ("", "other")[:strata])),)
    return kind(n, sigma, data, None, Part(own, learnt), parts)


def _coordinates(own: CorrelationStructure, groups: Any, generator: np.random.Generator) -> dict[str, Array]:
    """Different ones for the rows of a group."""
    if own.counts is Counts.NOTHING:
        return {}
    places = np.empty(len(groups))
    for group in np.unique(groups):
        places[groups == group] = generator.permutation(np.count_nonzero(groups == group))
    if own.counts is Counts.DISTANCE:
        places = places + generator.uniform(0.1, 0.6, len(groups))
    return {"coordinate 0": places}


def _values(spread: VarianceFunction, n: int, generator: np.random.Generator) -> Array:
    """All that the function reads: of either sign, and 0, unless it says that it doesn't."""
    if spread.reads is Reads.LEVELS:
        return generator.integers(0, len(LEVELS), n).astype(float)
    if spread.reads is Reads.NUMBERS:
        return generator.integers(-4, 5, n) / 2.0
    sizes = generator.uniform(0.5, 3.0, n)
    return sizes if spread.reads is Reads.POSITIVE else sizes * generator.choice([-1.0, 1.0], n)
