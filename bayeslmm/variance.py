"""Variance functions of the residual: what ``LinearMixedModel(..., variance=...)`` takes.

``Ident("Sex")`` has a standard deviation for each level, ``Power("age")`` one that is σ|age|^δ, and
``Ident("Sex") * Exp("age")`` their product. ``by=``, ``start=`` and ``fixed=`` as for correlations.
"""

from typing import Any

from bayeslmm.arguments import unknown_name
from bayeslmm.spec.residual.variances.base import Product, VarianceFunction
from bayeslmm.spec.residual.variances.constant_power import ConstantPower
from bayeslmm.spec.residual.variances.exp import Exp
from bayeslmm.spec.residual.variances.fixed import Fixed
from bayeslmm.spec.residual.variances.ident import Ident
from bayeslmm.spec.residual.variances.power import Power

__all__ = ["ConstantPower", "Exp", "Fixed", "Ident", "Power", "Product", "VarianceFunction"]


def __getattr__(name: str) -> Any:
    """Explain a name that isn't there: nlme's and SAS's are known."""
    raise unknown_name("bayeslmm.variance", name, __all__)
