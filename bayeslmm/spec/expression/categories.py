"""Factors made within a formula: `C()`, which is `factor()`, and `dummy()`."""

from typing import Any

import numpy as np
import pandas as pd

from bayeslmm.errors import OptionError
from bayeslmm.spec.factors import (
    Coded,
    Coding,
    Factor,
    Levels,
    base_of,
    coding_of,
    factor_of,
    labels_of,
    recode,
    unseen_level,
)

from .values import TRUTH, unpacked

type State = dict[str, Any]


def factor(
    x: Any, contrasts: Any = None, *, levels: Any = None, ref: Any = None, base: Any = None, _state: State
) -> Coded:
    """A column, or what an expression comes to, as a factor.

    Parameters
    ----------
    contrasts : as for `coding_of`; a column that is a factor already keeps its own if none is given
    levels : all of them, in order
    ref : the level that comes first, so that the others are compared with it
    base : the same by its name, or by its number from 1 as in R
    """
    if not _state:
        _state["coding"] = _learn(x, contrasts, levels, ref, base)
    coding: Coding = _state["coding"]
    return Coded(coding, _codes(x, coding))


def _learn(x: Any, contrasts: Any = None, levels: Any = None, ref: Any = None, base: Any = None) -> Coding:
    if isinstance(x, Coded) and contrasts is levels is ref is base is None:
        return x.coding
    found = _factor(x)
    order = _first(_ordered(found.levels, levels), ref, base)
    unordered = ref is base is None
    return coding_of("C()", Factor(order, found.codes, found.ordered and unordered), contrasts)


def _factor(x: Any) -> Factor:
    if isinstance(x, Coded):
        return Factor(x.coding.levels, x.codes, x.coding.ordered)
    return factor_of(pd.Series(np.atleast_1d(unpacked(x))))


def _ordered(found: Levels, levels: Any) -> Levels:
    order = found if levels is None else tuple(labels_of(list(np.atleast_1d(np.array(levels, dtype=object)))))
    if missing := [level for level in found if level not in order]:
        raise OptionError(f"levels= leaves out {missing[0]!r}, which the data have")
    return tuple(level for level in order if level in found)


def _first(order: Levels, ref: Any, base: Any) -> Levels:
    """The levels with the one that `ref` or `base` says before the others."""
    if ref is base is None:
        return order
    (first,) = labels_of([ref]) if ref is not None else (base_of(order, base),)
    if first not in order:
        raise OptionError(f"ref= is {first!r}; the levels are {', '.join(map(repr, order))}")
    return (first, *(level for level in order if level != first))


def _codes(x: Any, coding: Coding) -> Any:
    if isinstance(x, Coded):
        new = np.array([_place(level, coding) for level in x.coding.levels], dtype=np.int64)
        return new[x.codes]
    values = pd.Series(np.atleast_1d(unpacked(x)))
    codes = recode(values, coding.levels)
    if (codes < 0).any():
        raise unseen_level("factor()", values, codes, coding.levels)
    return codes


def _place(level: str, coding: Coding) -> int:
    return coding.levels.index(level) if level in coding.levels else -1


def dummy(x: Any, *keep: Any, _state: State) -> Any:
    """Indicators (n, k) of some levels of a factor, all but the first if none is named, as lme4's `dummy`."""
    if not _state:
        _state["coding"] = _learn(x)
        _state["keep"] = _kept(_state["coding"].levels, keep)
    codes, levels = _codes(x, _state["coding"]), _state["coding"].levels
    columns = {level: (codes == levels.index(level)).astype(np.float64) for level in _state["keep"]}
    return columns if len(columns) > 1 else next(iter(columns.values()))


def _kept(levels: tuple[str, ...], keep: tuple[Any, ...]) -> tuple[str, ...]:
    asked = [value for one in keep for value in (one if isinstance(one, tuple) else (one,))]
    wanted = tuple(labels_of(asked)) or levels[1:]
    for level in wanted:
        if level not in levels:
            raise OptionError(
                f"dummy() is asked for {level!r}; the levels are {', '.join(map(repr, levels))}"
            )
    return wanted


def coded_of(x: Any, name: str, state: State) -> Coded:
    """Truth values or texts that a term came to, as a factor; truth values have both levels always."""
    if not state:
        truth = np.asarray(x).dtype == np.bool_
        found = Factor(TRUTH, np.zeros(0, dtype=np.int64)) if truth else _factor(x)
        state["coding"] = coding_of(name, found)
    return Coded(state["coding"], _codes(x, state["coding"]))
