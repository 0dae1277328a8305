"""What models are compared by, a score a file."""

from bayeslmm.registry import import_folder

from .base import Folds, Score, Scored

__all__ = ["Folds", "Score", "Scored"]

import_folder(__name__, __path__)
