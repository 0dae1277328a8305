"""An identity shown: both of its sides as numbers."""

from dataclasses import dataclass

import numpy as np

from bayeslmm.textbook.inputs import Array


@dataclass(frozen=True, eq=False)
class Identity:
    """Two computations of one quantity.

    Attributes
    ----------
    says : str
        The identity in words.
    left, right : arrays of one shape
        Its two sides.
    """

    says: str
    left: Array
    right: Array

    @property
    def gap(self) -> float:
        """Largest distance of left and right, relative to the largest value where that is above 1."""
        scale = max(1.0, float(np.max(np.abs(self.left))), float(np.max(np.abs(self.right))))
        return float(np.max(np.abs(self.left - self.right))) / scale

    def __repr__(self) -> str:
        return f"{self.says}: {self.gap:.1e} apart"


def identity(says: str, left: object, right: object) -> Identity:
    """The record of two sides given as numbers or arrays."""
    return Identity(says, np.asarray(left, dtype=float), np.asarray(right, dtype=float))
