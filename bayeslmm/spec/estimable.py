"""What the data can tell of coefficients when columns of X were left out for depending on others."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from bayeslmm.errors import DataError

from .design import Design
from .recipe import Recipe

type Array = NDArray[np.float64]

ESTIMABLE = 1e-7  # of a row's largest coefficient


@dataclass(frozen=True, slots=True, eq=False)
class Dropped:
    """The columns left out of X, d of them, in terms of those kept: X_dropped = XB.

    Attributes
    ----------
    names : (p + d,) of coefficients, those of the dropped columns last. B : (p, d).
    """

    names: tuple[str, ...]
    B: Array

    @classmethod
    def of(cls, design: Design, recipe: Recipe | None) -> Self:
        """Of a design made from a formula, or one that nothing was left out of.

        Raises
        ------
        DataError
            When the design is bare, or its rows are elsewhere, and columns were dropped.
        """
        if not design.dropped:
            return cls(design.coefs, np.zeros((design.p, 0)))
        if recipe is None or not recipe.fitted:
            raise DataError("columns were dropped, and without a formula and rows in memory nobody knows why")
        left_out = recipe.fixed_part(recipe.fitted, design.n).dropped
        return cls((*design.coefs, *design.dropped), np.linalg.lstsq(design.X, left_out, rcond=None)[0])

    def why_not(self, L: Array) -> tuple[str, ...]:
        """Why each row l of L (m, p + d) isn't estimable, nothing where it is: l_dropped = l_kept B."""
        return tuple(self._reasons(np.asarray(L)))

    def _reasons(self, L: Array) -> Iterator[str]:
        p = len(self.B)
        gaps = np.abs(L[:, p:] - L[:, :p] @ self.B)
        for row, gap in zip(L, gaps, strict=True):
            far = gap.max(initial=0.0) > ESTIMABLE * np.abs(row).max(initial=0.0)
            yield self._reason(int(np.argmax(gap))) if far else ""

    def _reason(self, column: int) -> str:
        made_of = [
            name for name, share in zip(self.names, self.B[:, column], strict=False) if abs(share) > ESTIMABLE
        ]
        why = f"it is a combination of {', '.join(made_of)}" if made_of else "it is 0 in all rows"
        return (
            f"{self.names[len(self.B) + column]!r} was dropped because {why}; the data can't tell them apart"
        )
