"""Covariance structures of a term: how its parameters fill the relative factor Λ, with T = ΛΛᵀ.

A structure is found by its keyword (`us(x | g)`), so a new one is available by existing in a file here.
"""

from bayeslmm.registry import import_folder

from .algebra import correlation_factor, lower_factor
from .base import CovarianceStructure, Departure, Path
from .correlation import Correlation, Entries, Scalar
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
    "Correlation",
    "CovarianceStructure",
    "Departure",
    "Diagonal",
    "Entries",
    "HeterogeneousAutoregression",
    "HomogeneousCompoundSymmetry",
    "OneCorrelation",
    "Path",
    "Scalar",
    "ScaledIdentity",
    "Unstructured",
    "correlation_factor",
    "lower_factor",
    "structures_by_keyword",
]


import_folder(__name__, __path__)


def structures_by_keyword() -> dict[str, type[CovarianceStructure]]:
    """Every covariance structure, by the word that asks for it in a formula."""
    return CovarianceStructure.kinds()
