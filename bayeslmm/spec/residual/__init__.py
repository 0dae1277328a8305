"""The residual e ~ N(0, σ²R(φ)): structures of R, one a file, all of which register themselves.

A file put here is found by being here.
"""

from importlib import import_module
from pkgutil import iter_modules

from .base import Residual
from .prior_weights import PriorWeights

__all__ = ["PriorWeights", "Residual"]

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")
