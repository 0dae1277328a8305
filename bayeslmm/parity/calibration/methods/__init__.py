"""Methods whose intervals are calibrated, one a file."""

from bayeslmm.registry import import_folder

from .base import Case, Method, Study

__all__ = ["Case", "Method", "Study"]

import_folder(__name__, __path__)
