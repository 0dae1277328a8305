"""Formula and data frame → design and recipe, all rows at once."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from math import isfinite
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from bayeslmm.errors import DesignWarning, caution

from . import checks, residual_rows
from .block import Block, RowsOfBlock
from .covariance import CovarianceStructure
from .design import Design, RandomPart, RowsInMemory
from .factors import Coding, Factor, Grouping, coding_of, factor_of
from .given import row_values
from .identified import unidentified
from .known import with_known
from .materialize import train
from .model_spec import ModelSpec
from .one_of_many import warn_of_one_of_many
from .parsed import Bar
from .plain import Part
from .rank import independent_columns
from .recipe import OUTCOME, Apart, FixedTerm, Origin, Recipe, coded
from .residual import PriorWeights, Residual

type Array = NDArray[np.float64]
type Codes = NDArray[np.int64]


class Built(NamedTuple):
    """The design of the data, and the recipe that makes the design of new rows."""

    design: Design
    recipe: Recipe


class _Rows(NamedTuple):
    """The complete rows of the data: their columns, where they were, and the labels of all given."""

    columns: dict[str, pd.Series]
    rows: Codes
    labels: pd.Index

    def given(self, what: str, values: ArrayLike) -> Array:
        """The kept rows of one value a given row."""
        own = row_values(what, values, self.labels)
        return own[self.rows] if len(self.rows) < len(self.labels) else own


def build_in_memory(spec: ModelSpec, frame: pd.DataFrame) -> Built:
    """The design a specification makes of a table; raises and warns as `build` says."""
    frame = _own(frame)
    spec = spec.among(frame.columns)
    kept = _complete_rows(spec, frame)
    fitted, codings = _variables(spec, kept)
    variables = coded(fitted, codings)
    parts = train(spec.parsed.codes, variables, len(kept.rows), spec.functions)
    for part in parts.values():
        _check_part(part, kept.rows)
    y = _response(spec, parts, kept)
    X, columns, dropped = _full_rank(parts["fixed"])
    groupings, blocks = _blocks(spec, parts, kept)
    made_by, residual = _residual(spec, kept, lambda: X @ np.linalg.lstsq(X, y, rcond=None)[0])
    design = Design(
        observed=RowsInMemory(
            y=_frozen(y),
            offset=_frozen(_offset(spec, parts, kept)),
            X=_frozen(X),
            rows=_frozen(kept.rows),
        ),
        random=RandomPart.of(blocks, residual),
        residual=residual,
        coefs=tuple(parts["fixed"].names[column] for column in columns.tolist()),
        dropped=dropped,
        n_missing=len(frame) - len(kept.rows),
        response=spec.response,
        labels=frame.index,
    )
    if reason := unidentified(design, spec.bars):
        design = replace(design, unidentified=reason)
    else:
        warn_of_one_of_many(design)
    origin = Origin(spec, frame)
    return Built(design, make_recipe(spec, parts, fitted, codings, columns, groupings, made_by, origin))


def _own(frame: pd.DataFrame) -> pd.DataFrame:
    """A shallow copy, which what is written into the user's frame later stays out of.

    Without `attrs`, which pandas would copy with every column.
    """
    own = frame.copy(deep=False)
    own.attrs = {}
    return own


def column_roles(spec: ModelSpec) -> dict[str, str]:
    """What each column is for; the response first, so that it is named first in an error."""
    named = [(name, "response") for name in spec.parsed.outcome.variables]
    named += [(name, "column") for name in spec.parsed.variables]
    named += [(name, "grouping factor") for bar in spec.bars for name in bar.columns]
    named += [
        (name, what)
        for what, name in (("offset", spec.offset), ("weights", spec.weights))
        if isinstance(name, str)
    ]
    named += residual_rows.columns_of(spec.correlation, spec.variances).items()
    roles: dict[str, str] = {}
    for name, role in named:
        roles.setdefault(name, role)
    return roles


def _complete_rows(spec: ModelSpec, frame: pd.DataFrame) -> _Rows:
    """The rows with no missing value in any column the model uses (missing weights are an error instead)."""
    roles, n = column_roles(spec), len(frame)
    checks.check_columns(roles, frame.columns)
    columns = {name: frame[name] for name in roles}
    missing = _missing(spec, roles, columns, frame.index)
    rows = np.flatnonzero(~np.logical_or.reduce(list(missing.values()))) if missing else np.arange(n)
    counts = {name: int(np.count_nonzero(gone)) for name, gone in missing.items()}
    checks.check_missing(counts, n, len(rows), spec.missing == "drop")
    if missing:
        columns = {name: column.iloc[rows] for name, column in columns.items()}
    return _Rows(columns, rows, frame.index)


def _missing(
    spec: ModelSpec, roles: Mapping[str, str], columns: Mapping[str, pd.Series], labels: pd.Index
) -> dict[str, NDArray[np.bool_]]:
    """Which values are missing (n,), of every column in which one is."""
    masks = {name: checks.missing(columns[name]) for name in roles if roles[name] != "weights"}
    if spec.offset is not None and not isinstance(spec.offset, str):
        masks["offset"] = np.isnan(row_values("offset", spec.offset, labels))
    return {name: gone for name, gone in masks.items() if gone.any()}


def _variables(spec: ModelSpec, kept: _Rows) -> tuple[dict[str, NDArray[Any]], dict[str, Coding]]:
    """The formula's columns, a factor's as codes, and the codings of those that are factors."""
    names = spec.parsed.variables
    for name in spec.parsed.outcome.variables:
        checks.check_response_column(name, kept.columns[name])
    for offset in spec.offsets:
        checks.check_offset_columns({name: kept.columns[name] for name in offset.variables})
    factors = {
        name: factor_of(kept.columns[name]) for name in names if checks.is_factor(name, kept.columns[name])
    }
    checks.check_contrasts(spec.contrasts, factors, names)
    codings = {name: _coding(name, factor, spec) for name, factor in factors.items()}
    codes = {name: factor.codes for name, factor in factors.items()}
    plain = {name: checks.numbers(name, kept.columns[name]) for name in names if name not in factors}
    for name, column in plain.items():
        checks.check_finite(name, column, kept.rows)
    return codes | plain, codings


def _coding(name: str, factor: Factor, spec: ModelSpec) -> Coding:
    checks.check_fixed_factor(name, factor.levels)
    checks.warn_of_dates(name, factor.levels)
    return coding_of(name, factor, spec.contrasts.get(name))


def _check_part(part: Part, rows: Codes) -> None:
    if not isfinite(part.matrix.sum()):
        for name, column in zip(part.names, part.matrix.T, strict=True):
            checks.check_finite(name, column, rows)


def _response(spec: ModelSpec, parts: Mapping[str, Part], kept: _Rows) -> Array:
    outcome = parts[OUTCOME]
    checks.check_one_column(spec.response, outcome.matrix.shape[1])
    y = outcome.matrix[:, 0].copy()
    checks.check_response_varies(spec.response, float(y[0]), bool((y != y[0]).any()), spec.sigma_free)
    return y


def _offset(spec: ModelSpec, parts: Mapping[str, Part], kept: _Rows) -> Array:
    """The sum of the formula's offsets and the one given apart."""
    own = [part.matrix[:, 0] for name, part in parts.items() if name.startswith("offset")]
    if isinstance(spec.offset, str):
        own.append(checks.number_column("offset", kept.columns[spec.offset]))
    elif spec.offset is not None:
        own.append(kept.given("offset", spec.offset))
    total = sum(own, np.zeros(len(kept.rows)))
    checks.check_finite("offset", total, kept.rows)
    return total


def _residual(
    spec: ModelSpec, kept: _Rows, fitted: Callable[[], Array]
) -> tuple[residual_rows.ResidualRows | None, Residual]:
    weights, n = _weights(spec, kept), len(kept.rows)
    if spec.correlation is None and spec.variance is None:
        return None, PriorWeights(n, spec.sigma) if weights is None else PriorWeights.of(weights, spec.sigma)
    own = {} if weights is None else {"weights": weights}
    return residual_rows.learn(spec.correlation, spec.variances, kept.columns, own, n, fitted, spec.sigma)


def _weights(spec: ModelSpec, kept: _Rows) -> Array | None:
    if spec.weights is None:
        return None
    if isinstance(spec.weights, str):
        weights = checks.number_column("weights", kept.columns[spec.weights])
    else:
        weights = kept.given("weights", spec.weights)
    checks.check_weights(weights)
    return _frozen(weights)


def _full_rank(fixed: Part) -> tuple[Array, NDArray[np.intp], tuple[str, ...]]:
    """X with the columns that depend on earlier ones left out, which they are, and the others' names."""
    matrix = fixed.matrix
    columns = independent_columns(matrix)
    checks.check_rank(len(columns), len(matrix), fixed.names)
    dropped = dropped_columns(fixed.names, columns)
    return (np.ascontiguousarray(matrix[:, columns]) if dropped else matrix), columns, dropped


def dropped_columns(names: tuple[str, ...], kept: NDArray[np.intp]) -> tuple[str, ...]:
    """Names of the columns that aren't kept; warns of them."""
    dropped = tuple(name for place, name in enumerate(names) if place not in kept.tolist())
    if dropped:
        caution(
            f"fixed-effects columns dropped because they depend on earlier ones: {', '.join(dropped)}",
            DesignWarning,
        )
    return dropped


def _blocks(
    spec: ModelSpec, parts: Mapping[str, Part], kept: _Rows
) -> tuple[tuple[Grouping, ...], tuple[Block, ...]]:
    factors: dict[str, Factor] = {}
    for name in dict.fromkeys(column for bar in spec.bars for column in bar.columns):
        checks.check_grouping_column(name, kept.columns[name])
        factors[name] = factor_of(kept.columns[name])
    made = [_block(spec, group, parts, factors) for group in spec.groups]
    return tuple(grouping for grouping, _ in made), tuple(block for _, block in made)


def _block(
    spec: ModelSpec, group: str, parts: Mapping[str, Part], factors: Mapping[str, Factor]
) -> tuple[Grouping, Block]:
    places = spec.bars_of(group)
    names = spec.bars[places[0]].columns
    grouping, codes = Grouping.learn(names, [factors[name] for name in names])
    n_observed, known = len(grouping.levels), None
    if group in spec.covariance:
        grouping, known = with_known(grouping, spec.covariance[group])
        known = _frozen(known)
    own = [parts[f"bar_{place}"] for place in places]
    coefs = tuple(name for part in own for name in part.names)
    checks.check_grouping(group, n_observed)
    checks.check_repeats(group, coefs)
    for place, part in zip(places, own, strict=True):
        check_visits(spec.bars[place], part)
    structures = tuple(
        structure_of(spec.bars[place], part.names, part.matrix.any(axis=0))
        for place, part in zip(places, own, strict=True)
    )
    columns = _frozen(own[0].matrix if len(own) == 1 else np.hstack([part.matrix for part in own]))
    rows = RowsOfBlock(_frozen(codes), columns)
    return grouping, Block(group, grouping.levels, coefs, structures, places, rows, known)


def check_visits(bar: Bar, part: Part) -> None:
    """A structure that goes by visits has a factor of visits on its left side."""
    if CovarianceStructure.kind(bar.keyword).by_visit:
        checks.check_visits(bar, bool(part.trained.factors))


def structure_of(bar: Bar, coefs: tuple[str, ...], nonzero: NDArray[np.bool_]) -> CovarianceStructure:
    """The covariance structure of a bar; `nonzero` says which left-hand columns aren't all 0."""
    checks.check_left_side(bar, nonzero, coefs)
    return CovarianceStructure.kind(bar.keyword)(len(coefs))


def make_recipe(
    spec: ModelSpec,
    parts: Mapping[str, Part],
    fitted: Mapping[str, NDArray[Any]],
    codings: Mapping[str, Coding],
    columns: NDArray[np.intp],
    groupings: tuple[Grouping, ...],
    residual: residual_rows.ResidualRows | None = None,
    origin: Origin | None = None,
) -> Recipe:
    """All that was learnt about making columns; `fitted` are the formula's columns at the fitted rows."""
    variables = {name: spec.parsed.parts[name].variables for name in parts}
    used = {name for part, names in variables.items() for name in names if part != OUTCOME}
    return Recipe(
        trained={name: part.trained for name, part in parts.items()},
        variables=variables,
        codings={name: coding for name, coding in codings.items() if name in used},
        kept=columns,
        terms=tuple(_fixed_terms(parts["fixed"], columns)),
        groupings=groupings,
        bars=tuple(tuple(f"bar_{place}" for place in spec.bars_of(group)) for group in spec.groups),
        offset=Apart.of("offset", spec.offset),
        weights=Apart.of("weights", spec.weights),
        fitted={name: fitted[name] for name in sorted(used & fitted.keys())},
        residual=residual,
        origin=origin,
    )


def _fixed_terms(fixed: Part, columns: NDArray[np.intp]) -> Iterator[FixedTerm]:
    place = {column: number for number, column in enumerate(columns.tolist())}
    first = 0
    for term in fixed.trained.terms:
        indexes = range(first, first + len(term.columns))
        kept = tuple(place[index] for index in indexes if index in place)
        yield FixedTerm(":".join(term.factors) or "Intercept", term.factors, kept)
        first = indexes.stop


def _frozen[A: NDArray[Any]](array: A) -> A:
    array.setflags(write=False)
    return array
