"""Bootstrap intervals: a method a file, found by existing."""

from bayeslmm.registry import import_folder

from .base import IntervalMethod, Sample

__all__ = ["IntervalMethod", "Sample"]

import_folder(__name__, __path__)
