"""The hypotheses of an analysis of variance: for each term of the fixed part, rows L of Lβ = 0.

Type I asks what a term adds to those before it, II what it adds to all that don't contain it, III what
remains of it when everything else is in the model, averaged evenly over the levels of what contains it. All
as lmerTest (Kuznetsova, Brockhoff & Christensen 2017) has them, which follows SAS.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayeslmm.errors import OptionError
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.spec.factors import Coding, Factor, coding_of
from bayeslmm.spec.materialize import train
from bayeslmm.spec.plain import Part
from bayeslmm.spec.rank import independent_columns
from bayeslmm.spec.recipe import FixedTerm, Recipe, coded

type Array = NDArray[np.float64]
type Columns = list[int]


@dataclass(frozen=True, slots=True, eq=False)
class FixedPart:
    """The fixed part of a fit as an analysis of variance sees it.

    Attributes
    ----------
    X : (n, p). terms : with columns in X, the intercept left out. recipe : codings and the formula's columns.
    """

    X: Array
    terms: tuple[FixedTerm, ...]
    recipe: Recipe

    @classmethod
    def of(cls, fit: Fitted) -> "FixedPart":
        """The fixed part of a fit made from a formula."""
        if fit.recipe is None:
            raise OptionError("this fit was made from a bare design; its terms aren't known: fit a model")
        terms = tuple(term for term in fit.recipe.terms if term.factors and term.columns)
        return cls(fit.design.X, terms, fit.recipe)

    def containing(self, term: FixedTerm) -> list[FixedTerm]:
        """Terms that contain this one: more factors, and the same covariates."""
        return [other for other in self.terms if self._contains(other, term)]

    def _contains(self, other: FixedTerm, term: FixedTerm) -> bool:
        more, own = set(other.factors), set(term.factors)
        return own < more and more - own <= self.recipe.trained["fixed"].factors


def contrasts(fit: Fitted, type_: int) -> dict[str, Array]:
    """L (rows, p) of every term, by name.

    Raises
    ------
    OptionError
        For a type that isn't 1, 2 or 3.
    """
    if type_ not in TYPES:
        raise OptionError(
            f"type is {type_!r}; the types of analysis of variance are 1, 2 and 3; "
            "fits are compared by bl.anova(smaller, larger)"
        )
    part = FixedPart.of(fit)
    return TYPES[type_](part) if part.terms else {}


def sequential(X: Array) -> Array:
    """(p, p) unit upper triangular: row j is what column j adds to those before it, from XᵀX = LDLᵀ."""
    R = np.linalg.qr(X, mode="r")
    rows: Array = R / np.diag(R)[:, None]
    return rows


def type_one(part: FixedPart) -> dict[str, Array]:
    """What each term adds to those before it; weights aren't used."""
    rows = sequential(part.X)
    return {term.name: rows[list(term.columns)] for term in part.terms}


def type_two(part: FixedPart) -> dict[str, Array]:
    """What each term adds to all those that don't contain it."""
    if len(part.terms) == 1:
        return type_one(part)
    return {term.name: _added(part, term) for term in part.terms}


def _added(part: FixedPart, term: FixedTerm) -> Array:
    p = part.X.shape[1]
    own = list(term.columns)
    containing = [column for other in part.containing(term) for column in other.columns]
    if not containing:
        return np.eye(p)[own]
    others = [column for column in range(p) if column not in own and column not in containing]
    order = [*others, *own, *containing]
    rows = sequential(part.X[:, order])[len(others) : len(others) + len(own)]
    return rows[:, np.argsort(order)]


def type_three(part: FixedPart) -> dict[str, Array]:
    """What remains of each term beside all others, free of how factors are coded.

    Under treatment coding the columns of X are some of the overparametrized model's, one a cell: F = X C. The
    rows of C, estimable functions of its coefficients, are made orthogonal within each term to those of the
    terms that contain it; of each, the elements of X's own columns are a hypothesis about X's coefficients,
    which is then carried to the model's coding.
    """
    if len(part.terms) == 1:
        return type_one(part)
    cells, X, columns_of = _overparametrized(part)
    inverse = np.linalg.pinv(X)
    functions = (inverse @ np.hstack(list(cells.values()))).T
    for term in sorted(part.terms, key=lambda term: -len(term.factors)):
        above = [column for other in part.containing(term) for column in columns_of[other.name]]
        if above:
            own = columns_of[term.name]
            functions[:, own] = _residual(functions[:, own], functions[:, above])
    kept = functions[_places(X, columns_of, cells)]
    to_model = inverse @ part.X
    return {term.name: kept[:, columns_of[term.name]].T @ to_model for term in part.terms}


def _overparametrized(part: FixedPart) -> tuple[dict[str, Array], Array, dict[str, Columns]]:
    """Columns of every term with one a cell; and X under treatment coding, with each term's columns in it."""
    trained, recipe = part.recipe.trained["fixed"], part.recipe
    terms = [term.text for term in trained.terms]
    parts = {"coding": " + ".join(["0", *terms])}
    parts |= {f"cells_{place}": f"0 + {term}" for place, term in enumerate(terms)}
    names = recipe.variables["fixed"]
    columns = coded({name: recipe.fitted[name] for name in names}, recipe.codings)
    made = train(parts, columns, len(part.X), trained.functions, _treatment)
    cells = {term: made[f"cells_{place}"].matrix for place, term in enumerate(_names(recipe))}
    return cells, *_full_rank(made["coding"], _names(recipe))


def _names(recipe: Recipe) -> list[str]:
    return [term.name for term in recipe.terms]


def _treatment(coding: Coding) -> Coding:
    return coding_of(coding.name, Factor(coding.levels, np.zeros(0, dtype=np.int64)), "treatment")


def _full_rank(coding: Part, names: list[str]) -> tuple[Array, dict[str, Columns]]:
    """Independent columns, and which of them are each term's."""
    kept = independent_columns(coding.matrix)
    place = {int(column): number for number, column in enumerate(kept)}
    columns_of, first = {}, 0
    for name, term in zip(names, coding.trained.terms, strict=True):
        columns_of[name] = [place[c] for c in range(first, first + len(term.columns)) if c in place]
        first += len(term.columns)
    return coding.matrix[:, kept], columns_of


def _residual(left: Array, right: Array) -> Array:
    """What the columns on the right leave of those on the left."""
    rest: Array = left - right @ np.linalg.lstsq(right, left, rcond=None)[0]
    return rest


def _places(X: Array, columns_of: dict[str, Columns], cells: dict[str, Array]) -> list[int]:
    """Where each column of X is among the cells' columns."""
    places, first = {}, 0
    for name, matrix in cells.items():
        for column in columns_of[name]:
            gaps = np.max(np.abs(matrix - X[:, [column]]), axis=0)
            places[column] = first + int(np.argmin(gaps))
        first += matrix.shape[1]
    return [places[column] for column in range(X.shape[1])]


TYPES: dict[int, Callable[[FixedPart], dict[str, Array]]] = {1: type_one, 2: type_two, 3: type_three}
