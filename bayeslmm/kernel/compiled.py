"""The one place where compilation is configured: cached on disk, free of the GIL, IEEE division."""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, cast

import numba
from numba.core import caching

from bayeslmm.kernel.addresses import CalledByAddress, Copied

ROOM = Path(__file__).parent
OPTIONS: dict[str, Any] = {"nopython": True, "nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}


def compiled[F: Callable[..., Any]](function: F) -> F:
    """Compile a function of arrays and scalars by numba, once for each type of its arguments.

    Compiled code is cached on disk, releases the GIL and divides as IEEE 754 says, so that a wild step
    gives an infinite or undefined number and never an exception. Where the package's folder can't be
    written the cache is in the user's; where that can't be written either, the code lives in memory.

    Compiled callers call it by its address (see `addresses`); Python interprets its first calls while they
    are small (see `interpreted`). For functions of a module only.
    """
    return cast(F, _cached(CalledByAddress(function, targetoptions=OPTIONS)))


def compiled_always[F: Callable[..., Any]](function: F) -> F:
    """As `compiled`, but never interpreted: for what Python would compute in other bits, or not at all."""
    return cast(F, _cached(CalledByAddress(function, share=0, targetoptions=OPTIONS)))


def copied[F: Callable[..., Any]](function: F) -> F:
    """As `compiled`, but its machine code is made again inside each compiled caller, which may unfold it.

    For short functions that are called in inner loops, and for functions inside functions.
    """
    return cast(F, _cached(Copied(function, targetoptions=OPTIONS)))


def inlined[F: Callable[..., Any]](function: F) -> F:
    """Put a function into the compiled functions that call it, before types are inferred.

    Python can call it too.
    """
    return cast(F, _cached(Copied(function, targetoptions=OPTIONS | {"inline": "always"})))


def compilable[F: Callable[..., Any]](function: F) -> F:
    """Leave a function as it is for Python, and `compiled` for compiled code.

    For short steps between expensive calls: plain Python costs microseconds there, compiling them on
    the first use of the package would cost seconds.
    """
    dispatcher = _cached(CalledByAddress(function, targetoptions=OPTIONS))
    dispatcher.typingctx.insert_global(function, dispatcher._type)
    return function


def _cached(dispatcher: Any) -> Any:
    with suppress(RuntimeError):  # numba: "no locator available"
        dispatcher.enable_caching()
    return dispatcher


def generated(function: Callable[..., Any]) -> Callable[..., Any]:
    """An operation of compiled code: from the types of its arguments its signature, and what writes it."""
    return cast(Callable[..., Any], numba.extending.intrinsic(prefer_literal=True)(function))


@cache
def source_stamp() -> str:
    """Digest of the kernel's sources: what compiled code, with all it calls, was made from."""
    sources = b"".join(path.read_bytes() for path in sorted(ROOM.rglob("*.py")))
    return hashlib.sha256(sources).hexdigest()


def _package_locator(base: Any) -> Any:
    """Give one of numba's ways to place a cache a stamp that sees the whole room.

    numba stamps a cached function with its own file only, but the machine code holds its callees as well:
    after an edit or an upgrade of another file it would go on with the old ones.
    """

    def get_source_stamp(self: Any) -> tuple[str, Any]:
        return source_stamp(), base.get_source_stamp(self)

    def from_function(cls: Any, py_func: Callable[..., Any], py_file: str) -> Any:
        ours = Path(py_file).is_relative_to(ROOM.parent)
        return base.from_function.__func__(cls, py_func, py_file) if ours else None

    members = {"get_source_stamp": get_source_stamp, "from_function": classmethod(from_function)}
    return type(f"Package{base.__name__}", (base,), members)


caching.CacheImpl._locator_classes[:0] = [
    _package_locator(caching.UserProvidedCacheLocator),
    _package_locator(caching.InTreeCacheLocator),
    _package_locator(caching.UserWideCacheLocator),
]
