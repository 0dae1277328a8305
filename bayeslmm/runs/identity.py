"""Which function it was: a text for a manifest, the same in another process, another for another function."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dis import get_instructions
from functools import partial
from types import CellType, CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np
import pandas as pd

_PLAIN = (bool, int, float, complex, str, bytes, type(None), type(Ellipsis))


def identity_of(function: Callable[..., Any]) -> str | None:
    """64 hexadecimal digits of a function's code and of all it refers to; None where that can't be told.

    Code is what Python compiles: neither comments nor names of files count, but Python's minor version does.
    What is referred to counts by its value (numbers, text, arrays, tables), by its name (modules, what
    packages define) or as code itself (functions, partial ones).
    """
    digest = hashlib.sha256()
    try:
        for part in _parts(function, frozenset()):
            digest.update(len(part).to_bytes(8, "little") + part)
    except _UnknownError:
        return None
    return digest.hexdigest()


class _UnknownError(Exception):
    """Something that has no text of its own."""


def _parts(value: Any, seen: frozenset[int]) -> Iterator[bytes]:
    if isinstance(value, (*_PLAIN, np.generic)):
        yield f"{type(value).__name__} {value!r}".encode()
    elif isinstance(value, FunctionType | CodeType | partial):
        yield from _once(value, seen)
    elif isinstance(value, tuple | list | set | frozenset | Mapping):
        yield from _of_container(value, seen)
    elif isinstance(value, np.ndarray | pd.Series | pd.DataFrame | pd.Index):
        yield from _of_array(value, seen)
    else:
        yield _name(value).encode()


def _once(value: Any, seen: frozenset[int]) -> Iterator[bytes]:
    """A function may refer to itself."""
    if id(value) in seen:
        yield b"again"
        return
    seen = seen | {id(value)}
    if isinstance(value, partial):
        yield from _parts(("partial", value.func, value.args, value.keywords), seen)
    elif isinstance(value, CodeType):
        yield from _parts((value.co_code, value.co_names, value.co_varnames, value.co_consts), seen)
    else:
        yield from _of_function(value, seen)


def _of_function(function: FunctionType, seen: frozenset[int]) -> Iterator[bytes]:
    known = function.__globals__
    used = {name: known[name] for name in sorted(set(_global_names(function.__code__))) if name in known}
    cells = [_in_cell(cell) for cell in function.__closure__ or ()]
    given = function.__defaults__, function.__kwdefaults__, cells, used
    yield from _parts((function.__code__, *given), seen)


def _global_names(code: CodeType) -> Iterator[str]:
    """Names that a function and those inside it look up beyond themselves."""
    for step in get_instructions(code):
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            yield step.argval
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _global_names(inner)


def _in_cell(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return None


def _of_container(values: Any, seen: frozenset[int]) -> Iterator[bytes]:
    """Its parts in order; of what has none, in the order of their texts."""
    yield f"{type(values).__name__} {len(values)}".encode()
    if isinstance(values, Mapping):
        values = [tuple(each) for each in values.items()]
    each_in_full = [b"".join(_parts(value, seen)) for value in values]
    yield from sorted(each_in_full) if isinstance(values, set | frozenset) else each_in_full


def _of_array(values: Any, seen: frozenset[int]) -> Iterator[bytes]:
    if isinstance(values, pd.Series | pd.DataFrame):
        columns = [values.name] if isinstance(values, pd.Series) else list(values.columns)
        yield from _parts((columns, values.index.tolist()), seen)
    array = np.asarray(values)
    yield f"{array.dtype} {array.shape}".encode()
    yield from _parts(array.tolist(), seen) if array.dtype.hasobject else [array.tobytes()]


def _name(value: Any) -> str:
    """Of a module, and of what a package defines: a class, a builtin, a compiled function."""
    if isinstance(value, ModuleType):
        return value.__name__
    name, module = getattr(value, "__qualname__", None), getattr(value, "__module__", None)
    owner = getattr(value, "__self__", None)  # a builtin's module, or a method's object
    told = name and module and module != "__main__" and "<locals>" not in name
    if not told or not (owner is None or isinstance(owner, ModuleType)):
        raise _UnknownError
    return f"{module}.{name}"
