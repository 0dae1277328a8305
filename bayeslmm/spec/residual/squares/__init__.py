"""R⁻¹ as a sum of few squares of combinations of rows, where groups of rows are alike: n is seen once."""

from bayeslmm.spec.residual.roots import Chain, Exchangeable, Joined, Root
from bayeslmm.spec.residual.roots.base import Codes, Places

from .alike import Alike
from .base import Squares
from .by_pattern import ByPattern
from .neighbours import Neighbours

__all__ = ["Squares", "squares_of"]

WIDEST = 64  # rows of a group up to which all its pairs are looked at


def squares_of(root: Root | None, kinds: Codes, place: Places) -> Squares | None:
    """S⁻¹C⁻¹S⁻¹ of rows (n,) of some kinds, S the same within a kind; None where there would be too many."""
    match root:
        case None:
            return Neighbours.of_unjoined(kinds)
        case Chain():
            return Neighbours.of(root, kinds)
        case Exchangeable() if not kinds.any():
            return Alike.of(root)
    joined: Joined = root.joined
    return ByPattern.of(joined, kinds, place) if joined.sizes.max() <= WIDEST else None
