"""The residual e ~ N(0, σ²R(φ)): structures of R, one a file, all of which register themselves.

A file put here is found by being here.
"""

from bayeslmm.registry import import_folder

from .base import Residual
from .prior_weights import PriorWeights

__all__ = ["PriorWeights", "Residual"]

import_folder(__name__, __path__)
