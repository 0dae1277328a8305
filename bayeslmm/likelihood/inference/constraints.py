"""Hypotheses about coefficients, "a - b = 0, c = 2" or a matrix, as Lβ = d; refused where not estimable."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from bayeslmm.errors import OptionError, did_you_mean
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.spec.materialize import replay
from bayeslmm.spec.recipe import coded

type Array = NDArray[np.float64]

NUMBER = r"\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?"
ESTIMABLE = 1e-7


@dataclass(frozen=True, slots=True, eq=False)
class Hypothesis:
    """Lβ = d.

    Attributes
    ----------
    labels : (m,) how each row reads. L : (m, p) over the coefficients in the model. d : (m,).
    """

    labels: tuple[str, ...]
    L: Array
    d: Array


def hypothesis(fit: Fitted, given: str | ArrayLike | pd.DataFrame, value: ArrayLike = 0.0) -> Hypothesis:
    """Read a hypothesis about a fit's coefficients.

    Parameters
    ----------
    given : equations in the coefficients' names, or a matrix with one column a coefficient; columns that were
        dropped from the model may be named, or be columns too. A DataFrame's columns are found by name.
    value : (m,) or a number, what Lβ is compared with; not for equations, which say it themselves.

    Raises
    ------
    OptionError
        When it can't be read, has the wrong length, or isn't estimable.
    """
    names = _all_names(fit)
    if not names:
        raise OptionError("this model has no fixed effects, so there is nothing to test")
    if isinstance(given, str):
        labels, L, d = parse(given, names)
    else:
        L = _matrix(given, fit.design.coefs, names)
        d = np.broadcast_to(np.asarray(value, dtype=np.float64), len(L)).copy()
        labels = tuple(describe(row, names, float(v)) for row, v in zip(L, d, strict=True))
    L = _estimable(fit, L, names, labels)
    _check_consistent(L, d, labels)
    return Hypothesis(labels, L, d)


def _all_names(fit: Fitted) -> tuple[str, ...]:
    """Coefficients in the model, then the columns dropped."""
    return (*fit.design.coefs, *fit.design.dropped)


def _matrix(given: Any, coefs: Sequence[str], names: Sequence[str]) -> Array:
    """(m, all names)."""
    if isinstance(given, pd.DataFrame):
        for name in given.columns:
            _check_name(str(name), names)
        return given.reindex(columns=list(names), fill_value=0.0).to_numpy(dtype=np.float64)
    L = np.atleast_2d(np.asarray(given, dtype=np.float64))
    if L.ndim != 2 or L.shape[1] not in (len(coefs), len(names)):
        raise OptionError(
            f"the contrast has {L.shape[-1]} numbers a row; the model has {len(coefs)} coefficients: "
            f"{', '.join(coefs)}"
        )
    if not np.isfinite(L).all() or not np.any(L, axis=1).all():
        raise OptionError("a contrast's row is all zeros or not finite: it says nothing of the coefficients")
    return np.pad(L, ((0, 0), (0, len(names) - L.shape[1])))


def _check_name(name: str, names: Sequence[str]) -> None:
    if name not in names:
        hint = did_you_mean(name, names)
        raise OptionError(f"coefficient {name!r} isn't in the model{hint or ';'} it has {', '.join(names)}")


def parse(text: str, names: Sequence[str]) -> tuple[tuple[str, ...], Array, Array]:
    """Equations as labels (m,), L (m, names) and d (m,).

    An equation is a sum of names, each with an optional number before it ("2*a") or below it ("a/2"), and of
    numbers, on either side of "="; without "=" it is compared with 0.
    """
    labels, rows, values = [], [], []
    for equation in _equations(_tokens(text, names)):
        row, constant = _linear(equation, names)
        if not row.any():
            raise OptionError(f"{_text(equation)!r} has no coefficient in it")
        labels.append(_text(equation))
        rows.append(row)
        values.append(-constant)
    return tuple(labels), np.array(rows), np.array(values)


def _tokens(text: str, names: Sequence[str]) -> list[str]:
    """Names, longest first, numbers and signs."""
    known = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    pattern = re.compile(rf"\s*({known}|{NUMBER}|[-+*/=,])")
    tokens, place = [], 0
    while text[place:].strip():
        match = pattern.match(text, place)
        if match is None:
            raise _unreadable(text[place:].strip(), names)
        tokens.append(match[1])
        place = match.end()
    return tokens


def _unreadable(rest: str, names: Sequence[str]) -> OptionError:
    word = re.split(r"\s*[-+*/=,]|\s", rest, maxsplit=1)[0] or rest[0]
    hint = did_you_mean(word, names) or ";"
    return OptionError(f"{word!r} isn't a coefficient of the model{hint} it has {', '.join(names)}")


def _equations(tokens: list[str]) -> Iterator[list[str]]:
    equation: list[str] = []
    for token in [*tokens, ","]:
        if token != ",":
            equation.append(token)
        elif equation:
            yield equation
            equation = []
        else:
            raise OptionError("an equation of the hypothesis is empty; write for example 'a - b = 0, c = 0'")


def _linear(equation: list[str], names: Sequence[str]) -> tuple[Array, float]:
    """Left side less right side: coefficients of the names, and the constant."""
    place = {name: number for number, name in enumerate(names)}
    row, constant = np.zeros(len(names)), 0.0
    for factor, name in _summands(equation, place):
        if name is None:
            constant += factor
        else:
            row[place[name]] += factor
    return row, constant


def _summands(equation: list[str], names: dict[str, int]) -> Iterator[tuple[float, str | None]]:
    side, sign, factor, name, operator = 1.0, 1.0, 1.0, None, ""
    open_ = False  # is there a summand to hand out?
    for token in [*equation, "end"]:
        if token in ("+", "-", "=", "end") and not operator:
            if open_:
                yield side * sign * factor, name
            elif token in ("=", "end"):
                raise _odd(equation)
            sign = (sign if not open_ else 1.0) * (-1.0 if token == "-" else 1.0)
            if token == "=":
                side, sign = side - 2.0, 1.0
            factor, name, open_ = 1.0, None, False
        elif token in ("*", "/") and open_ and not operator:
            operator = token
        elif token in names and name is None and operator != "/" and (operator or not open_):
            name, operator, open_ = token, "", True
        elif re.fullmatch(NUMBER, token) and (operator or not open_):
            factor, operator, open_ = factor * float(token) ** (-1 if operator == "/" else 1), "", True
        else:
            raise _odd(equation)
        if side < -1:
            raise _odd(equation)


def _odd(equation: list[str]) -> OptionError:
    return OptionError(f"can't read {_text(equation)!r}; write sums like '2*a - b/3 = 1'")


def _text(equation: list[str]) -> str:
    text = " ".join(equation)
    for sign in ("*", "/"):
        text = text.replace(f" {sign} ", sign)
    return re.sub(r"(^|= )- ", r"\1-", text)


def describe(row: Array, names: Sequence[str], value: float) -> str:
    """A row in words: "a - 0.5*b = 0"."""
    parts = []
    for number, name in zip(row, names, strict=True):
        if number:
            size = "" if abs(number) == 1 else f"{abs(number):g}*"
            parts += ["-" if number < 0 else "+", f"{size}{name}"]
    text = " ".join(parts[1:])
    return f"{'-' if parts[:1] == ['-'] else ''}{text} = {value:g}"


def _estimable(fit: Fitted, L: Array, names: Sequence[str], labels: Sequence[str]) -> Array:
    """L over the kept coefficients, if no row that names a dropped column depends on which was dropped.

    Dropped columns are X B; l'β of all columns is estimable when l_dropped = l_kept B.
    """
    p = fit.design.p
    asked = np.flatnonzero(np.any(L[:, p:], axis=1))
    if len(asked):
        B = dropped_columns(fit)
        gap = np.abs(L[asked, p:] - L[asked, :p] @ B)
        for row, gaps in zip(asked, gap, strict=True):
            if gaps.max() > ESTIMABLE * np.abs(L[row]).max():
                raise _not_estimable(labels[int(row)], int(np.argmax(gaps)), B, names)
    return L[:, :p]


def _not_estimable(label: str, column: int, B: Array, names: Sequence[str]) -> OptionError:
    made_of = [name for name, share in zip(names, B[:, column], strict=False) if abs(share) > ESTIMABLE]
    return OptionError(
        f"{label!r} isn't estimable: {names[len(B) + column]!r} was dropped because it is a combination of "
        f"{', '.join(made_of)}; the data can't tell them apart"
    )


def _check_consistent(L: Array, d: Array, labels: Sequence[str]) -> None:
    solution = np.linalg.lstsq(L, d, rcond=None)[0]
    if not np.allclose(L @ solution, d, rtol=1e-8, atol=1e-8 * float(np.abs(d).max(initial=0.0))):
        raise OptionError(f"these equations contradict each other: {', '.join(labels)}")


def dropped_columns(fit: Fitted) -> Array:
    """B (p, dropped): the dropped columns of X in terms of the kept ones."""
    recipe = fit.recipe
    if recipe is None:
        raise OptionError("this fit was made from a bare design; its dropped columns aren't known")
    trained = recipe.trained["fixed"]
    variables = {name: recipe.fitted[name] for name in recipe.variables["fixed"]}
    full = replay({"fixed": trained}, coded(variables, recipe.codings), fit.design.n)["fixed"].matrix
    dropped = np.setdiff1d(np.arange(full.shape[1]), recipe.kept)
    B: Array = np.linalg.lstsq(fit.design.X, full[:, dropped], rcond=None)[0]
    return B
