"""Bambi's columns and ours: which is which, found by their values, so that no name has to be read."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayeslmm.errors import OptionError
from bayeslmm.spec.block import Block
from bayeslmm.spec.design import Design

if TYPE_CHECKING:
    import bambi

type Array = NDArray[np.float64]

TOLERANCE = 1e-9  # of a column's largest value
ADVICE = (
    "ordered factors, contrasts and transforms are coded otherwise there, as scale() divides by n and here "
    "by n - 1; put the columns themselves into the data"
)


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One column of a term of Bambi's.

    Attributes
    ----------
    term : its name. element : which column of it. prior : of the term, as Bambi has it.
    values : (n,). codes : (n,) of its group's levels; None for a common term.
    """

    term: str
    element: int
    prior: Any
    values: Array
    codes: NDArray[np.int64] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Matched:
    """Bambi's column for each of ours: by fixed effect, and by block and left-hand column."""

    fixed: tuple[Column, ...]
    random: tuple[tuple[Column, ...], ...]

    @classmethod
    def of(cls, design: Design, model: "bambi.Model") -> "Matched":
        """Lay the columns of one formula side by side.

        Raises
        ------
        OptionError
            When the two read it differently, or columns depend on others.
        """
        _check_rows(design, model)
        _check_whole(design)
        common, group = list(_common(model)), list(_group(model))
        fixed = tuple(
            _taken(common, x, None, f"the fixed effect {coef!r}")
            for coef, x in zip(design.coefs, design.X.T, strict=True)
        )
        random = tuple(tuple(_of_block(group, block)) for block in design.blocks)
        for column in (*common, *group):
            raise OptionError(f"Bambi's term {column.term!r} has a column that isn't here: {ADVICE}")
        return cls(fixed, random)

    @property
    def means(self) -> Array:
        """Means of Bambi's common columns but the intercept, relative to their largest values."""
        columns = [column.values for column in self.fixed if not is_intercept(column)]
        return np.array([values.mean() / np.abs(values).max() for values in columns])


def is_intercept(column: Column) -> bool:
    return column.codes is None and column.term == "Intercept"


def _check_rows(design: Design, model: "bambi.Model") -> None:
    mu = model.parameters["mu"]
    offset = sum((np.asarray(term.data, dtype=float) for term in mu.offset_terms.values()), np.zeros(1))
    response = np.asarray(model.response_term.data, dtype=float)
    for what, ours, theirs in (("response", design.y, response), ("offset", design.offset, offset)):
        theirs = np.ravel(theirs) if np.size(theirs) > 1 else np.full(len(ours), np.ravel(theirs)[0])
        if not _equal(ours, theirs):
            raise OptionError(f"Bambi has another {what}, or other rows: {ADVICE}")


def _check_whole(design: Design) -> None:
    if design.dropped:
        raise OptionError(
            f"the data can't tell {', '.join(map(repr, design.dropped))} from the fixed effects before; "
            "that is left out here, in Bambi it keeps its prior: leave it out of the formula"
        )


def _common(model: "bambi.Model") -> Iterator[Column]:
    mu = model.parameters["mu"]
    intercept = {} if mu.intercept_term is None else {"Intercept": mu.intercept_term}
    for name, term in (intercept | mu.common_terms).items():
        for element, values in enumerate(_columns(term.data)):
            yield Column(name, element, term.prior, values)


def _group(model: "bambi.Model") -> Iterator[Column]:
    for name, term in model.parameters["mu"].group_specific_terms.items():
        codes = np.asarray(term.group_index, dtype=np.int64)
        for element, values in enumerate(_columns(term.predictor)):
            yield Column(name, element, term.prior, values, codes)


def _columns(data: ArrayLike) -> Array:
    values = np.asarray(data, dtype=float)
    return values.reshape(len(values), -1).T


def _of_block(group: list[Column], block: Block) -> Iterator[Column]:
    for coef, values in zip(block.coefs, block.columns.T, strict=True):
        yield _taken(group, values, block.codes, f"the random effect {coef!r} of {block.group!r}")


def _taken(left: list[Column], values: Array, codes: NDArray[np.int64] | None, what: str) -> Column:
    """The column with these values, taken from those that are left."""
    for place, column in enumerate(left):
        if _equal(column.values, values) and _same_partition(column.codes, codes):
            return left.pop(place)
    raise OptionError(f"Bambi has no column for {what}: {ADVICE}")


def _equal(one: Array, other: Array) -> bool:
    if one.shape != other.shape:
        return False
    size = np.max(np.abs(other), initial=0.0)
    return bool(np.max(np.abs(one - other), initial=0.0) <= TOLERANCE * size)


def _same_partition(one: NDArray[np.int64] | None, other: NDArray[np.int64] | None) -> bool:
    """Whether two codings join the same rows, whatever the order of levels."""
    if one is None or other is None:
        return one is other
    pairs = np.unique(np.column_stack([one, other]), axis=0)
    return len(pairs) == len(np.unique(one)) == len(np.unique(other))
