"""Sections of the report: a class each, found by existing, in the order of their places."""

from bayeslmm.registry import import_folder

import_folder(__name__, __path__)
