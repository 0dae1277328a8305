"""One thread for linear algebra, as long as anybody needs it.

Sums must not depend on how many threads share them. How many there are is the process's, not the caller's:
where one of several callers put back what it had found, the others would go on with more, and the last would
leave all with one. So what was found is put back when the last caller leaves.
"""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import Lock, local
from typing import Any


class _Here(local):
    """How many callers of this thread are inside."""

    inside = 0


class _Limits:
    """How many callers are inside, and what is put back after the last.

    Libraries are looked for again only where modules were imported since, for looking takes a millisecond;
    and asked only by the first caller of a thread, which takes a fiftieth of that.
    """

    def __init__(self) -> None:
        """Nobody is inside."""
        self.lock = Lock()
        self.here = _Here()
        self.inside = 0
        self.found = ExitStack()
        self.modules = 0
        self.libraries: Any = None

    def enter(self) -> None:
        """Limit every library that is loaded by now; what is limited already has nothing to put back."""
        with self.lock:
            self.inside += 1
            if not self.here.inside or len(sys.modules) != self.modules:
                self._limit()
        self.here.inside += 1

    def heed(self) -> None:
        """Limit what was loaded since, where anybody is inside."""
        with self.lock:
            if self.inside:
                self._limit()

    def _limit(self) -> None:
        if len(sys.modules) != self.modules:
            self._look()
        if any(each["num_threads"] > 1 for each in self.libraries.info()):
            with _by_this_thread():
                self.found.callback(self.libraries.limit(limits=1).restore_original_limits)

    def leave(self) -> None:
        self.here.inside -= 1
        with self.lock:
            self.inside -= 1
            if not self.inside:
                with _by_this_thread():
                    self.found.close()

    def _look(self) -> None:
        from threadpoolctl import ThreadpoolController

        self.libraries = ThreadpoolController()
        self.modules = len(sys.modules)


@contextmanager
def _by_this_thread() -> Iterator[None]:
    """Changes of limits within it count; threadpoolctl heeds one thread, the first, until it lets go."""
    from threadpoolctl import OpenBLASController

    OpenBLASController.clear_controlling_thread(force=True)
    try:
        yield
    finally:
        OpenBLASController.clear_controlling_thread(force=True)


_limits = _Limits()


@contextmanager
def one_thread() -> Iterator[None]:
    """Within it, and within any other at the same time, BLAS has one thread."""
    _limits.enter()
    try:
        yield
    finally:
        _limits.leave()


def heed_loaded() -> None:
    """A library has been loaded: within `one_thread` it has one thread, too."""
    _limits.heed()
