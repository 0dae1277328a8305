"""The residual e ~ N(0, σ²R(φ)): structures of R, one a file, all of which register themselves.

A file put here is found by being here; so is one in `correlations/` or `variances/`.
"""

from bayeslmm.registry import import_folder

from .base import Parameters, Residual
from .correlations import CorrelationStructure
from .form import Form
from .prior_weights import PriorWeights
from .structure import Learnt, Part
from .structured import Structured
from .variances import VarianceFunction

__all__ = [
    "CorrelationStructure",
    "Form",
    "Learnt",
    "Parameters",
    "Part",
    "PriorWeights",
    "Residual",
    "Structured",
    "VarianceFunction",
]

import_folder(__name__, __path__)
