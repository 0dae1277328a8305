"""A model's matrices by other code: a reader of formulas of its own, formulaic as it is, and plain pandas.

Nothing of `bayeslmm.spec` is used: what it gets wrong is meant to be seen.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

if TYPE_CHECKING:
    from bayeslmm.spec.recipe import Origin

type Array = NDArray[np.float64]

CALL = re.compile(r"(?<![\w.`])([A-Za-z_][\w.]*)\s*\(")
ELEMENTWISE = (
    "log",
    "log2",
    "log10",
    "log1p",
    "exp",
    "exp2",
    "expm1",
    "sqrt",
    "cbrt",
    "square",
    "abs",
    "sign",
)
KNOWN = {"I", "C", "factor", "scale", "center", "poly", *ELEMENTWISE, *(f"np.{name}" for name in ELEMENTWISE)}
CONTRASTS = {
    "treatment": "contr.treatment",
    "sum": "contr.sum",
    "helmert": "contr.helmert",
    "poly": "contr.poly",
}


class Unread(Exception):
    """What this reader doesn't know, in words."""


class Bar(NamedTuple):
    """One random-effects term: its left side, the columns of its group, its structure."""

    left: str
    columns: tuple[str, ...]
    keyword: str

    @property
    def group(self) -> str:
        return ":".join(self.columns)


class Text(NamedTuple):
    """A formula taken apart: response, fixed part, offsets, bars."""

    response: str
    fixed: str
    offsets: tuple[str, ...]
    bars: tuple[Bar, ...]


def read(formula: str) -> Text:
    """Take a formula apart by its parentheses.

    Raises
    ------
    Unread
        For what this plain reader doesn't know.
    """
    response, _, right = formula.partition("~")
    fixed, offsets = [], []
    bars: list[Bar] = []
    for sign, term in _terms(right):
        inside = re.fullmatch(r"([\w.]*)\s*\((.*)\)", term, re.DOTALL)
        if inside and inside[1] == "offset":
            offsets.append(inside[2])
        elif inside and inside[1] not in KNOWN and (sides := _at_bar(inside[2])):
            bars += _bars(inside[1], *sides)
        else:
            fixed.append(f"{sign} {term}")
    text = " ".join(fixed).removeprefix("+").strip() or "1"
    return Text(response.strip(), text, tuple(offsets), tuple(bars))


def _terms(text: str) -> Iterator[tuple[str, str]]:
    """Terms at the top, each with its sign."""
    sign, start = "+", 0
    for place in [*_at_top(text, "+-"), len(text)]:
        if term := text[start:place].strip():
            yield sign, term
        sign, start = text[place : place + 1], place + 1


def _at_bar(text: str) -> tuple[str, str, str] | None:
    """What stands left and right of a bar, and the bar."""
    places = list(_at_top(text, "|"))
    if not places:
        return None
    return text[: places[0]], "|" * len(places), text[places[-1] + 1 :]


def _at_top(text: str, signs: str) -> Iterator[int]:
    """Places of signs that stand in no parentheses, brackets, braces, backticks or quotes."""
    depth, quote = 0, ""
    for place, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "`'\"":
            quote = letter
        elif letter in "([{":
            depth += 1
        elif letter in ")]}":
            depth -= 1
        elif depth == 0 and letter in signs:
            yield place


def _bars(keyword: str, left: str, bar: str, group: str) -> Iterator[Bar]:
    """A term on a/b is one on a and one on a:b."""
    parts = [part.strip() for part in group.split("/")]
    names = [tuple(map(_plain_name, part.split(":"))) for part in parts]
    for last in range(len(names)):
        columns = tuple(dict.fromkeys(name for part in names[: last + 1] for name in part))
        yield Bar(left.strip(), columns, keyword or ("diag" if bar == "||" else "us"))


def _plain_name(text: str) -> str:
    name = text.strip()
    if name.startswith("`") and name.endswith("`") and "\\" not in name:
        return name[1:-1]
    if not re.fullmatch(r"[\w.]+", name):
        raise Unread(f"the grouping factor {text.strip()!r} isn't made of names, ':' and '/'")
    return name


@dataclass(frozen=True, eq=False)
class Rebuilt:
    """The matrices of a specification and its data, made anew.

    Attributes
    ----------
    origin : the specification and the rows given. rows : (n,) positions of the complete ones.
    """

    origin: "Origin"

    @cached_property
    def text(self) -> Text:
        """The formula."""
        return read(self.origin.spec.formula)

    @cached_property
    def rows(self) -> NDArray[np.intp]:
        """(n,) positions of rows with no missing value in what the model uses."""
        frame, spec = self.origin.frame, self.origin.spec
        whole = frame[self._used].notna().all(axis=1).to_numpy()
        if spec.offset is not None and not isinstance(spec.offset, str):
            whole = whole & ~np.isnan(np.asarray(spec.offset, dtype=float))
        return np.flatnonzero(whole)

    def response(self) -> Array:
        """(n,)."""
        return self._one_column(self.text.response)

    def offset(self) -> Array:
        """(n,) the formula's offsets and the one given apart."""
        total = sum((self._one_column(text) for text in self.text.offsets), np.zeros(len(self.rows)))
        return np.asarray(total + self._given(self.origin.spec.offset, 0.0))

    def prior_weights(self) -> Array:
        """(n,) prior weights."""
        return self._given(self.origin.spec.weights, 1.0)

    def fixed(self) -> pd.DataFrame:
        """formulaic's columns of the fixed part."""
        return self._matrix(self.text.fixed)

    def left_side(self, bar: Bar) -> pd.DataFrame:
        """formulaic's columns of a bar's left side."""
        return self._matrix(bar.left)

    def groups(self) -> dict[str, pd.Series]:
        """Each row's level of every grouping factor, as text."""
        return {bar.group: self._levels(bar.columns) for bar in self.text.bars}

    @property
    def _used(self) -> list[str]:
        from formulaic import Formula

        spec, text = self.origin.spec, self.text
        parts = [text.response, text.fixed, *text.offsets, *(bar.left for bar in text.bars)]
        names = {str(name) for part in parts for name in Formula(self._known(part)).required_variables}
        names |= {column for bar in text.bars for column in bar.columns}
        names |= {spec.offset} if isinstance(spec.offset, str) else set()
        return [name for name in self.origin.frame.columns if name in names]

    def _given(self, given: Any, neutral: float) -> Array:
        if given is None:
            return np.full(len(self.rows), neutral)
        values = self.origin.frame[given] if isinstance(given, str) else given
        return np.asarray(values, dtype=float)[self.rows]

    def _levels(self, columns: tuple[str, ...]) -> "pd.Series[str]":
        parts = [self.origin.frame[column].iloc[self.rows].map(_label) for column in columns]
        if len(parts) == 1:
            return parts[0].astype(str)
        escaped = [part.str.replace("\\", "\\\\").str.replace(":", "\\:") for part in map(_as_text, parts)]
        return pd.Series(list(map(":".join, zip(*escaped, strict=True))))

    def _one_column(self, text: str) -> Array:
        return np.asarray(self._matrix(f"0 + I({text})"), dtype=float)[:, 0]

    def _matrix(self, text: str) -> pd.DataFrame:
        from formulaic import model_matrix

        try:
            made = model_matrix(self._known(text), self._frame, context=self._context, na_action="raise")
        except Exception as error:  # a formula of another language: formulaic raises whatever it meets
            raise Unread(f"formulaic doesn't read {text!r} ({type(error).__name__})") from error
        return pd.DataFrame(made)

    def _known(self, text: str) -> str:
        """The text, factors with their contrasts spelled out; only calls that mean the same to formulaic."""
        unknown = set(CALL.findall(text)) - KNOWN - set(self.origin.spec.functions)
        if unknown:
            raise Unread(f"{', '.join(sorted(unknown))}() means something else to formulaic, or nothing")
        for name, contrast in self._contrasts.items():
            text = re.sub(rf"(?<![\w.(`]){re.escape(name)}(?![\w.(`])", f"C({name}, {contrast})", text)
        return text

    @cached_property
    def _contrasts(self) -> Mapping[str, str]:
        """formulaic's words for what factors are coded by, where it isn't treatment contrasts."""
        frame = self.origin.frame
        ordered = [str(name) for name in frame if getattr(frame[name].dtype, "ordered", False)]
        asked: dict[str, Any] = dict.fromkeys(ordered, "poly") | dict(self.origin.spec.contrasts)
        for name, contrast in asked.items():
            if not isinstance(contrast, str):
                raise Unread(f"the contrasts of {name!r} are a matrix")
        return {name: CONTRASTS[contrast.lower()] for name, contrast in asked.items()}

    @cached_property
    def _context(self) -> dict[str, Any]:
        from formulaic.transforms import C

        own = {name: getattr(np, name) for name in ELEMENTWISE}
        return {**own, "np": np, "factor": C, **self.origin.spec.functions}

    @cached_property
    def _frame(self) -> pd.DataFrame:
        """The complete rows: truth values as factors, whole numbers as floats, no level that nobody has."""
        rows = self.origin.frame.iloc[self.rows].reset_index(drop=True)
        return rows.apply(_column)


def _column(values: pd.Series) -> pd.Series:
    if isinstance(values.dtype, pd.CategoricalDtype):
        return values.cat.remove_unused_categories()
    if pd.api.types.is_bool_dtype(values):
        return values.astype(str).astype("category")
    if pd.api.types.is_integer_dtype(values):
        return values.astype(float)
    return values


def _label(value: Any) -> str:
    """A level as text; whole numbers without a decimal point."""
    whole = isinstance(value, float | np.floating) and float(value).is_integer()
    return str(int(value)) if whole else str(value)


def _as_text(values: pd.Series) -> "pd.Series[str]":
    return values.astype(str)
