"""Linear mixed models written down once and compiled twice: to an ML/REML optimizer and to a PyMC graph.

The public face is lazy: a name is imported from its room when it is first used, so ``import bayeslmm`` loads
no engine.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bayeslmm import correlation, textbook, variance
    from bayeslmm.datasets import list_datasets, load_dataset
    from bayeslmm.errors import BayesLMMError, BayesLMMWarning, InputError
    from bayeslmm.estimands.side_by_side import side_by_side
    from bayeslmm.likelihood.inference.comparison import anova
    from bayeslmm.likelihood.inference.ratio_test import bootstrap_lrt
    from bayeslmm.likelihood.inference.rlrt import exact_rlrt
    from bayeslmm.likelihood.studies.curve import power_curve
    from bayeslmm.likelihood.studies.power import power
    from bayeslmm.model import LinearMixedModel, from_bambi
    from bayeslmm.parity.anybody.certify import certify
    from bayeslmm.parity.calibration.run import calibrate
    from bayeslmm.parity.compare import compare
    from bayeslmm.parity.selection import select
    from bayeslmm.repeat import rerun
    from bayeslmm.spec.priors import (
        LKJ,
        Beta,
        Exponential,
        Flat,
        Gamma,
        HalfCauchy,
        HalfNormal,
        HalfStudentT,
        InverseGamma,
        Kumaraswamy,
        Laplace,
        LogNormal,
        Normal,
        PenalizedComplexity,
        StudentT,
        TruncatedNormal,
        Uniform,
    )

__version__ = "0.1.0"

__all__ = [
    "LKJ",
    "BayesLMMError",
    "BayesLMMWarning",
    "Beta",
    "Exponential",
    "Flat",
    "Gamma",
    "HalfCauchy",
    "HalfNormal",
    "HalfStudentT",
    "InputError",
    "InverseGamma",
    "Kumaraswamy",
    "Laplace",
    "LinearMixedModel",
    "LogNormal",
    "Normal",
    "PenalizedComplexity",
    "StudentT",
    "TruncatedNormal",
    "Uniform",
    "__version__",
    "anova",
    "bootstrap_lrt",
    "calibrate",
    "certify",
    "compare",
    "correlation",
    "exact_rlrt",
    "from_bambi",
    "list_datasets",
    "load_dataset",
    "power",
    "power_curve",
    "rerun",
    "select",
    "side_by_side",
    "textbook",
    "variance",
]

_HOMES = {
    "BayesLMMError": "bayeslmm.errors",
    "BayesLMMWarning": "bayeslmm.errors",
    "Beta": "bayeslmm.spec.priors",
    "Exponential": "bayeslmm.spec.priors",
    "Flat": "bayeslmm.spec.priors",
    "Gamma": "bayeslmm.spec.priors",
    "HalfCauchy": "bayeslmm.spec.priors",
    "HalfNormal": "bayeslmm.spec.priors",
    "HalfStudentT": "bayeslmm.spec.priors",
    "InputError": "bayeslmm.errors",
    "InverseGamma": "bayeslmm.spec.priors",
    "Kumaraswamy": "bayeslmm.spec.priors",
    "LKJ": "bayeslmm.spec.priors",
    "Laplace": "bayeslmm.spec.priors",
    "LinearMixedModel": "bayeslmm.model",
    "LogNormal": "bayeslmm.spec.priors",
    "Normal": "bayeslmm.spec.priors",
    "PenalizedComplexity": "bayeslmm.spec.priors",
    "StudentT": "bayeslmm.spec.priors",
    "TruncatedNormal": "bayeslmm.spec.priors",
    "Uniform": "bayeslmm.spec.priors",
    "anova": "bayeslmm.likelihood.inference.comparison",
    "bootstrap_lrt": "bayeslmm.likelihood.inference.ratio_test",
    "calibrate": "bayeslmm.parity.calibration.run",
    "certify": "bayeslmm.parity.anybody.certify",
    "compare": "bayeslmm.parity.compare",
    "from_bambi": "bayeslmm.model",
    "exact_rlrt": "bayeslmm.likelihood.inference.rlrt",
    "list_datasets": "bayeslmm.datasets",
    "load_dataset": "bayeslmm.datasets",
    "power": "bayeslmm.likelihood.studies.power",
    "power_curve": "bayeslmm.likelihood.studies.curve",
    "rerun": "bayeslmm.repeat",
    "select": "bayeslmm.parity.selection",
    "side_by_side": "bayeslmm.estimands.side_by_side",
}
_ROOMS = ("correlation", "textbook", "variance")


def __getattr__(name: str) -> Any:
    """Import a public name from its room, or a public room itself, on first use."""
    if name in _ROOMS:
        return import_module(f"bayeslmm.{name}")
    if name not in _HOMES:
        from bayeslmm.arguments import unknown_name

        raise unknown_name("bayeslmm", name, __all__)
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return __all__
