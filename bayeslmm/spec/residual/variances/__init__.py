"""Variance functions: how the residual's standard deviation depends on the rows, one a file."""

from bayeslmm.registry import import_folder

from .base import FITTED, Product, Reads, VarianceFunction

__all__ = ["FITTED", "Product", "Reads", "VarianceFunction"]

import_folder(__name__, __path__)
