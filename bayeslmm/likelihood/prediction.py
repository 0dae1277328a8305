"""Predictions for the fitted rows or new ones, with chosen random effects, unseen levels and intervals."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayeslmm.errors import DataError, OptionError, check_choice
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.likelihood.row_values import beta_variances, ranef_variances
from bayeslmm.spec.checks import as_frame
from bayeslmm.spec.design import Block, block_matrix
from bayeslmm.spec.factors import interaction_label, labels_of
from bayeslmm.spec.recipe import BlockRows, Recipe
from bayeslmm.spec.residual import Residual

if TYPE_CHECKING:
    from scipy.sparse import csr_array


type Array = NDArray[np.float64]
type Random = str | Iterable[str]

NEW_LEVELS = ("error", "population", "draw")
INTERVALS = (None, "confidence", "prediction")


@dataclass(frozen=True, slots=True)
class PredictOptions:
    """How to predict.

    Attributes
    ----------
    random : "all", "none", or names of groups ("Subject") and of single effects ("Subject: Days").
    new_levels : a level that wasn't fitted is an "error", gets the "population"'s 0, or a "draw"; where the
        covariance between levels is known, as one unrelated to all others.
    interval : None, "confidence" (of the mean, the chosen random effects' prediction error included) or
        "prediction" (of a new observation: residual and random effects left out are added). prob : of it.
    seed : for "draw".
    """

    random: Random = "all"
    new_levels: str = "error"
    interval: str | None = None
    prob: float = 0.95
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the options.

        Raises
        ------
        OptionError
            For an unknown choice, a probability outside (0, 1), or an interval around draws.
        """
        check_choice("new_levels", self.new_levels, NEW_LEVELS)
        check_choice("interval", self.interval, INTERVALS)
        if not 0 < self.prob < 1:
            raise OptionError(f"prob is {self.prob}; a probability lies between 0 and 1")
        if self.interval is not None and self.new_levels == "draw":
            raise OptionError(
                "new_levels='draw' makes a prediction random; an interval counts unseen levels: "
                "ask for it with new_levels='population'"
            )


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows to predict.

    Attributes
    ----------
    X : (m, p). offset : (m,). residual : theirs. blocks : columns and codes by block, -1 for an unseen level.
    labels : for each block the level's name in each row, for messages and draws.
    rows : (m,) places in `index`. index : of the answer; places not in `rows` stay NaN.
    """

    X: Array
    offset: Array
    residual: Residual
    blocks: tuple[BlockRows, ...]
    labels: tuple["pd.Series[str]", ...]
    rows: NDArray[np.int64]
    index: pd.Index


def predict(fit: Fitted, newdata: Any, options: PredictOptions) -> "pd.Series[float] | pd.DataFrame":
    """Predict: x'β̂ + offset + z'b̂.

    Returns
    -------
    Series, or with an interval a DataFrame with columns prediction, se, lower, upper

    Raises
    ------
    DataError
        When a column isn't there, or a level is new and that is an error.
    OptionError
        When `random` names what isn't in the model.
    """
    chosen = chosen_coefs(fit.design.blocks, options.random)
    rows = _fitted_rows(fit) if newdata is None else _new_rows(fit, newdata, chosen, options.interval)
    if options.new_levels == "error":
        _check_levels(fit.design.blocks, rows, chosen)
    values = rows.X @ fit.beta_values + rows.offset + _chosen_Z(fit, rows, chosen) @ fit.b
    if options.new_levels == "draw":
        values = values + _drawn(fit, rows, chosen, np.random.default_rng(options.seed))
    placed = np.full(len(rows.index), np.nan)
    placed[rows.rows] = values
    answer = pd.Series(placed, index=rows.index, name="prediction")
    return answer if options.interval is None else _with_interval(fit, rows, chosen, answer, options)


def chosen_coefs(blocks: Sequence[Block], random: Random) -> tuple[NDArray[np.bool_], ...]:
    """Which coefs of each block are meant: one (k,) mask a block."""
    if isinstance(random, str) and random in ("all", "none"):
        return tuple(np.full(block.k, random == "all") for block in blocks)
    names = [random] if isinstance(random, str) else list(random)
    known = [name for block in blocks for name in (block.group, *_effect_names(block))]
    for name in names:
        check_choice("random effect", name, ["all", "none", *known] if isinstance(random, str) else known)
    return tuple(
        np.array([block.group in names or effect in names for effect in _effect_names(block)], dtype=bool)
        for block in blocks
    )


def _effect_names(block: Block) -> list[str]:
    return [f"{block.group}: {coef}" for coef in block.coefs]


def _fitted_rows(fit: Fitted) -> Rows:
    design = fit.design
    blocks = tuple(BlockRows(block.columns, block.codes) for block in design.blocks)
    labels = tuple(pd.Series(np.asarray(block.levels, dtype=object)[block.codes]) for block in design.blocks)
    index = pd.Index(design.rows, name="row")
    return Rows(design.X, design.offset, design.residual, blocks, labels, np.arange(design.n), index)


def _new_rows(fit: Fitted, newdata: Any, chosen: tuple[NDArray[np.bool_], ...], interval: str | None) -> Rows:
    recipe = fit.recipe
    if recipe is None:
        raise DataError(
            "this fit was made from a bare design; new rows need the formula: fit a LinearMixedModel"
        )
    frame = as_frame(newdata)
    groups = [
        g.name
        for g, mask in zip(recipe.groupings, chosen, strict=True)
        if mask.any() or interval == "prediction"
    ]
    frame = _with_absent_groups(recipe, frame, chosen)
    new = recipe.replay(frame, groups)
    labels = [
        _labels(recipe, place, frame.iloc[new.rows], name in groups)
        for place, name in enumerate(_names(recipe))
    ]
    blocks = [
        new.blocks.get(name, _no_rows(block, len(new.rows)))
        for name, block in zip(_names(recipe), fit.design.blocks, strict=True)
    ]
    residual = fit.design.residual.of_rows(len(new.rows), {})
    return Rows(new.X, new.offset, residual, tuple(blocks), tuple(labels), new.rows, frame.index)


def _names(recipe: Recipe) -> list[str]:
    return [grouping.name for grouping in recipe.groupings]


def _no_rows(block: Block, m: int) -> BlockRows:
    """A group that isn't asked for: its columns count for nothing."""
    return BlockRows(np.zeros((m, block.k)), np.full(m, -1))


def _with_absent_groups(
    recipe: Recipe, frame: pd.DataFrame, chosen: tuple[NDArray[np.bool_], ...]
) -> pd.DataFrame:
    """A group that is averaged over needs no column: its level is unknown."""
    absent = {
        column: None
        for grouping, mask in zip(recipe.groupings, chosen, strict=True)
        for column in grouping.columns
        if not mask.any() and column not in frame
    }
    return frame.assign(**absent) if absent else frame


def _labels(recipe: Recipe, place: int, frame: pd.DataFrame, wanted: bool) -> "pd.Series[str]":
    columns = list(recipe.groupings[place].columns)
    if not wanted:
        return pd.Series("", index=range(len(frame)))
    parts = zip(*(labels_of(frame[column]) for column in columns), strict=True)
    return pd.Series([interaction_label(part) for part in parts], dtype=object)


def _check_levels(blocks: Sequence[Block], rows: Rows, chosen: tuple[NDArray[np.bool_], ...]) -> None:
    for block, part, labels, mask in zip(blocks, rows.blocks, rows.labels, chosen, strict=True):
        unseen = np.flatnonzero(part.codes < 0)
        if mask.any() and len(unseen):
            raise DataError(
                f"level {labels.iloc[unseen[0]]!r} of grouping factor {block.group!r} wasn't in the fitted "
                "data; new_levels='population' predicts for an average level, 'draw' for a random one"
            )


def _chosen_Z(fit: Fitted, rows: Rows, chosen: tuple[NDArray[np.bool_], ...]) -> "csr_array":
    """(m, q), columns of coefs that aren't chosen and rows of unseen levels empty."""
    from scipy.sparse import csr_array, hstack

    parts = [
        block_matrix(part.codes, part.columns * mask, block.n_levels)
        for block, part, mask in zip(fit.design.blocks, rows.blocks, chosen, strict=True)
    ]
    return csr_array(hstack(parts, format="csr")) if parts else csr_array((len(rows.X), 0))


def _drawn(
    fit: Fitted, rows: Rows, chosen: tuple[NDArray[np.bool_], ...], generator: np.random.Generator
) -> Array:
    """zᵀb with b ~ N(0, σ²T), one draw for each unseen level."""
    total = np.zeros(len(rows.X))
    factors = fit.design.covariance.factors(fit.theta_values)
    for part, labels, mask, factor in zip(rows.blocks, rows.labels, chosen, factors, strict=True):
        unseen = part.codes < 0
        level, names = pd.factorize(labels[unseen])
        effects = fit.sigma * generator.standard_normal((len(names), len(factor))) @ factor.T
        total[unseen] += np.sum(part.columns[unseen] * mask * effects[level], axis=1)
    return total


def _with_interval(
    fit: Fitted,
    rows: Rows,
    chosen: tuple[NDArray[np.bool_], ...],
    answer: "pd.Series[float]",
    options: PredictOptions,
) -> pd.DataFrame:
    from scipy.special import ndtri

    errors = np.full(len(answer), np.nan)
    errors[rows.rows] = fit.sigma * np.sqrt(_variances(fit, rows, chosen, options.interval == "prediction"))
    se = pd.Series(errors, index=answer.index)
    half = se * float(ndtri(0.5 + options.prob / 2))
    return pd.DataFrame({"prediction": answer, "se": se, "lower": answer - half, "upper": answer + half})


def _variances(fit: Fitted, rows: Rows, chosen: tuple[NDArray[np.bool_], ...], observation: bool) -> Array:
    """Variance over σ² of the prediction's error, θ taken as known."""
    Z = _chosen_Z(fit, rows, chosen)
    variances = beta_variances(fit.design.kernel, fit.conditional, rows.X, Z) + ranef_variances(
        fit.conditional, Z
    )
    blocks = fit.design.blocks
    factors = fit.design.covariance.factors(fit.theta_values)
    for block, part, mask, factor in zip(blocks, rows.blocks, chosen, factors, strict=True):
        inside = np.sum((part.columns * mask @ factor) ** 2, axis=1)
        outside = np.sum((part.columns * ~mask @ factor) ** 2, axis=1) * block.level_variances[part.codes]
        variances += np.where(part.codes < 0, inside, 0.0) + outside * observation
    return variances + observation * rows.residual.variances()
