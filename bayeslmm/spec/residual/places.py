"""Correlations at places of strata, and their derivatives."""

from typing import Any

import numpy as np

from .correlations import CorrelationStructure
from .roots.base import Array, Codes, Unique
from .structure import Part


def correlations(part: Part[CorrelationStructure], phi: Any, places: Array, strata: Codes) -> Any:
    """(u,) at places (u,) of strata (u,), of φ (n,)."""
    out = np.zeros(len(places), dtype=phi.dtype)
    for number, own in enumerate(part.by_stratum(phi)):
        here = strata == number
        if here.any():
            out[here] = part.structure.at(own, places[here], part.learnt)
    return out


def correlation_slopes(part: Part[CorrelationStructure], phi: Array, unique: Unique) -> Array:
    """(n, u) derivatives of the correlations at places by φ (n,)."""
    out = np.zeros((part.n_strata, part.width, len(unique.places)))
    if part.n:
        for number, own in enumerate(part.by_stratum(phi)):
            here = unique.strata == number
            out[number][:, here] = part.structure.slopes(own, unique.places[here], part.learnt)
    return out.reshape(-1, len(unique.places))[: part.n]
