"""The functions a formula may call, and its constants; nothing else can be called.

A function that `learns` keeps what it saw of the rows a model was fitted to, and does the same to new rows;
one that works `by_row` may be used where the data are read in chunks.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from bayeslmm.errors import OptionError, did_you_mean
from bayeslmm.habits import FUNCTIONS

from . import values
from .values import number, unpacked, whole

CONSTANTS: Mapping[str, Any] = {
    "pi": np.pi,
    "np.pi": np.pi,
    "np.e": np.e,
    "np.nan": np.nan,
    "np.inf": np.inf,
    **dict.fromkeys(("TRUE", "True", "T"), True),
    **dict.fromkeys(("FALSE", "False", "F"), False),
    **dict.fromkeys(("None", "NULL"), None),
}


@dataclass(frozen=True, slots=True)
class Function:
    """What a name followed by parentheses does.

    Attributes
    ----------
    call : the function
    learns : does it take `_state`, what it learnt before?
    by_row : does it look at one row at a time?
    raw : are factors given to it as they are, coded?
    """

    call: Callable[..., Any]
    learns: bool = False
    by_row: bool = False
    raw: bool = False

    def __call__(self, *given: Any, **named: Any) -> Any:
        if not self.raw:
            given = tuple(unpacked(value) for value in given)
        return values.plain(
            self.call(
                *(values.whole(value) if place else value for place, value in enumerate(given)),
                **{name: whole(value) for name, value in named.items()},
            )
        )


def _elementwise(function: Any, count: int = 1) -> Function:
    """A function of so many numbers, row by row."""

    def call(*given: Any) -> Any:
        if len(given) != count:
            raise TypeError(f"{len(given)} arguments where {count} are expected")
        return function(*(number(value) for value in given))

    return Function(call, by_row=True)


_OF_ONE = (
    "log2 log10 log1p exp exp2 expm1 sqrt cbrt square abs absolute fabs sign floor ceil trunc rint "
    "reciprocal sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh arccosh arctanh "
    "degrees radians isnan isfinite"
)
_OF_TWO = (
    "maximum minimum fmax fmin power float_power mod fmod remainder floor_divide hypot arctan2 add subtract "
    "multiply divide"
)
_LEARNT: Mapping[str, Callable[[Any], Any]] = {
    "mean": np.mean,
    "median": np.median,
    "min": np.min,
    "max": np.max,
    "sum": np.sum,
    "var": np.var,
}


def _log(x: Any, base: Any = None) -> Any:
    return np.log(number(x)) if base is None else np.log(number(x)) / np.log(number(base))


def _round(x: Any, decimals: int = 0) -> Any:
    return np.round(number(x), decimals)


def _where(condition: Any, yes: Any, no: Any) -> Any:
    texts = values.is_text(yes) or values.is_text(no)
    return np.where(values.truth(condition), yes, no).astype(object if texts else np.float64)


def _clip(x: Any, a_min: Any = None, a_max: Any = None) -> Any:
    return np.clip(number(x), a_min, a_max)


def _learnt(function: Callable[[Any], Any]) -> Function:
    """A number that the rows fitted to have in common, kept for new rows."""

    def call(x: Any, *, _state: dict[str, Any]) -> Any:
        return _state.setdefault("value", float(function(number(x))))

    return Function(call, learns=True)


def _sd(x: Any) -> Any:
    return np.std(x, ddof=1)


def _poly(x: Any, degree: int = 1, raw: bool = False, *, _state: dict[str, Any]) -> Any:
    from formulaic.transforms import poly

    x = number(x)
    most = _state.setdefault("most", len(np.unique(x)) - 1)
    if not 1 <= degree <= (1000 if raw else most):
        raise ValueError(f"degree= lies between 1 and {most}, one less than the values that differ")
    return poly(x, degree, raw=raw, _state=_state)


def _transform(name: str) -> Function:
    """One of formulaic's own, which learn."""

    def call(x: Any, *given: Any, **named: Any) -> Any:
        from formulaic.transforms import TRANSFORMS

        return TRANSFORMS[name](number(x), *given, **named)

    return Function(call, learns=True)


@cache
def known_functions() -> Mapping[str, Function]:
    """All of them, by name."""
    from . import categories, contrasts, splines

    one = {name: _elementwise(getattr(np, name)) for name in _OF_ONE.split()}
    two = {name: _elementwise(getattr(np, name), 2) for name in _OF_TWO.split()}
    rows = one | two
    rows |= {name: Function(call, by_row=True) for name, call in _BY_ROW.items()}
    numpys = {f"np.{name}": function for name, function in rows.items()}
    learnt = {name: _learnt(call) for name, call in _LEARNT.items()}
    learnt |= {"std": _learnt(np.std)}
    return {
        **numpys,
        **{name: function for name, function in rows.items() if name not in ("add", "subtract", "mod")},
        **learnt,
        **{f"np.{name}": function for name, function in learnt.items()},
        "sd": _learnt(_sd),
        "exp10": _elementwise(lambda x: 10.0**x),
        "ifelse": Function(_where, by_row=True),
        "pmax": _elementwise(np.maximum, 2),
        "pmin": _elementwise(np.minimum, 2),
        "ceiling": _elementwise(np.ceil),
        "I": Function(lambda x: x, by_row=True, raw=True),
        "int": _elementwise(np.trunc),
        **dict.fromkeys(("float", "as.numeric"), _elementwise(lambda x: x)),
        "poly": Function(_poly, learns=True),
        "bs": Function(splines.bs, learns=True),
        "ns": Function(splines.ns, learns=True),
        **{name: _transform(name) for name in ("cc", "cr", "cs", "center", "scale", "standardize")},
        "C": Function(categories.factor, learns=True, raw=True),
        "dummy": Function(categories.dummy, learns=True, raw=True),
        **{name: Function(call) for name, call in contrasts.FUNCTIONS.items()},
    }


_BY_ROW: Mapping[str, Callable[..., Any]] = {
    "log": _log,
    "round": _round,
    "where": _where,
    "clip": _clip,
    "logical_and": lambda a, b: values.truth(a) & values.truth(b),
    "logical_or": lambda a, b: values.truth(a) | values.truth(b),
    "logical_not": lambda a: ~values.truth(a),
}


def with_own(own: Mapping[str, Callable[..., Any]]) -> Mapping[str, Function]:
    """Known functions and the user's, which come first."""
    return {**known_functions(), **{name: _users(call) for name, call in own.items()}}


def check_own(own: Mapping[str, Callable[..., Any]]) -> None:
    """Functions of the user's can be called by their names.

    Raises
    ------
    OptionError
        When one can't.
    """
    for name, call in own.items():
        if not isinstance(name, str) or not re.fullmatch(r"[^\W\d][\w.]*", name) or not callable(call):
            raise OptionError(
                f"functions= is a mapping from names to functions, {{'rescale': f}}, which "
                f"{name!r}: {call!r} isn't"
            )


def _users(call: Callable[..., Any]) -> Function:
    return Function(_copying(call), learns=bool(getattr(call, "__is_stateful_transform__", False)))


def _copying(call: Callable[..., Any]) -> Callable[..., Any]:
    """A function that gets arrays of its own, so that it can't change the data's."""
    return lambda *given, **named: call(
        *(np.array(value) if isinstance(value, np.ndarray) else value for value in given), **named
    )


def hint_for(name: str, own: Iterable[str]) -> str:
    """What somebody who called an unknown function may have meant."""
    if name in FUNCTIONS:
        return f"; write {FUNCTIONS[name]}"
    return did_you_mean(name, [*known_functions(), *own]) or (
        "; compute it as a column of the data first, or give it by functions={'" + name + "': ...}"
    )
