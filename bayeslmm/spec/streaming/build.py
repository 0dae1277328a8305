"""Formula and a source of rows → design and recipe, in two passes.

The first pass takes the census. From it the levels follow, and with them the columns' names; a sample of rows
trains the formula (which is stateless) and gives the coordinates the second pass computes in. When the
columns that the sample shows to be independent aren't those of all rows, the second pass is made once more.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayeslmm.errors import DataError, OptionError
from bayeslmm.kernel.kernel import Kernel
from bayeslmm.kernel.problem.blocks import BlockSize
from bayeslmm.kernel.problem.elimination import Elimination
from bayeslmm.kernel.problem.streaming import Basis, finish, geometry, plan_of
from bayeslmm.spec import checks, in_memory
from bayeslmm.spec.block import Block
from bayeslmm.spec.design import Design, MeanSd, RandomPart, Scales
from bayeslmm.spec.factors import Coding, Factor, Grouping, coding_of
from bayeslmm.spec.identified import unidentified
from bayeslmm.spec.known import with_known
from bayeslmm.spec.materialize import train
from bayeslmm.spec.model_spec import ModelSpec
from bayeslmm.spec.plain import Part
from bayeslmm.spec.rank import independent_columns
from bayeslmm.spec.recipe import Recipe, coded
from bayeslmm.spec.relative import CovarianceMap
from bayeslmm.spec.residual import PriorWeights, Residual

from .census import Census, Codes, Columns, Levels, Question, distinct, merge, take
from .design import ColumnsElsewhere, IncidenceElsewhere, RowsInChunks
from .rows import RowMaker, Second, add, all_columns, second
from .source import Source
from .stateless import check_stateless

type Array = NDArray[np.float64]


class _Learnt(NamedTuple):
    """What the first pass settles.

    Attributes
    ----------
    parts : of the formula at the sample's rows. maker : how frames become rows.
    known : lower factor of each block's known covariance, or None. pairs : levels of two blocks that occur
        together.
    """

    census: Census
    parts: dict[str, Part]
    maker: RowMaker
    known: tuple[Array | None, ...]
    pairs: dict[tuple[int, int], Codes]
    sample: pd.DataFrame


def build_streamed(spec: ModelSpec, source: Source) -> in_memory.Built:
    """The design a specification makes of a source, its rows left where they are.

    Raises
    ------
    DataError, FormulaError, OptionError
        As for data in memory; and for a term that needs all rows at once, or values given apart.
    """
    spec = spec.among(source.columns)
    _check_spec(spec)
    learnt = _first_pass(spec, source)
    basis = _basis(learnt)
    basis, found, plan = _second_pass(learnt, basis, source)
    return _built(spec, source, learnt, basis, found, plan)


def _check_spec(spec: ModelSpec) -> None:
    for what, given in (("weights", spec.weights), ("offset", spec.offset)):
        if given is not None and not isinstance(given, str):
            raise OptionError(
                f"{what}= is the name of a column where the data are read in chunks, not values"
            )
    if spec.correlation is not None or spec.variance is not None:
        raise OptionError(
            "a residual with correlation= or variance= is computed from all rows at each of its "
            "parameters, and rows "
            "that are read in chunks aren't kept; give a DataFrame that fits in memory"
        )
    check_stateless(spec.parsed.codes.values())


def _first_pass(spec: ModelSpec, source: Source) -> _Learnt:
    roles = in_memory.column_roles(spec)
    checks.check_columns(roles, pd.Index(source.columns))
    columns = tuple(roles)
    head = _head(source, columns)
    variables = spec.parsed.variables
    shown = tuple(name for name in variables if checks.is_factor(name, head[name]))
    _check_columns(spec, head, variables, shown)
    question = _question(spec, roles, shown)
    census = source.reduce(columns, partial(take, question), partial(merge, question))
    assert census is not None
    checks.check_missing(census.missing, census.n_given, census.n, spec.missing == "drop")
    learnt = _learn(spec, columns, variables, shown, question, census)
    if not all(np.isfinite(part.matrix).all() for part in learnt.parts.values()):
        source.reduce(columns, learnt.maker.check, lambda a, b: None)  # raises, and knows where
    return learnt


def _head(source: Source, columns: Columns) -> pd.DataFrame:
    """Some rows, for the kinds of the columns."""
    frame = next(iter(source.frames(columns)), None)
    if frame is None:
        raise DataError("the data have no rows")
    return frame.head(1000)


def _check_columns(spec: ModelSpec, head: pd.DataFrame, variables: Columns, shown: Columns) -> None:
    for name in spec.parsed.outcome.variables:
        checks.check_response_column(name, head[name])
    for offset in spec.offsets:
        checks.check_offset_columns({name: head[name] for name in offset.variables})
    checks.check_contrasts(spec.contrasts, shown, variables)


def _question(spec: ModelSpec, roles: Mapping[str, str], shown: Columns) -> Question:
    groups = [spec.bars[spec.bars_of(group)[0]].columns for group in spec.groups]
    pairs = [tuple(dict.fromkeys(a + b)) for a, b in combinations(groups, 2)]
    factors = tuple(dict.fromkeys([*shown, *(name for group in groups for name in group)]))
    complete = tuple(name for name, role in roles.items() if role != "weights")
    return Question(complete, factors, shown, tuple(dict.fromkeys([*groups, *pairs])))


def _learn(
    spec: ModelSpec,
    columns: Columns,
    variables: Columns,
    shown: Columns,
    question: Question,
    census: Census,
) -> _Learnt:
    ordered = {name: Levels.of(found) for name, found in census.values.items()}
    levels = {name: own for name, (own, _) in ordered.items()}
    moved = {
        names: np.stack([ordered[name][1][codes[:, place]] for place, name in enumerate(names)], axis=1)
        for names, codes in census.combinations.items()
    }
    sample = pd.concat([census.firsts, census.sample])
    codings = {name: _coding(spec, name, levels[name]) for name in shown}
    values = {
        name: levels[name].codes(sample[name]) if name in codings else checks.numbers(name, sample[name])
        for name in variables
    }
    parts = train(spec.parsed.codes, coded(values, codings), len(sample), spec.functions)
    groupings, known = _groupings(spec, levels, moved)
    maker = RowMaker(
        columns=columns,
        complete=question.complete,
        trained={name: part.trained for name, part in parts.items()},
        variables=variables,
        codings=codings,
        levels=levels,
        groupings=groupings,
        bars=tuple(tuple(f"bar_{place}" for place in spec.bars_of(group)) for group in spec.groups),
        weights=spec.weights if isinstance(spec.weights, str) else None,
        offset=spec.offset if isinstance(spec.offset, str) else None,
        sigma=spec.sigma,
    )
    return _Learnt(census, parts, maker, known, _pairs(groupings, moved), sample)


def _coding(spec: ModelSpec, name: str, levels: Levels) -> Coding:
    checks.check_fixed_factor(name, levels.labels)
    none = np.zeros(0, dtype=np.int64)
    return coding_of(name, Factor(levels.labels, none, levels.ordered), spec.contrasts.get(name))


def _groupings(
    spec: ModelSpec, levels: Mapping[str, Levels], combined: Mapping[Columns, Codes]
) -> tuple[tuple[Grouping, ...], tuple[Array | None, ...]]:
    groupings: list[Grouping] = []
    factors: list[Array | None] = []
    for group in spec.groups:
        names = spec.bars[spec.bars_of(group)[0]].columns
        parts = tuple(levels[name].labels for name in names)
        grouping, known = Grouping.of_combinations(names, parts, list(combined[names].T)), None
        if group in spec.covariance:
            grouping, known = with_known(grouping, spec.covariance[group])
        groupings.append(grouping)
        factors.append(known)
    return tuple(groupings), tuple(factors)


def _pairs(
    groupings: tuple[Grouping, ...], combined: Mapping[Columns, Codes]
) -> dict[tuple[int, int], Codes]:
    """Levels of two grouping factors that share a row, each pair once."""
    out = {}
    for (a, one), (b, two) in combinations(enumerate(groupings), 2):
        names = tuple(dict.fromkeys(one.columns + two.columns))
        codes = dict(zip(names, combined[names].T, strict=True))
        own = [each.place([codes[name] for name in each.columns]) for each in (one, two)]
        out[a, b] = distinct(np.stack(own, axis=1))
    return out


def _basis(learnt: _Learnt) -> Basis:
    """Coordinates from the sample."""
    maker, parts, sample = learnt.maker, learnt.parts, learnt.sample
    X, whiten = parts["fixed"].matrix, maker.residual(sample).whiten
    y = maker.response(parts) - maker.offsets(sample, parts)
    kept = independent_columns(whiten(X))
    return Basis.of(y, X, kept, maker.left_sides(parts), whiten)


def _second_pass(learnt: _Learnt, basis: Basis, source: Source) -> tuple[Basis, Second, Elimination]:
    maker, parts = learnt.maker, learnt.parts
    columns = maker.left_sides(parts)
    centres = all_columns(maker.response(parts), parts["fixed"].matrix, columns)[0]
    shapes = [
        BlockSize(len(grouping.levels), z.shape[1], known)
        for grouping, z, known in zip(maker.groupings, columns, learnt.known, strict=True)
    ]
    while True:
        plan = plan_of(shapes, learnt.pairs, basis.p)
        found = source.reduce(maker.columns, partial(second, maker, plan, basis, centres), add)
        assert found is not None
        R = geometry(basis, found.products)
        kept = independent_columns(R)
        if np.array_equal(kept, basis.order[: basis.p]):
            return basis, found, plan
        basis = basis.with_kept(R, kept)


def _built(
    spec: ModelSpec, source: Source, learnt: _Learnt, basis: Basis, found: Second, plan: Elimination
) -> in_memory.Built:
    n, kept = found.products.n, basis.order[: basis.p].astype(np.intp)
    fixed = learnt.parts["fixed"]
    scales = _scales(found, len(fixed.names), learnt, kept)
    checks.check_response_varies(
        spec.response, float(found.spread.centres[0]), scales.y_sd > 0, spec.sigma_free
    )
    checks.check_rank(len(kept), n, fixed.names)
    dropped = in_memory.dropped_columns(fixed.names, kept)
    blocks = tuple(
        _block(spec, group, place, learnt, found.products.grams[place])
        for place, group in enumerate(spec.groups)
    )
    factors = learnt.known if any(L is not None for L in learnt.known) else ()
    grams = [gram / n for gram in found.products.grams]
    kernel = Kernel(finish(plan, basis, found.products), factors)
    design = Design(
        observed=RowsInChunks(n, kernel, scales, kept, source, learnt.maker),
        random=RandomPart(blocks, CovarianceMap.of_grams(blocks, grams)),
        residual=_residual(learnt.maker, n),
        coefs=tuple(fixed.names[column] for column in kept),
        dropped=dropped,
        n_missing=learnt.census.n_given - n,
        response=spec.response,
    )
    design = replace(design, unidentified=unidentified(design, spec.bars))
    return in_memory.Built(design, _recipe(spec, learnt, kept))


def _residual(maker: RowMaker, n: int) -> Residual:
    """σ and R; what it takes from the rows raises."""
    return PriorWeights(n, maker.sigma, {} if maker.weights is None else ColumnsElsewhere(("weights",)))


def _scales(found: Second, n_fixed: int, learnt: _Learnt, kept: NDArray[np.intp]) -> Scales:
    mean, sd = found.spread.mean, found.spread.sd
    own, first = [], 1 + n_fixed
    for columns in learnt.maker.left_sides(learnt.parts):
        part = slice(first, first + columns.shape[1])
        own.append(MeanSd(mean[part], sd[part]))
        first = part.stop
    return Scales(float(sd[0]), MeanSd(mean[1 + kept], sd[1 + kept]), tuple(own))


def _block(spec: ModelSpec, group: str, place: int, learnt: _Learnt, gram: Array) -> Block:
    grouping, known = learnt.maker.groupings[place], learnt.known[place]
    places = spec.bars_of(group)
    own = [learnt.parts[bar] for bar in learnt.maker.bars[place]]
    coefs = tuple(name for part in own for name in part.names)
    checks.check_grouping(group, len(grouping.levels))
    checks.check_repeats(group, coefs)
    structures, first = [], 0
    for number, part in zip(places, own, strict=True):
        in_memory.check_visits(spec.bars[number], part)
        nonzero = np.diag(gram)[first : first + len(part.names)] > 0
        first += len(part.names)
        structures.append(in_memory.structure_of(spec.bars[number], part.names, nonzero))
    return Block(group, grouping.levels, coefs, tuple(structures), places, IncidenceElsewhere(), known)


def _recipe(spec: ModelSpec, learnt: _Learnt, kept: NDArray[np.intp]) -> Recipe:
    parts, maker = learnt.parts, learnt.maker
    recipe = in_memory.make_recipe(spec, parts, {}, maker.codings, kept, maker.groupings)
    return replace(recipe, fitted=ColumnsElsewhere())
