"""Correlations at places of strata, and their derivatives."""

from typing import Any

import numpy as np

from .correlations import CorrelationStructure
from .roots.base import Array, Codes, Unique
from .structure import Part


def correlations(part: Part[CorrelationStructure], phi: Any, places: Array, strata: Codes) -> Any:
    """(u,) at places (u,) of strata (u,), of φ (n,)."""
    by_stratum = part.by_stratum(phi)
    if len(by_stratum) == 1:
        return part.structure.at(by_stratum[0], places, part.learnt)
    out = np.zeros(len(places), dtype=phi.dtype)
    for number, own in enumerate(by_stratum):
        here = strata == number
        out[here] = part.structure.at(own, places[here], part.learnt)
    return out


def correlation_slopes(part: Part[CorrelationStructure], phi: Array, unique: Unique) -> Array:
    """(n, u) derivatives of the correlations at places by φ (n,)."""
    places, by_stratum = unique.places, part.by_stratum(phi)
    if part.n_strata == 1:
        return part.structure.slopes(by_stratum[0], places, part.learnt)[: part.n]
    out = np.zeros((part.n_strata, part.width, len(places)))
    for number, own in enumerate(by_stratum):
        here = unique.strata == number
        out[number][:, here] = part.structure.slopes(own, places[here], part.learnt)
    return out.reshape(part.n_strata * part.width, len(places))[: part.n]
