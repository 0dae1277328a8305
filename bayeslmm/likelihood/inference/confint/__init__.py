"""Confidence intervals of all parameters: a method a file, found by existing, one shape for all."""

from bayeslmm.registry import import_folder

from .base import ConfidenceMethod, confint

__all__ = ["ConfidenceMethod", "confint"]

import_folder(__name__, __path__)
