"""Equations in named numbers, "a - b = 0, 2*c = 1", read as rows of coefficients and constants."""

import re
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from bayeslmm.errors import OptionError, did_you_mean

type Array = NDArray[np.float64]

NUMBER = r"\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?"
MOST = 30  # names that an error lists
COMPARISONS = ("<", "<=", "=", ">=", ">")


def parse(
    text: str, names: Sequence[str], short: Mapping[str, str] = MappingProxyType({})
) -> tuple[tuple[str, ...], Array, Array]:
    """Equations as labels (m,), L (m, names) and d (m,).

    An equation is a sum of names, each with an optional number before it ("2*a") or below it ("a/2"), and of
    numbers, on either side of "=" or "=="; without one it is compared with 0. Columns may stand in backticks.

    Parameters
    ----------
    short : other words for names, where they aren't names themselves.
    """
    labels, rows, values = [], [], []
    for equation in _equations(_tokens(text, names, short)):
        row, constant = _linear(equation, names)
        if not row.any():
            raise OptionError(f"{_text(equation)!r} has no coefficient in it")
        labels.append(_text(equation))
        rows.append(row)
        values.append(-constant)
    return tuple(labels), np.array(rows), np.array(values)


def parse_comparison(
    text: str, names: Sequence[str], short: Mapping[str, str] = MappingProxyType({})
) -> tuple[Array, float, str]:
    """A comparison "2*a - b > 1" as l (names,), d and its sign, one of `COMPARISONS`: l'names > d.

    Parameters
    ----------
    short : other words for names, where they aren't names themselves.

    Raises
    ------
    OptionError
        When there isn't one comparison, or no name in it.
    """
    tokens = _tokens(text, names, short, "<=|>=|==|[-+*/=<>]")
    signs = [token for token in tokens if token in COMPARISONS]
    if len(signs) != 1:
        raise OptionError(f"{text!r} has {len(signs)} comparisons; write one, as in '2*a - b > 1' or 'a = 0'")
    row, constant = _linear(["=" if token in COMPARISONS else token for token in tokens], names)
    if not row.any():
        raise OptionError(f"{text!r} has no parameter in it; there are {', '.join(names[:8])}")
    return row, -constant, signs[0]


def _tokens(
    text: str, names: Sequence[str], short: Mapping[str, str], signs: str = "==|[-+*/=,]"
) -> list[str]:
    """Names, longest first, numbers and signs."""
    full = {**short, **{name: name for name in names}}
    bare = {_bare(word): name for word, name in full.items()} | {"==": "="}
    known = "|".join(_loosely(word) for word in sorted(full, key=len, reverse=True))
    pattern = re.compile(rf"\s*({known}|{NUMBER}|{signs})")
    tokens, place = [], 0
    while text[place:].strip():
        match = pattern.match(text, place)
        if match is None:
            raise _unreadable(text[place:].strip(), names)
        tokens.append(full.get(match[1], bare.get(_bare(match[1]), match[1])))
        place = match.end()
    return tokens


def _loosely(name: str) -> str:
    """A name's pattern, in which columns may stand in backticks: `my x`:f[b]."""
    return "`?" + re.sub(r"(:|\\\[|\\\])", r"`?\1`?", re.escape(name)) + "`?"


def _bare(word: str) -> str:
    return word.replace("`", "")


def _unreadable(rest: str, names: Sequence[str]) -> OptionError:
    word = re.split(r"\s*[-+*/=,<>]|\s", rest, maxsplit=1)[0] or rest[0]
    hint = did_you_mean(word, names) or ";"
    listed = ", ".join([*names[:MOST], "..."][: len(names)])
    return OptionError(f"{word!r} isn't a coefficient of the model{hint} it has {listed}")


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
        elif re.fullmatch(NUMBER, token) and (operator == "*" or not open_ or (operator and float(token))):
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
