"""Data the model would make: at posterior draws, at prior draws, for the fitted rows and for new ones."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayeslmm.errors import DataError, OptionError, check_choice
from bayeslmm.posterior import names
from bayeslmm.posterior.parameters import Parameters, relative_factors
from bayeslmm.posterior.prior_draws import draw_priors
from bayeslmm.posterior.summary.tree import Draws, dataset, posterior_variables
from bayeslmm.spec.checks import as_frame
from bayeslmm.spec.design import Block, Design, block_matrix
from bayeslmm.spec.factors import interaction_label, labels_of
from bayeslmm.spec.priors import Priors
from bayeslmm.spec.recipe import BlockRows, Recipe
from bayeslmm.spec.residual import Residual

if TYPE_CHECKING:
    import pandas as pd
    from xarray import Dataset, DataTree

type Array = NDArray[np.float64]

NEW_LEVELS = ("error", "population", "draw")
INTERVALS = (None, "confidence", "prediction")


@dataclass(frozen=True, slots=True)
class PredictOptions:
    """How to predict.

    Attributes
    ----------
    random : "all", "none", or names of groups whose effects count.
    new_levels : a level that wasn't in the data is an "error", gets the "population"'s 0, or at every draw
        an effect of its own ("draw").
    interval : None, "confidence" (of the mean) or "prediction" (of a new observation). prob : of it.
    seed : of new levels' effects and of observations.

    Raises
    ------
    OptionError
        For an unknown choice or a probability outside (0, 1).
    """

    random: str | Iterable[str] = "all"
    new_levels: str = "error"
    interval: str | None = None
    prob: float = 0.95
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the options."""
        check_choice("new_levels", self.new_levels, NEW_LEVELS)
        check_choice("interval", self.interval, INTERVALS)
        if not 0 < self.prob < 1:
            raise OptionError(f"prob is {self.prob}; a probability lies between 0 and 1")


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows to predict: their design, and where they stand in `index`; `levels` names each row's level."""

    X: Array
    offset: Array
    blocks: Sequence[BlockRows]
    levels: Sequence[NDArray[Any]]
    places: NDArray[np.int64]
    index: "pd.Index"


def predict(
    design: Design, recipe: Recipe | None, draws: Draws, newdata: Any, options: PredictOptions
) -> "pd.Series[float] | pd.DataFrame":
    """Posterior mean of x'β + offset + z'b by row; with an interval also se (posterior sd), lower, upper.

    Raises
    ------
    DataError
        When a column isn't there, or a level is new and that is an error.
    OptionError
        When `random` names what isn't in the model.
    """
    import pandas as pd

    chosen = _chosen(design.blocks, options.random)
    rows = _fitted_rows(design) if newdata is None else _new_rows(recipe, design, newdata, chosen)
    rng = np.random.default_rng(options.seed)
    values = _linear_predictor(design, draws, rows, chosen, options.new_levels, rng)
    if options.interval == "prediction":
        values += _sigma(draws)[:, None] * _residual(design, newdata, values.shape[1]).draw(rng, len(values))
    columns = {"prediction": values.mean(axis=0)}
    if options.interval is not None:
        tails = np.quantile(values, [(1 - options.prob) / 2, (1 + options.prob) / 2], axis=0)
        columns |= {"se": values.std(axis=0, ddof=1), "lower": tails[0], "upper": tails[1]}
    index = rows.index[rows.places]
    frame = pd.DataFrame(columns, index=index).reindex(rows.index)
    return frame if options.interval is not None else frame["prediction"]


def posterior_predictive(design: Design, draws: Draws, seed: int) -> "Dataset":
    """New observations of the fitted rows, one at every draw: y (chain, draw, row)."""
    rng = np.random.default_rng(seed)
    chosen = {block.group for block in design.blocks}
    mean = _linear_predictor(design, draws, _fitted_rows(design), chosen, "error", rng)
    noise = _sigma(draws)[:, None] * design.residual.draw(rng, len(mean))
    shape = (len(draws.parameters), -1, design.n)
    return dataset(
        {names.RESPONSE: (mean + noise).reshape(shape)},
        {names.RESPONSE: [names.ROW]},
        names.coords(design),
    )


def prior_predictive(design: Design, priors: Priors, n: int, seed: int) -> "DataTree":
    """The groups prior and prior_predictive: n draws of the parameters, the effects and the response.

    Raises
    ------
    PriorError
        When a prior is flat.
    """
    from xarray import DataTree

    rng = np.random.default_rng(seed)
    parameters = draw_priors(design, priors, n, rng)
    beta = parameters.beta
    assert beta is not None
    factors = _factors(design, parameters)
    effects = [_unseen(block.n_levels, factors[block.group], rng, block.known) for block in design.blocks]
    b = np.concatenate([np.zeros((n, 0)), *(part.reshape(n, -1) for part in effects)], axis=1)
    draws = Draws((parameters,), beta[None], b[None], {})
    variables = posterior_variables(design, draws)
    groups = {
        "prior": dataset(variables, names.dims(design), names.coords(design)),
        "prior_predictive": posterior_predictive(design, draws, int(rng.integers(2**32))),
    }
    return DataTree.from_dict(groups)


def _chosen(blocks: Sequence[Block], random: str | Iterable[str]) -> set[str]:
    known = [block.group for block in blocks]
    if isinstance(random, str) and random in ("all", "none"):
        return set(known) if random == "all" else set()
    asked = [random] if isinstance(random, str) else list(random)
    return {check_choice("random effect", name, ["all", "none", *known]) for name in asked}


def _fitted_rows(design: Design) -> _Rows:
    import pandas as pd

    blocks = [BlockRows(block.columns, block.codes) for block in design.blocks]
    levels = [np.asarray(block.levels, dtype=object)[block.codes] for block in design.blocks]
    index = pd.Index(design.rows, name="row")
    return _Rows(design.X, design.offset, blocks, levels, np.arange(design.n), index)


def _new_rows(recipe: Recipe | None, design: Design, newdata: Any, chosen: set[str]) -> _Rows:
    if recipe is None:
        raise DataError("these draws belong to a bare design; new rows need the formula: sample a model")
    frame = as_frame(newdata)
    new = recipe.replay(frame, [block.group for block in design.blocks if block.group in chosen])
    m = len(new.rows)
    blocks, levels = [], []
    for block, grouping in zip(design.blocks, recipe.groupings, strict=True):
        wanted = block.group in chosen
        empty = BlockRows(np.zeros((m, block.k)), np.full(m, -1))
        blocks.append(new.blocks[block.group] if wanted else empty)
        parts = [labels_of(frame.iloc[new.rows][column]) for column in grouping.columns] if wanted else []
        levels.append(np.array([interaction_label(part) for part in zip(*parts, strict=True)], dtype=object))
    return _Rows(new.X, new.offset, blocks, levels, new.rows, frame.index)


def _linear_predictor(
    design: Design, draws: Draws, rows: _Rows, chosen: set[str], new_levels: str, rng: np.random.Generator
) -> Array:
    """x'β + offset + z'b at all draws, chain after chain: (draws, rows)."""
    beta = draws.beta.reshape(-1, design.p)
    b = draws.ranef.reshape(len(beta), -1)
    out: Array = beta @ rows.X.T + rows.offset
    factors = _factors(design, *draws.parameters) if new_levels == "draw" else {}
    first = 0
    for block, part, level in zip(design.blocks, rows.blocks, rows.levels, strict=True):
        own, first = b[:, first : first + block.q], first + block.q
        if block.group not in chosen:
            continue
        out += (block_matrix(part.codes, part.columns, block.n_levels) @ own.T).T
        unseen = part.codes < 0
        if unseen.any() and new_levels == "error":
            raise DataError(
                f"level {level[unseen][0]!r} of grouping factor {block.group!r} wasn't in the data; "
                "new_levels='population' predicts for an average level, 'draw' for a random one"
            )
        if unseen.any() and new_levels == "draw":
            found, place = np.unique(level[unseen].astype(str), return_inverse=True)
            effects = _unseen(len(found), factors[block.group], rng)
            out[:, unseen] += np.einsum("drk,rk->dr", effects[:, place], part.columns[unseen])
    return out


def _factors(design: Design, *chains: Parameters) -> Mapping[str, Array]:
    """Absolute factor of each block at all draws, (draws, k, k)."""
    lam = np.concatenate([relative_factors(design, chain) * chain.sigma[:, None] for chain in chains])
    out, first = {}, 0
    for block in design.blocks:
        last = first + block.k**2
        out[block.group] = lam[:, first:last].reshape(-1, block.k, block.k)
        first = last
    return out


def _unseen(n_levels: int, factor: Array, rng: np.random.Generator, known: Array | None = None) -> Array:
    """Effects of levels the data say nothing about, (draws, levels, k); `known` relates the levels."""
    u = rng.standard_normal((len(factor), n_levels, factor.shape[-1]))
    related = u if known is None else np.einsum("ij,djk->dik", known, u)
    effects: Array = np.einsum("dij,dlj->dli", factor, related)
    return effects


def _sigma(draws: Draws) -> Array:
    return np.concatenate([chain.sigma for chain in draws.parameters])


def _residual(design: Design, newdata: Any, n: int) -> Residual:
    """The residual of the rows; new ones have weight 1."""
    return design.residual if newdata is None else design.residual.of_rows(n, {})
