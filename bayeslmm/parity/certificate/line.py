"""One line of a certificate: two computations of one thing, and how far they are apart."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

type Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Line:
    """Two independent computations beside each other.

    Attributes
    ----------
    name : what is compared, in a word or two.
    worst : the largest difference, in the line's own units; NaN where nothing could be compared.
    tolerance : below which it passes.
    sentence : the finding in plain words.
    frame : a row for everything compared, with a column ``deviation``.
    skipped : why nothing was compared; empty where something was.
    """

    name: str
    worst: float
    tolerance: float
    sentence: str
    frame: pd.DataFrame
    skipped: str = ""

    @classmethod
    def of(cls, name: str, rows: Sequence[dict[str, Any]], tolerance: float, good: str, bad: str) -> Self:
        """The line of some rows: what it says where it passes, and what where it doesn't."""
        frame = pd.DataFrame(rows, columns=None if rows else ["deviation"])
        worst = float(frame["deviation"].max(skipna=False)) if rows else 0.0
        said = (
            f"{good if worst < tolerance else bad}: largest difference {worst:.1e}, allowed {tolerance:.0e}."
        )
        return cls(name, worst, tolerance, said, frame)

    @classmethod
    def without(cls, name: str, reason: str, tolerance: float) -> Self:
        """A line that can't be computed here."""
        return cls(name, np.nan, tolerance, f"Not computed: {reason}.", pd.DataFrame(), reason)

    @property
    def points(self) -> int:
        """Number of things compared."""
        return len(self.frame)

    @property
    def ok(self) -> bool | None:
        """Whether the largest difference is below the tolerance; None where nothing was compared."""
        return None if self.skipped else bool(self.worst < self.tolerance)

    @property
    def word(self) -> str:
        """``passed``, ``FAILED`` or ``not computed``."""
        return {True: "passed", False: "FAILED", None: "not computed"}[self.ok]


def deviation(one: Array | float, other: Array | float, at_least: float = 1.0) -> float:
    """Largest difference over max(at_least, the other's size); equal infinities differ by nothing."""
    a, b = np.atleast_1d(one).astype(float), np.atleast_1d(other).astype(float)
    with np.errstate(invalid="ignore"):
        apart = np.where(
            a == b, 0.0, np.abs(a - b) / np.maximum(at_least, np.where(np.isinf(b), 1.0, np.abs(b)))
        )
    return float(np.max(apart, initial=0.0))
