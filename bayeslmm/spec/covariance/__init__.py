"""Covariance structures of a term: how its parameters fill the relative factor Λ, with T = ΛΛᵀ.

A structure is found by its keyword (`us(x | g)`), so a new one is available by existing.
"""

from .algebra import correlation_factor, lower_factor
from .base import CovarianceStructure, Departure, Path
from .independent import Diagonal, ScaledIdentity
from .patterned import (
    Autoregression,
    CompoundSymmetry,
    HeterogeneousAutoregression,
    HomogeneousCompoundSymmetry,
    OneCorrelation,
)
from .unstructured import Unstructured

__all__ = [
    "Autoregression",
    "CompoundSymmetry",
    "CovarianceStructure",
    "Departure",
    "Diagonal",
    "HeterogeneousAutoregression",
    "HomogeneousCompoundSymmetry",
    "OneCorrelation",
    "Path",
    "ScaledIdentity",
    "Unstructured",
    "correlation_factor",
    "lower_factor",
    "structures_by_keyword",
]


def structures_by_keyword() -> dict[str, type[CovarianceStructure]]:
    """Every covariance structure, by the word that asks for it in a formula."""
    found: list[type[CovarianceStructure]] = CovarianceStructure.__subclasses__()
    for kind in found:  # grows while it is read: subclasses of subclasses
        found.extend(kind.__subclasses__())
    return {kind.keyword: kind for kind in found if "keyword" in vars(kind)}
