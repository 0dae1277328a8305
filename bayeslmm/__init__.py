"""Linear mixed models written down once and compiled twice: to an ML/REML optimizer and to a PyMC graph.

The public face is lazy: a name is imported from its room when it is first used, so ``import bayeslmm`` loads
no engine.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bayeslmm.datasets import list_datasets, load_dataset
    from bayeslmm.errors import BayesLMMError, BayesLMMWarning, InputError
    from bayeslmm.model import LinearMixedModel
    from bayeslmm.parity.compare import compare

__version__ = "0.1.0"

__all__ = [
    "BayesLMMError",
    "BayesLMMWarning",
    "InputError",
    "LinearMixedModel",
    "__version__",
    "compare",
    "list_datasets",
    "load_dataset",
]

_HOMES = {
    "BayesLMMError": "bayeslmm.errors",
    "BayesLMMWarning": "bayeslmm.errors",
    "InputError": "bayeslmm.errors",
    "LinearMixedModel": "bayeslmm.model",
    "compare": "bayeslmm.parity.compare",
    "list_datasets": "bayeslmm.datasets",
    "load_dataset": "bayeslmm.datasets",
}


def __getattr__(name: str) -> Any:
    """Import a public name from its room on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'bayeslmm' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return __all__
