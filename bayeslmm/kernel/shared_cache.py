"""Compiled code on disk, shared by processes: what one of them compiles the others wait for, and load.

The first process that finds something missing starts another one, `ahead`, which compiles what a first fit,
bootstrap and posterior will need: where there are two cores the first minute takes little more than half.
"""

import atexit
import gc
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache, cached_property
from pathlib import Path
from typing import Any, cast

from filelock import FileLock, Timeout
from numba.core.caching import FunctionCache
from numba.core.compiler_lock import global_compiler_lock

ALONE = "BAYESLMM_COMPILE_ALONE"  # set: no second process
PATIENCE = 120.0  # seconds after which another process is taken to be stuck


class SharedCache(FunctionCache):
    """One function's compiled code on disk."""

    @cached_property
    def lock(self) -> FileLock:
        """Held by the process that compiles the function."""
        return FileLock(Path(self.cache_path) / f"{self._impl.filename_base}.lock")

    @contextmanager
    def turn(self, patience: float = PATIENCE) -> Iterator[None]:
        """While no other process compiles the function; Python looks for no garbage, of which there is none.

        numba's own lock comes first: who waits for a process holds up threads, and never the other way round.
        """
        collecting = gc.isenabled()
        with global_compiler_lock:
            with suppress(OSError, Timeout):
                self.lock.acquire(timeout=patience)
            gc.disable()
            try:
                yield
            finally:
                self.lock.release()
                if collecting:
                    gc.enable()

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The code for a signature, or None; then the other process is asked for what comes next."""
        found = cast(Any, super()).load_overload(sig, target_context)
        if found is None:
            start_compiling_ahead()
        return found

    def holds(self, sig: Any, target_context: Any) -> bool:
        """Whether there is code for a signature; if not, the other process is asked for what comes next."""
        cache = cast(Any, self)
        found = cache._index_key(sig, target_context.codegen()) in cache._cache_file._load_index()
        if not found:
            start_compiling_ahead()
        return found


@cache
def start_compiling_ahead() -> None:
    """Start the process that compiles ahead; it ends when this one does."""
    python = Path(sys.executable or "").name.startswith("python")
    if ALONE in os.environ or not python or (os.cpu_count() or 1) < 2:
        return
    root = str(Path(__file__).parents[2])
    paths = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    with suppress(OSError):
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "bayeslmm.kernel.ahead"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=os.environ | {ALONE: "1", "PYTHONPATH": paths},
        )
        atexit.register(_end, process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.communicate()
