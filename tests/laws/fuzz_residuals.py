"""Random designs with residuals that have parameters, of columns that may not suit them."""

from dataclasses import replace
from functools import partial

import numpy as np

from bayeslmm.spec.residual.correlations import CorrelationStructure, Counts
from bayeslmm.spec.residual.variances import VarianceFunction
from bayeslmm.spec.residual.variances.base import Reads
from tests.laws.fuzz_designs import RandomDesign, dressed

PLACES = {
    Counts.NOTHING: ("1",),
    Counts.STEPS: ("1", "visit"),
    Counts.LEVELS: ("visit",),
    Counts.DISTANCE: ("visit", "z", "x + z"),
}
SPREAD_OVER = {
    Reads.LEVELS: ("f", "g", "h", "visit"),
    Reads.NUMBERS: ("x", "z", "visit"),
    Reads.POSITIVE: ("w", "positive"),
    Reads.NONZERO: ("x", "z", "w"),
}
ANY_PLACE, ANY_GROUP, ANY_SPREAD = ("x", "f", "h", "1 + z"), ("h", "f", "g:f"), ("f", "x", "z", "w", "t")
SUITS = 0.85  # how often columns are of the kind that a structure asks for


def with_residual(made: RandomDesign, seed: int) -> RandomDesign:
    """The same in its clothes, with a correlation, a variance function or both; four in ten without bars."""
    rng = np.random.default_rng([seed, 2])
    visit, positive = made.data.groupby("g").cumcount(), np.exp(made.data["z"].clip(-300, 300))
    data = made.data.assign(visit=visit, positive=positive, half=made.data["g"] % 2)
    asked = rng.choice(["correlation", "variance", "both"])
    residual = {}
    if asked != "variance":
        residual["correlation"] = correlation(rng)
    if asked != "correlation":
        residual["variance"] = variance(rng)
    formula = made.formula.partition(" + (")[0] if rng.random() < 0.4 else made.formula
    return dressed(replace(made, formula=formula, data=data, residual=residual), seed)


def correlation(rng: np.random.Generator) -> partial[CorrelationStructure]:
    """Any of them, each sometimes by strata."""
    kind = CorrelationStructure.kind(str(rng.choice(list(CorrelationStructure.kinds()))))
    place = one_of(rng, PLACES[kind.counts], ANY_PLACE)
    by = {"by": one_of(rng, ("half",), ("f",))} if rng.random() < 0.2 else {}
    return partial(kind, f"{place} | {one_of(rng, ('g',), ANY_GROUP)}", **by, **kind.example_options)


def variance(rng: np.random.Generator) -> partial[VarianceFunction]:
    """Any of them, of a column or of fitted values."""
    kind = VarianceFunction.kind(str(rng.choice(list(VarianceFunction.kinds()))))
    by = {"by": "h"} if rng.random() < 0.2 else {}
    if rng.random() < 0.15:
        return partial(kind, of="fitted", **by)
    return partial(kind, one_of(rng, SPREAD_OVER[kind.reads], ANY_SPREAD), **by)


def one_of(rng: np.random.Generator, suited: tuple[str, ...], others: tuple[str, ...]) -> str:
    return str(rng.choice(suited if rng.random() < SUITS else others))
