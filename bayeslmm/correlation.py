"""Correlations of the residual: what ``LinearMixedModel(..., correlation=...)`` takes.

Rows of one residual group are correlated: ``AR1("Time | Mare")`` by steps of Time within each Mare,
``Exponential("x + y | field", nugget=True)`` by distance. As in nlme a correlation holds no variances; those
are of :mod:`bayeslmm.variance`. ``by="ARMCD"`` gives each stratum parameters of its own, ``start=`` natural
values to begin with, ``fixed=True`` keeps them.
"""

from typing import Any

from bayeslmm.arguments import unknown_name
from bayeslmm.spec.residual.correlations.ante_dependence import AnteDependence
from bayeslmm.spec.residual.correlations.ar1 import AR1
from bayeslmm.spec.residual.correlations.arma import ARMA
from bayeslmm.spec.residual.correlations.base import CorrelationStructure, Spatial
from bayeslmm.spec.residual.correlations.car1 import CAR1
from bayeslmm.spec.residual.correlations.compound_symmetry import CompoundSymmetry
from bayeslmm.spec.residual.correlations.exponential import Exponential
from bayeslmm.spec.residual.correlations.gaussian import Gaussian
from bayeslmm.spec.residual.correlations.linear import Linear
from bayeslmm.spec.residual.correlations.rational_quadratic import RationalQuadratic
from bayeslmm.spec.residual.correlations.spherical import Spherical
from bayeslmm.spec.residual.correlations.toeplitz import Toeplitz
from bayeslmm.spec.residual.correlations.unstructured import Unstructured

__all__ = [
    "AR1",
    "ARMA",
    "CAR1",
    "AnteDependence",
    "CompoundSymmetry",
    "CorrelationStructure",
    "Exponential",
    "Gaussian",
    "Linear",
    "RationalQuadratic",
    "Spatial",
    "Spherical",
    "Toeplitz",
    "Unstructured",
]


def __getattr__(name: str) -> Any:
    """Explain a name that isn't there: nlme's and SAS's are known."""
    raise unknown_name("bayeslmm.correlation", name, __all__)
