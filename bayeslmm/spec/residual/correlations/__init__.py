"""Correlations of the residual within groups of rows, one a file, all of which register themselves."""

from bayeslmm.registry import import_folder

from .base import CorrelationStructure, Counts

__all__ = ["CorrelationStructure", "Counts"]

import_folder(__name__, __path__)
