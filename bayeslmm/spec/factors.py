"""Factors: a column's levels, the code of each row, and the contrasts that turn codes into columns."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayeslmm.errors import DataError, OptionError, check_choice

type Array = NDArray[np.float64]
type Codes = NDArray[np.int64]
type Levels = tuple[str, ...]

CONTRASTS = ("treatment", "sum", "helmert", "poly")
_SPELLINGS = {word.capitalize() for word in CONTRASTS}  # patsy's


class Factor(NamedTuple):
    """Levels in order, and the position in them of each row's value (-1: not among them, or missing)."""

    levels: Levels
    codes: Codes
    ordered: bool = False


def factor_of(values: pd.Series) -> Factor:
    """The factor a column makes; levels nobody has are left out, values with one label are one level.

    Categories keep their order; anything else is sorted.
    """
    if isinstance(values.dtype, pd.CategoricalDtype):
        own = cast(pd.Categorical, values.array)  # the accessor `cat` takes longer than all else here
        codes, categories, ordered = own.codes, own.categories, bool(own.ordered)
    else:
        codes, categories = sorted_values(values)
        ordered = False
    codes, labels = told_apart(codes.astype(np.int64), categories)
    return _without_unused(codes, labels, ordered)


def sorted_values(values: pd.Series) -> tuple[Any, Any]:
    """Codes and the values themselves, sorted; those of mixed type that can't be, by their text."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)  # pandas' word for what it couldn't sort
            return pd.factorize(values, sort=True)
    except (TypeError, RuntimeWarning):
        return pd.factorize(values.map(str, na_action="ignore"), sort=True)


def told_apart(codes: Codes, values: Any) -> tuple[Codes, list[str]]:
    """Codes and labels; a number and the text that writes it are one level, the first of the two."""
    labels = labels_of(values)
    if values.dtype != object:
        return codes, labels
    written = {str(value): label for value, label in zip(values, labels, strict=True) if not _is_text(value)}
    if not written:
        return codes, labels
    labels = [written.get(label, label) for label in labels]
    place = {label: at for at, label in enumerate(dict.fromkeys(labels))}
    new = np.array([*(place[label] for label in labels), -1], dtype=np.int64)
    return new[codes], list(place)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def labels_of(values: Any) -> list[str]:
    """Values as text: whole numbers without a decimal point, as R writes them."""
    if isinstance(getattr(values, "dtype", None), pd.StringDtype):
        return list(map(str, values.tolist()))
    plain = np.asarray(values, dtype=object)  # an index is slow to go through
    return [str(int(value)) if _is_whole(value) else str(value) for value in plain]


def _is_whole(value: Any) -> bool:
    return isinstance(value, float | np.floating) and float(value).is_integer()


def _without_unused(codes: Codes, labels: list[str], ordered: bool) -> Factor:
    counts = np.bincount(codes[codes >= 0], minlength=len(labels))
    if counts.all():
        return Factor(tuple(labels), codes, ordered)
    used = np.flatnonzero(counts)
    new = np.full(len(labels) + 1, -1, dtype=np.int64)  # the last is for code -1
    new[used] = np.arange(len(used))
    return Factor(tuple(labels[int(level)] for level in used), new[codes], ordered)


def recode(values: pd.Series, levels: Levels) -> Codes:
    """Codes of a column in levels seen before; -1 where a value isn't one of them."""
    seen = factor_of(values)
    place = {level: code for code, level in enumerate(levels)}
    new = np.array([*(place.get(level, -1) for level in seen.levels), -1], dtype=np.int64)
    return new[seen.codes]


@dataclass(frozen=True, eq=False)
class Grouping:
    """A grouping factor: one column, or several whose combinations are its levels.

    Attributes
    ----------
    columns : the columns
    parts : levels of each column
    cells : which combinations of codes occur, as mixed-radix numbers in order
    levels : a label for each, `A:a`
    """

    columns: tuple[str, ...]
    parts: tuple[tuple[str, ...], ...]
    cells: Codes
    levels: Levels

    @property
    def name(self) -> str:
        return ":".join(self.columns)

    @classmethod
    def learn(cls, columns: tuple[str, ...], factors: Sequence[Factor]) -> "tuple[Grouping, Codes]":
        """The grouping factor of some columns' factors, and each row's code."""
        parts = tuple(factor.levels for factor in factors)
        if len(factors) == 1:
            return cls.of_cells(columns, parts, np.arange(len(parts[0]))), factors[0].codes
        cells, codes = np.unique(_cell([factor.codes for factor in factors], parts), return_inverse=True)
        return cls.of_cells(columns, parts, cells), codes.astype(np.int64)

    @classmethod
    def of_combinations(
        cls, columns: tuple[str, ...], parts: tuple[tuple[str, ...], ...], codes: Sequence[Codes]
    ) -> "Grouping":
        """The grouping factor whose levels are these combinations of codes, one array a column."""
        return cls.of_cells(columns, parts, np.unique(_cell(codes, parts)))

    @classmethod
    def of_cells(
        cls, columns: tuple[str, ...], parts: tuple[tuple[str, ...], ...], cells: Codes
    ) -> "Grouping":
        """The grouping factor of known cells, in order."""
        return cls(columns, parts, cells, parts[0] if len(parts) == 1 else _cell_labels(cells, parts))

    def codes(self, data: pd.DataFrame) -> Codes:
        """Codes of new rows; -1 for a level, or a combination, that wasn't seen."""
        own = [recode(data[name], levels) for name, levels in zip(self.columns, self.parts, strict=True)]
        return self.place(own)

    def place(self, own: Sequence[Codes]) -> Codes:
        """Codes of combinations of the columns' codes; -1 where one is -1, or they weren't seen together."""
        if len(own) == 1:
            return own[0]
        cell = _cell(own, self.parts)
        place = np.minimum(np.searchsorted(self.cells, cell), len(self.cells) - 1)
        known = (self.cells[place] == cell) & np.all([codes >= 0 for codes in own], axis=0)
        return np.where(known, place, -1)


def _cell(codes: Sequence[Codes], parts: Sequence[Sequence[str]]) -> Codes:
    """Combination of codes as one number; the first column varies slowest."""
    cell = np.zeros_like(codes[0])
    for own, levels in zip(codes, parts, strict=True):
        cell = cell * len(levels) + own
    return cell


def _cell_labels(cells: Codes, parts: Sequence[Sequence[str]]) -> tuple[str, ...]:
    index = np.unravel_index(cells, [len(levels) for levels in parts])
    spelled = [[escaped(level) for level in levels] for levels in parts]
    columns = [[levels[code] for code in own] for levels, own in zip(spelled, index, strict=True)]
    return tuple(":".join(labels) for labels in zip(*columns, strict=True))


def escaped(level: str) -> str:
    """A level as a part of an interaction's label, with its own colons told from those that join."""
    return level.replace("\\", "\\\\").replace(":", "\\:") if ":" in level or "\\" in level else level


def interaction_label(levels: Sequence[str]) -> str:
    """The label of a combination of levels, one a column; no two combinations have the same."""
    return levels[0] if len(levels) == 1 else ":".join(map(escaped, levels))


@dataclass(frozen=True, eq=False)
class Coding:
    """How a factor of the formula becomes columns.

    Attributes
    ----------
    name : the column
    levels : its levels
    ordered : do they have an order?
    contrast : (levels, columns) matrix; used where the intercept, or a margin, is in the model already
    fields : names of the contrast's columns
    style : how formulaic names a contrast's column, `{name}[T.{field}]`
    """

    name: str
    levels: Levels
    contrast: Array
    fields: tuple[str, ...]
    style: str
    ordered: bool = False

    def __call__(self, values: Any, reduced_rank: bool, **_: Any) -> Any:
        """Columns of some values, as formulaic asks for them: the contrast, or one column a level."""
        from formulaic.materializers.types import FactorValues

        matrix = self.contrast if reduced_rank else np.eye(len(self.levels))
        fields = self.fields if reduced_rank else self.levels
        columns = matrix[np.asarray(values.cat.codes)]
        return FactorValues(
            dict(zip(fields, columns.T, strict=True)),
            kind="categorical",
            column_names=fields,
            spans_intercept=not reduced_rank,
            format=self.style if reduced_rank else "{name}[{field}]",
            encoded=True,
        )


class ByLevels(NamedTuple):
    """Contrasts that are made once the levels are known, as R's functions make them.

    Attributes
    ----------
    make : from the levels, in order, to formulaic's contrasts
    asked : R's `n`, how many levels or which, in order; None for those there are
    """

    make: Callable[[Levels], Any]
    asked: int | Levels | None = None

    def of(self, levels: Levels) -> Any:
        """The contrasts of some levels, which are those asked for."""
        if self.asked not in (None, len(levels), levels):
            raise OptionError(
                f"contrasts are for the levels {self.asked!r}; those of the factor are {_some(levels)}"
                ": what stands first is how many or which there are; the one compared with is named by base="
            )
        return self.make(levels)


class Coded(NamedTuple):
    """A factor's coding, and the level of each row."""

    coding: Coding
    codes: Codes

    def for_formulaic(self) -> Any:
        """What formulaic finds under a factor's name: the values, and their coding as an encoder."""
        from formulaic.materializers.types import FactorValues

        values = pd.Series(pd.Categorical.from_codes(self.codes, categories=pd.Index(self.coding.levels)))
        return FactorValues(values, kind="categorical", spans_intercept=True, encoder=self.coding)


def coding_of(name: str, factor: Factor, contrast: Any = None) -> Coding:
    """The coding of a factor: polynomial when it is ordered, treatment when not, unless another is asked for.

    Parameters
    ----------
    contrast : "treatment", "sum", "helmert" or "poly", all with R's meaning (`contr.sum` is the same), or a
        matrix with a row for each level; a DataFrame's rows are found by name.

    Raises
    ------
    OptionError
        When the contrast isn't known, or the matrix doesn't fit.
    """
    if contrast is None:
        contrast = "poly" if factor.ordered else "treatment"
    if isinstance(contrast, str):
        contrast = _known_contrast(name, contrast)
    if isinstance(contrast, ByLevels):
        contrast = contrast.of(factor.levels)
    if not hasattr(contrast, "get_coding_matrix"):
        return replace(_custom_coding(name, factor.levels, contrast), ordered=factor.ordered)
    return replace(_known_coding(name, factor.levels, contrast), ordered=factor.ordered)


def _known_contrast(name: str, contrast: str) -> Any:
    from formulaic.transforms.contrasts import (
        HelmertContrasts,
        PolyContrasts,
        SumContrasts,
        TreatmentContrasts,
    )

    word = contrast.removeprefix("contr.").lower() if contrast in _SPELLINGS else contrast
    kind = check_choice(f"the contrast of {name!r},", word.removeprefix("contr."), CONTRASTS)
    made = (TreatmentContrasts, SumContrasts, HelmertContrasts, PolyContrasts)
    return made[CONTRASTS.index(kind)]()


def _known_coding(name: str, levels: Levels, contrasts: Any) -> Coding:
    contrasts = _based(name, levels, contrasts)
    matrix = np.asarray(contrasts.get_coding_matrix(levels, reduced_rank=True), dtype=float)
    fields = tuple(str(field) for field in contrasts.get_coding_column_names(levels, reduced_rank=True))
    return Coding(name, levels, matrix, fields, contrasts.get_factor_format(levels, reduced_rank=True))


def _based(name: str, levels: Levels, contrasts: Any) -> Any:
    """formulaic's contrasts with their base, if they have one, as the label of a level."""
    base = getattr(contrasts, "base", None)
    if not isinstance(base, str | int | float):
        return contrasts
    return type(contrasts)(base=base_of(levels, *labels_of([base])))


def base_of(levels: Levels, base: Any) -> str:
    """The level that others are compared with, from its name or, as R has it, its number from 1."""
    if isinstance(base, int) and 1 <= base <= len(levels):
        return levels[base - 1]
    if base not in levels:
        raise OptionError(
            f"the base of the contrasts is {base!r}; the levels are {_some(levels)}, and a base is the name "
            "of one, or its number from 1, contr.treatment(base=2)"
        )
    return cast(str, base)


def _custom_coding(name: str, levels: Levels, contrast: Any) -> Coding:
    if isinstance(contrast, pd.DataFrame):
        contrast = _rows_by_level(name, levels, contrast)
        fields = tuple(str(column) for column in contrast.columns)
    else:
        contrast = np.atleast_2d(np.asarray(contrast, dtype=float))
        fields = tuple(str(number + 1) for number in range(contrast.shape[1]))
    matrix = np.asarray(contrast, dtype=float)
    if matrix.shape[0] != len(levels) or not 0 < matrix.shape[1] < len(levels):
        raise OptionError(
            f"the contrast matrix of {name!r} has shape {matrix.shape}; it needs a row for each of the "
            f"{len(levels)} levels ({_some(levels)}) and fewer columns than levels"
        )
    return Coding(name, levels, matrix, fields, "{name}[{field}]")


def _rows_by_level(name: str, levels: Levels, contrast: pd.DataFrame) -> pd.DataFrame:
    named = contrast.set_axis(labels_of(contrast.index), axis=0)
    if missing := [level for level in levels if level not in named.index]:
        raise OptionError(f"the contrast matrix of {name!r} has no row for level {missing[0]!r}")
    return named.loc[list(levels)]


def unseen_level(name: str, values: pd.Series, codes: Codes, levels: Levels) -> DataError:
    """The error for a factor of the fixed part with a level the model wasn't fitted to."""
    (value,) = labels_of(values.iloc[np.flatnonzero(codes < 0)[:1]])
    return DataError(f"level {value!r} of {name!r} wasn't in the fitted data; its levels are {_some(levels)}")


def _some(levels: Sequence[str], most: int = 8) -> str:
    shown = ", ".join(repr(level) for level in levels[:most])
    return f"{shown}, ..." if len(levels) > most else shown
