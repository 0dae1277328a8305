"""The reference grid: the fixed part at combinations of its variables, and averages over them.

Factors are crossed, a number stands at its mean over the fitted rows; one with two values counts as a factor
(Searle, Speed & Milliken 1980; the grid of R's emmeans). Both engines put their β into it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from typing import Any, Literal, Self, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayeslmm.errors import DataError, OptionError, check_choice

from .checks import numbers
from .design import Design
from .estimable import Dropped
from .factors import labels_of
from .given import numbers_for
from .recipe import Recipe

type Array = NDArray[np.float64]
type Names = str | Sequence[str]
type GridWeights = Literal["equal", "proportional"]

GRID_WEIGHTS = get_args(GridWeights.__value__)
UNNAMED = ("contrast", "average")  # names of an index whose labels say all
LARGEST = 200_000  # points of a grid
STENCIL = {-2: 1 / 12, -1: -2 / 3, 1: 2 / 3, 2: -1 / 12}  # a derivative by differences, times the step
STEP = 1e-3  # of a variable's range


@dataclass(frozen=True, slots=True, eq=False)
class GridOptions:
    """What is averaged over what.

    Attributes
    ----------
    names : variables whose combinations are compared. by : variables within whose combinations they are.
    at : values, by variable, in place of the mean or of all levels.
    averaging : of what is averaged over: "equal", or "proportional" to how often combinations occur.
    """

    names: Names
    by: Names | None = None
    at: Mapping[str, Any] = field(default_factory=dict)
    averaging: str = "equal"

    def __post_init__(self) -> None:
        """Check the choice.

        Raises
        ------
        OptionError
            For an unknown choice.
        """
        check_choice("grid_weights", self.averaging, GRID_WEIGHTS)


@dataclass(frozen=True, eq=False)
class Functions:
    """Linear functions Lβ + c of the coefficients, of those of dropped columns too.

    Attributes
    ----------
    index : (m,) their labels; the first `n_by` of its levels are the groups they belong to.
    L : (m, p + d). c : (m,). dropped : what the columns left out are. n_by : see `index`.
    """

    index: pd.Index
    L: Array
    c: Array
    dropped: Dropped
    n_by: int = 0

    @cached_property
    def why_not(self) -> tuple[str, ...]:
        """Why each isn't estimable; nothing where it is."""
        return self.dropped.why_not(self.L)

    @property
    def estimable(self) -> NDArray[np.bool_]:
        """(m,) can the data tell?"""
        return np.array([not reason for reason in self.why_not], dtype=bool)

    @property
    def kept(self) -> Array:
        """(m, p) of the coefficients in the model."""
        return self.L[:, : len(self.dropped.B)]

    @property
    def notes(self) -> tuple[str, ...]:
        """One line for each that isn't estimable."""
        pairs = zip(self.index, self.why_not, strict=True)
        return tuple(f"{_label(label)} isn't estimable: {reason}" for label, reason in pairs if reason)

    def values(self, beta: Array) -> Array:
        """Lβ + c, (..., m) of β (..., p); NaN where it isn't estimable."""
        return np.where(self.estimable, beta @ self.kept.T + self.c, np.nan)

    @property
    def groups(self) -> list[tuple[tuple[Any, ...], NDArray[np.intp]]]:
        """The label of each group, and the places of its functions."""
        if not self.n_by:
            return [((), np.arange(len(self.index)))]
        keys = pd.MultiIndex.from_arrays([self.index.get_level_values(i) for i in range(self.n_by)])
        codes, found = pd.factorize(keys)
        return [(tuple(key), np.flatnonzero(codes == place)) for place, key in enumerate(found)]

    def labels(self, kind: str) -> tuple[str, ...]:
        """(m,) labels of estimands, "mean[Variety=Victory]", "contrast[nitro=0: A - B]"."""
        return tuple(f"{kind}[{self._spelled(label)}]" for label in self.index)

    def _spelled(self, label: Any) -> str:
        parts = labels_of(label if isinstance(label, tuple) else (label,))
        names = [f"{name}=" if name not in UNNAMED else "" for name in self.index.names]
        spelled = [name + part for name, part in zip(names, parts, strict=True)]
        return ": ".join([", ".join(spelled[: self.n_by]), ", ".join(spelled[self.n_by :])][not self.n_by :])

    @property
    def own_labels(self) -> list[str]:
        """(m,) labels within the group."""
        return [_label(label[self.n_by :] if self.n_by else label) for label in self.index]

    @property
    def group_names(self) -> list[Any]:
        """Names of the variables that make the groups."""
        return list(self.index.names[: self.n_by])

    def combined(self, weights: Array, index: pd.Index) -> Self:
        """Combinations of the functions, one a row of `weights` (k, m)."""
        return type(self)(index, weights @ self.L, weights @ self.c, self.dropped, self.n_by)


def _label(label: Any) -> str:
    return " ".join(labels_of(label)) if isinstance(label, tuple) else labels_of([label])[0]


class Grid:
    """The grid of one model's fixed part.

    Attributes
    ----------
    values : by variable, those the grid has: codes of a factor, else numbers.
    names, by : what stays; the rest is averaged over.
    """

    def __init__(self, design: Design, recipe: Recipe | None, options: GridOptions) -> None:
        """Look up the variables.

        Raises
        ------
        DataError
            When there is no formula, its rows are elsewhere, or `at` has what a column can't hold.
        OptionError
            For a name that isn't a variable of the fixed part, one named twice, or a grid too large.
        """
        if recipe is None or not design.in_memory:
            raise DataError("means and slopes need a formula and its rows in memory: fit a model of a table")
        self.design, self.recipe, self.options = design, recipe, options
        self.variables = recipe.fixed_variables
        self.by, self.names = self._known(options.by or ()), self._known(options.names)
        self._known(options.at)
        if twice := [name for name in (*self.by, *self.names) if (*self.by, *self.names).count(name) > 1]:
            raise OptionError(f"{twice[0]!r} is named twice, in by= or among the names; leave one out")
        self.values = {name: self._values(name) for name in self.variables}
        if (size := prod(map(len, self.values.values()))) > LARGEST:
            raise OptionError(f"the grid has {size} points, at most {LARGEST} are made; fix variables by at=")

    def _known(self, names: Names | Iterable[str]) -> tuple[str, ...]:
        given = (names,) if isinstance(names, str) else tuple(names)
        return tuple(check_choice("variable of the fixed part", name, self.variables) for name in given)

    def _values(self, name: str) -> NDArray[Any]:
        if name in self.options.at:
            return self._given(name)
        if name in self.recipe.codings:
            return np.arange(len(self.recipe.codings[name].levels))
        fitted = self.recipe.fitted[name]
        return np.unique(fitted) if self._is_levelled(name) else np.array([np.mean(fitted)])

    def _is_levelled(self, name: str) -> bool:
        """Whether it counts as a factor."""
        recipe = self.recipe
        return name in recipe.codings or name in recipe.levelled or len(np.unique(recipe.fitted[name])) <= 2

    def _given(self, name: str) -> NDArray[Any]:
        given = pd.Series(np.atleast_1d(np.asarray(self.options.at[name], dtype=object)))
        if given.empty:
            raise OptionError(f"at={{{name!r}: ...}} is empty; give a value or several")
        if name not in self.recipe.codings:
            return numbers_for(
                f"at={{{name!r}: ...}}", numbers(name, given.infer_objects()), [name] * len(given)
            )
        levels = self.recipe.codings[name].levels
        return np.array(
            [levels.index(check_choice(f"level of {name!r}", at, levels)) for at in labels_of(given)]
        )

    def _labels(self, name: str) -> list[Any]:
        """The values as users know them."""
        if name not in self.recipe.codings:
            return list(self.values[name].tolist())
        return [self.recipe.codings[name].levels[code] for code in self.values[name]]

    @property
    def kept(self) -> tuple[str, ...]:
        """The variables that stay, groups first."""
        return (*self.by, *self.names)

    @property
    def averaged(self) -> tuple[str, ...]:
        """The variables averaged over."""
        return tuple(name for name in self.variables if name not in self.kept)

    def means(self) -> Functions:
        """The mean at each combination of the variables that stay."""
        return self._averaged(*self._rows(self._points()))

    def slopes(self, variable: str) -> Functions:
        """The derivative of the mean by a number, by differences of fourth order.

        Raises
        ------
        OptionError
            For a factor, whose levels have contrasts.
        """
        self._known([variable])
        if variable in self.recipe.codings or variable in self.recipe.levelled:
            raise OptionError(
                f"{variable!r} is a factor and has no slope; marginal_means({variable!r}).contrasts() "
                "compares its levels"
            )
        points, step = self._points(), STEP * float(np.ptp(self.recipe.fitted[variable]))
        sides = [
            (weight / step, self._rows({**points, variable: points[variable] + place * step}))
            for place, weight in STENCIL.items()
        ]
        L = sum((weight * rows for weight, (rows, _) in sides), np.zeros_like(sides[0][1][0]))
        c = sum((weight * offset for weight, (_, offset) in sides), np.zeros(len(L)))
        return self._averaged(L, c)

    def _points(self) -> dict[str, NDArray[Any]]:
        """All combinations, what is averaged over varying fastest."""
        order = (*self.kept, *self.averaged)
        crossed = np.meshgrid(*(self.values[name] for name in order), indexing="ij")
        return {name: values.ravel() for name, values in zip(order, crossed, strict=True)}

    def _rows(self, points: Mapping[str, NDArray[Any]]) -> tuple[Array, Array]:
        """(points, p + d) rows of X, dropped columns last, and their offset."""
        made = self.recipe.fixed_part(points, prod(map(len, self.values.values())))
        return np.hstack([made.X, made.dropped]), made.offset + self._offset

    @cached_property
    def _offset(self) -> float:
        """The mean of the offset that isn't in the formula."""
        if not (self.recipe.offset.column or self.recipe.offset.values):
            return 0.0
        return float(
            np.mean(self.design.offset - self.recipe.fixed_part(self.recipe.fitted, self.design.n).offset)
        )

    def _averaged(self, L: Array, c: Array) -> Functions:
        weights = self._weights()
        kept = L.reshape(len(L) // len(weights), len(weights), L.shape[1])
        means = np.einsum("o,mop->mp", weights, kept)
        dropped = Dropped.of(self.design, self.recipe)
        return Functions(self._index(), means, c.reshape(-1, len(weights)) @ weights, dropped, len(self.by))

    def _index(self) -> pd.Index:
        if not self.kept:
            return pd.Index(["all"], name="average")
        index = pd.MultiIndex.from_product([self._labels(name) for name in self.kept], names=self.kept)
        return index if len(self.kept) > 1 else index.get_level_values(0)

    def _weights(self) -> Array:
        """Of the combinations averaged over; they sum to 1.

        Rows are counted by levels; the values at which a number stands weigh alike.
        """
        sizes = [len(self.values[name]) for name in self.averaged]
        if self.options.averaging == "equal" or not sizes:
            return np.full(prod(sizes), 1 / prod(sizes))
        counted = [name for name in self.averaged if len(self.values[name]) > 1 and self._is_levelled(name)]
        places = [size if name in counted else 1 for name, size in zip(self.averaged, sizes, strict=True)]
        counts = np.broadcast_to(self._counts(counted).reshape(places), sizes)
        if not counts.sum():
            raise OptionError("no fitted row has a combination averaged over; use grid_weights='equal'")
        return np.ravel(counts / counts.sum())

    def _counts(self, names: Sequence[str]) -> Array:
        """How many fitted rows have each combination of the values of some variables."""
        places = [self._places(name) for name in names]
        there = np.all([place >= 0 for place in places], axis=0) if places else np.ones(1, dtype=bool)
        counts = np.zeros([len(self.values[name]) for name in names])
        rows = np.broadcast_to(there, self.design.n)
        np.add.at(counts, tuple(place[rows] for place in places), 1.0)
        return counts

    def _places(self, name: str) -> NDArray[np.int64]:
        """(n,) which of the grid's values each fitted row has, -1 for another."""
        own = self.recipe.fitted[name]
        return np.asarray(pd.Index(self.values[name]).get_indexer(pd.Index(own)), dtype=np.int64)
