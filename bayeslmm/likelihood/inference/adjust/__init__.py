"""Adjustments for asking several questions at once: one a file, found by existing."""

from bayeslmm.registry import import_folder

import_folder(__name__, __path__)
