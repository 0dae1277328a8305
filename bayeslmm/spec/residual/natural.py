"""The parameters of a part of R as people know them."""

from typing import Any

import numpy as np

from .base import Array, Parameters
from .structure import Part, slopes


def natural_parameters(part: Part[Any], phi: Array, sigma: float) -> Parameters:
    """A part's parameters; where they are multiples of σ all are absolute, the first level has σ itself."""
    values = part.natural(phi)
    by_phi = slopes(part.natural, phi, len(values)).T
    if not is_absolute(part):
        return Parameters(part.labels, values, part.bounds, np.column_stack([by_phi, np.zeros(len(values))]))
    first = f"sd[{part.learnt.name}: {part.learnt.levels[0]}]"
    ratios = np.append(1.0, values)
    by_both = np.column_stack([np.vstack([np.zeros(len(phi)), by_phi]), ratios])
    bounds = np.tile([0.0, np.inf], (len(ratios), 1))
    return Parameters((first, *part.labels), sigma * ratios, bounds, sigma * by_both)


def is_absolute(part: Part[Any]) -> bool:
    """Are its values multiples of σ, with σ itself as that of the first level?"""
    return bool(part.structure.absolute and part.n)
