"""What is asked of rows to predict, by either engine: options, chosen effects, unseen levels, index."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from bayeslmm.errors import DataError, OptionError, check_choice, check_prob, check_seed

from .block import Block, block_matrix
from .checks import as_frame, check_columns
from .design import Design
from .factors import Grouping, interaction_label, labels_of
from .recipe import BlockRows, Recipe
from .residual import PriorWeights, Residual
from .residual_rows import ResidualRows

if TYPE_CHECKING:
    from scipy.sparse import csr_array

type Array = NDArray[np.float64]
type Codes = NDArray[np.int64]
type Mask = NDArray[np.bool_]
type Random = str | Iterable[str]
type NewLevels = Literal["error", "population", "draw"]
type PredictInterval = Literal["confidence", "prediction"] | None
type Prediction = "pd.Series[float] | pd.DataFrame"

NEW_LEVELS = ("error", "population", "draw")
INTERVALS = (None, "confidence", "prediction")


@dataclass(frozen=True, slots=True, eq=False)
class PredictOptions:
    """How to predict.

    Attributes
    ----------
    random : "all", "none", or names of groups ("Subject") and of single effects ("Subject: Days").
    new_levels : a level that wasn't fitted is an "error", or its effect is the "population"'s 0, or a "draw"
        from its distribution; where the covariance between levels is known, as one unrelated to all others.
        An interval counts the variance of such an effect, and lies around the population's 0.
    interval : None, "confidence" (of the mean, the chosen random effects' error included) or "prediction" (of
        a new observation: residual and random effects left out are added). prob : of it.
    seed : of what is drawn.
    weights, offset : of new rows, a column or values; None for the columns that the model names.
    """

    random: Random = "all"
    new_levels: str = "error"
    interval: str | None = None
    prob: float = 0.95
    seed: int = 0
    weights: str | ArrayLike | None = None
    offset: str | ArrayLike | None = None

    def __post_init__(self) -> None:
        """Check the options.

        Raises
        ------
        OptionError
            For an unknown choice, a probability outside (0, 1), or a seed that is none.
        """
        check_choice("new_levels", self.new_levels, NEW_LEVELS)
        check_choice("interval", self.interval, INTERVALS)
        check_prob(self.prob)
        check_seed(self.seed)

    @property
    def of_observation(self) -> bool:
        """Is it about a new observation? Otherwise about its mean."""
        return self.interval == "prediction"

    @property
    def draws_levels(self) -> bool:
        """Does the prediction hold drawn effects? An interval holds their variance."""
        return self.new_levels == "draw" and self.interval is None

    @property
    def tails(self) -> tuple[float, float]:
        """Probabilities below the interval's limits."""
        return (1 - self.prob) / 2, (1 + self.prob) / 2


@dataclass(frozen=True, slots=True, eq=False)
class EffectRows:
    """What rows ask of one grouping factor's effects.

    Attributes
    ----------
    Z : (m, q) sparse, the chosen coefs at the fitted levels.
    unknown : (m, k) columns of effects that the data don't tell: a chosen coef at an unseen level, and for an
        observation every coef that isn't in Z.
    level_sd : (m,) sd of the row's level relative to T's.
    newcomers : the unseen levels. newcomer : (m,) which of them a row has, -1 for none.
    codes : (m,) which of the fitted levels a row has, -1 for none.
    """

    Z: "csr_array"
    unknown: Array
    level_sd: Array
    newcomers: tuple[str, ...]
    newcomer: Codes
    codes: Codes

    def unknown_variances(self, factor: Array, rows: slice) -> Array:
        """Variance of zᵀb of the unknown effects, b ~ N(0, FFᵀ), by one F (k, k) or many (..., k, k)."""
        root = (self.level_sd[rows, None] * self.unknown[rows]) @ factor
        return np.asarray(np.einsum("...ij,...ij->...i", root, root))

    def drawn(self, factor: Array, generator: np.random.Generator) -> Array:
        """(m,) zᵀb of the unseen levels, one b ~ N(0, FFᵀ) a level."""
        effects = generator.standard_normal((len(self.newcomers), len(factor))) @ factor.T
        own = np.vstack([effects, np.zeros(len(factor))])[self.newcomer]
        return np.asarray(np.sum(self.unknown * own, axis=1))


@dataclass(frozen=True, eq=False)
class PredictedRows:
    """Rows to predict.

    Attributes
    ----------
    X : (m, p). offset : (m,). residual : theirs. effects : by grouping factor.
    rows : (m,) places in `index`. index : of the answer; places not in `rows` stay NaN.
    told : (m,) of the residual's variance over σ², what observed rows correlated with it tell; 0 for none.
    """

    X: Array
    offset: Array
    residual: Residual
    effects: tuple[EffectRows, ...]
    rows: Codes
    index: pd.Index
    told: Array | float = 0.0

    @property
    def noise(self) -> Array:
        """(m,) variance over σ² of the residuals, given the observed rows they are correlated with."""
        return np.maximum(self.residual.variances() - self.told, 0.0)

    @cached_property
    def Z(self) -> "csr_array":
        """(m, q) sparse: chosen coefs at fitted levels, block by block."""
        from scipy.sparse import csr_array, hstack

        parts = [part.Z for part in self.effects]
        return csr_array(hstack(parts, format="csr")) if parts else csr_array((len(self.X), 0))

    def unknown_variances(self, factors: Iterable[Array], rows: slice = slice(None)) -> Array:
        """Variance of all that the data don't tell of the random effects, given each block's factor of T."""
        parts = zip(self.effects, factors, strict=True)
        return sum(
            (part.unknown_variances(factor, rows) for part, factor in parts), np.zeros(len(self.offset[rows]))
        )

    def drawn(self, factors: Iterable[Array], generator: np.random.Generator) -> Array:
        """(m,) the unseen levels' part, drawn."""
        parts = zip(self.effects, factors, strict=True)
        return sum((part.drawn(factor, generator) for part, factor in parts), np.zeros(len(self.X)))

    def placed(self, values: Array) -> Array:
        """Values (..., m) at their places in `index`, NaN at rows that can't be predicted."""
        out = np.full((*values.shape[:-1], len(self.index)), np.nan)
        out[..., self.rows] = values
        return out

    def answer(self, **columns: Array) -> Prediction:
        """Values (m,) at the rows' labels: a Series of one column, a DataFrame of several."""
        placed = {name: self.placed(values) for name, values in columns.items()}
        frame = pd.DataFrame(placed, index=self.index)
        return frame if len(columns) > 1 else frame["prediction"]


def rows_to_predict(
    design: Design, recipe: Recipe | None, newdata: Any, options: PredictOptions
) -> PredictedRows:
    """The fitted rows, or new ones.

    Raises
    ------
    DataError
        When a column isn't there or of another kind, or a level is new and that is an error.
    OptionError
        When `random` names what isn't in the model, or values are given for the fitted rows.
    """
    chosen = chosen_coefs(design.blocks, options.random)
    rows = (
        _fitted_rows(design, chosen, options)
        if newdata is None
        else _new_rows(design, recipe, newdata, chosen, options)
    )
    if options.new_levels == "error":
        _check_levels(design.blocks, rows, chosen)
    return rows


def fitted_rows(design: Design) -> PredictedRows:
    """The fitted rows with all random effects."""
    return _fitted_rows(design, chosen_coefs(design.blocks, "all"), PredictOptions())


def chosen_coefs(blocks: Sequence[Block], random: Random) -> tuple[Mask, ...]:
    """Which coefs of each block are meant: one (k,) mask a block.

    Raises
    ------
    OptionError
        For what is no name, or none of these.
    """
    if isinstance(random, str) and random in ("all", "none"):
        return tuple(np.full(block.k, random == "all") for block in blocks)
    names = _names(random)
    known = [name for block in blocks for name in (block.group, *_effect_names(block))]
    for name in names:
        check_choice("random effect", name, ["all", "none", *known] if isinstance(random, str) else known)
    return tuple(
        np.array([block.group in names or effect in names for effect in _effect_names(block)], dtype=bool)
        for block in blocks
    )


def _names(random: Random) -> list[str]:
    if isinstance(random, str):
        return [random]
    names = list(random) if isinstance(random, Iterable) else [random]
    if not all(isinstance(name, str) for name in names):
        raise OptionError(
            f"random is {random!r}; it is 'all', 'none' (the population, R's re.form = NA), or a list of "
            "names of groups and effects"
        )
    return names


def _effect_names(block: Block) -> list[str]:
    return [f"{block.group}: {coef}" for coef in block.coefs]


def _fitted_rows(design: Design, chosen: tuple[Mask, ...], options: PredictOptions) -> PredictedRows:
    for what, given in (("weights", options.weights), ("offset", options.offset)):
        if given is not None:
            raise OptionError(f"{what}= is for new rows; the fitted rows have the model's: give newdata too")
    asked = [_Asked(BlockRows(block.columns, block.codes), []) for block in design.blocks]
    effects = _effects(design.blocks, asked, chosen, options.of_observation)
    rows = np.arange(design.n)
    return PredictedRows(design.X, design.offset, design.residual, effects, rows, design.index)


class _Asked(NamedTuple):
    """One grouping factor at the rows: columns, codes, and the names of the levels that no one has seen."""

    rows: BlockRows
    unseen: Sequence[str]


def _effects(
    blocks: Sequence[Block], asked: Sequence[_Asked], chosen: Sequence[Mask], of_observation: bool
) -> tuple[EffectRows, ...]:
    parts = zip(blocks, asked, chosen, strict=True)
    return tuple(_effect_rows(block, own, mask, of_observation) for block, own, mask in parts)


def _effect_rows(block: Block, asked: _Asked, mask: Mask, of_observation: bool) -> EffectRows:
    (columns, codes), unseen = asked
    told = mask & (codes >= 0)[:, None]
    newcomers = {name: place for place, name in enumerate(dict.fromkeys(unseen))}
    newcomer = np.full(len(codes), -1)
    if newcomers:
        newcomer[codes < 0] = [newcomers[name] for name in unseen]
    return EffectRows(
        Z=block_matrix(codes, columns * mask, block.n_levels),
        unknown=columns * ((mask | of_observation) & ~told),
        level_sd=np.sqrt(block.level_variances[codes]),
        newcomers=tuple(newcomers),
        newcomer=newcomer,
        codes=codes,
    )


def _check_levels(blocks: Sequence[Block], rows: PredictedRows, chosen: tuple[Mask, ...]) -> None:
    for block, part, mask in zip(blocks, rows.effects, chosen, strict=True):
        if mask.any() and part.newcomers:
            raise DataError(
                f"level {part.newcomers[0]!r} of grouping factor {block.group!r} wasn't in the fitted "
                "data; new_levels='population' predicts for an average level, 'draw' for a random one"
            )


def _new_rows(
    design: Design, recipe: Recipe | None, newdata: Any, chosen: tuple[Mask, ...], options: PredictOptions
) -> PredictedRows:
    if recipe is None:
        raise DataError("this result is of a bare design; new rows need the formula: use a LinearMixedModel")
    frame = new_frame(newdata)
    offset = recipe.offset.of_rows(frame, options.offset)
    weights = np.ones(len(frame))
    if options.of_observation:
        weights = recipe.weights.of_rows(frame, options.weights)
    made_by = recipe.residual if options.of_observation else None
    complete = np.flatnonzero(~np.isnan(offset + weights) & _has_columns(frame, made_by))
    wanted = [mask.any() or options.of_observation for mask in chosen]
    used = frame.iloc[complete].assign(**_absent_columns(recipe, frame, chosen))
    new = recipe.replay(used, [one.name for one, want in zip(recipe.groupings, wanted, strict=True) if want])
    rows = complete[new.rows]
    asked = list(_asked(design.blocks, recipe, new.blocks, used.iloc[new.rows]))
    effects = _effects(design.blocks, asked, chosen, options.of_observation)
    data = {"weights": weights[rows]}
    if made_by is None:
        residual: Residual = PriorWeights.of(data["weights"], design.residual.sigma)
    else:
        residual = design.residual.of_rows(len(rows), data | made_by.of_rows(used.iloc[new.rows]))
    found = PredictedRows(new.X, new.offset + offset[rows], residual, effects, rows, frame.index)
    joined = made_by is not None and residual.groups is not None and options.random == "all"
    return given_observed(design, found) if joined else found


def _has_columns(frame: pd.DataFrame, made_by: ResidualRows | None) -> Mask:
    """Which rows (m,) have all that their residual is made of."""
    if made_by is None:
        return np.ones(len(frame), dtype=np.bool_)
    check_columns(made_by.columns, frame.columns)
    return np.asarray(frame[list(made_by.columns)].notna().all(axis=1), dtype=np.bool_)


def given_observed(design: Design, new: PredictedRows) -> PredictedRows:
    """New rows less what observed rows tell of their residual: with B = CR⁻¹, C their covariance with these,

    y_new = (X_new − BX)β + (Z_new − BZ)b + offset + B(y − offset) + e,   Var(e) = σ²(R_new − CR⁻¹Cᵀ).
    """
    R = design.residual
    C = R.whiten(R.covariance(new.residual).T.tocsr())  # R^{-½}Cᵀ
    effects = tuple(
        replace(part, Z=csr_difference(part.Z, C.T @ R.whiten(block.matrix())))
        for part, block in zip(new.effects, design.blocks, strict=True)
    )
    return replace(
        new,
        X=new.X - C.T @ R.whiten(design.X),
        offset=new.offset + C.T @ R.whiten(design.y - design.offset),
        effects=effects,
        told=np.asarray(C.multiply(C).sum(axis=0)).ravel(),
    )


def csr_difference(a: "csr_array", b: Any) -> "csr_array":
    """a − b, sparse by rows."""
    from scipy.sparse import csr_array

    return csr_array(a - b)


def new_frame(newdata: Any) -> pd.DataFrame:
    """New rows as a DataFrame; one row may be a mapping or a Series of scalars.

    Raises
    ------
    DataError
        When they aren't a table.
    """
    if isinstance(newdata, pd.Series):
        newdata = newdata.to_dict()
    return as_frame(pd.DataFrame(newdata) if isinstance(newdata, list) else newdata)


def _absent_columns(recipe: Recipe, frame: pd.DataFrame, chosen: tuple[Mask, ...]) -> dict[str, None]:
    """A group that is averaged over needs no column: its level is unknown."""
    return {
        column: None
        for grouping, mask in zip(recipe.groupings, chosen, strict=True)
        for column in grouping.columns
        if not mask.any() and column not in frame
    }


def _asked(
    blocks: Sequence[Block], recipe: Recipe, found: Mapping[str, BlockRows], frame: pd.DataFrame
) -> Iterator[_Asked]:
    m = len(frame)
    for block, grouping in zip(blocks, recipe.groupings, strict=True):
        if block.group in found:
            own = found[block.group]
            yield _Asked(own, _level_names(grouping, frame[own.codes < 0]))
        else:  # columns that count for nothing
            yield _Asked(BlockRows(np.zeros((m, block.k)), np.full(m, -1)), [])


def _level_names(grouping: Grouping, frame: pd.DataFrame) -> list[str]:
    parts = zip(*(labels_of(frame[column]) for column in grouping.columns), strict=True)
    return [interaction_label(part) for part in parts]
