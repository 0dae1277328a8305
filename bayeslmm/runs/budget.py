"""What the parts of a run will take, told from one timed piece of each, and how many fit into a budget."""

from collections.abc import Callable
from dataclasses import dataclass
from time import thread_time


@dataclass(frozen=True, slots=True)
class Cost:
    """What one part of a run will take.

    Attributes
    ----------
    part : its name. piece : what it is made of, in the singular. each : seconds of one. n : how many.
    """

    part: str
    piece: str
    each: float
    n: int

    @property
    def seconds(self) -> float:
        """Of all pieces."""
        return self.each * self.n

    def __str__(self) -> str:
        return (
            f"{self.part}: about {readable(self.seconds)} ({self.n} {self.piece}s of {readable(self.each)})"
        )


def timed(piece: Callable[[], object]) -> float:
    """Seconds of a processor for one piece, the shorter of two: the first may compile."""
    return min(_seconds(piece), _seconds(piece))


def fitting(each: float, seconds: float, most: int) -> int:
    """How many pieces fit into some seconds, at most `most`."""
    return max(0, min(most, int(seconds / max(each, 1e-9))))


def readable(seconds: float) -> str:
    """Seconds in the unit that a reader would choose.

    >>> readable(0.00021), readable(4.2), readable(830), readable(9000)
    ('0.21 ms', '4.2 s', '14 min', '2.5 h')
    """
    for limit, unit, name in ((1.0, 1e-3, "ms"), (120.0, 1.0, "s"), (7200.0, 60.0, "min")):
        if seconds < limit:
            return f"{seconds / unit:.2g} {name}" if seconds < 100 * unit else f"{seconds / unit:.0f} {name}"
    return f"{seconds / 3600:.2g} h"


def _seconds(piece: Callable[[], object]) -> float:
    start = thread_time()
    piece()
    return thread_time() - start
