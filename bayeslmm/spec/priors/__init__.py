"""Priors: a family a file, found by existing, and the table of a model's.

A family is asked for by its class's name; nothing outside its file knows it.
"""

from bayeslmm.registry import import_folder

from .base import Distribution, Prior, Quadratic
from .believed import Believed
from .beta import Beta
from .correlations import log_correlations
from .defaults import default_priors
from .exponential import Exponential
from .flat import Flat
from .gamma import Gamma
from .half_cauchy import HalfCauchy
from .half_normal import HalfNormal
from .half_student_t import HalfStudentT
from .inverse_gamma import InverseGamma
from .kumaraswamy import Kumaraswamy
from .laplace import Laplace
from .lkj import LKJ
from .log_normal import LogNormal
from .normal import Normal
from .penalized_complexity import PenalizedComplexity
from .presets import Preset, preset
from .student_t import StudentT
from .table import PriorBlock, Priors
from .tails import Tail
from .truncated_normal import TruncatedNormal
from .uniform import Uniform

__all__ = [
    "LKJ",
    "Believed",
    "Beta",
    "Distribution",
    "Exponential",
    "Flat",
    "Gamma",
    "HalfCauchy",
    "HalfNormal",
    "HalfStudentT",
    "InverseGamma",
    "Kumaraswamy",
    "Laplace",
    "LogNormal",
    "Normal",
    "PenalizedComplexity",
    "Preset",
    "Prior",
    "PriorBlock",
    "Priors",
    "Quadratic",
    "StudentT",
    "Tail",
    "TruncatedNormal",
    "Uniform",
    "default_priors",
    "log_correlations",
    "preset",
]

import_folder(__name__, __path__)
