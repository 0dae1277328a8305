"""Data the model would make: at posterior draws, at prior draws, for the fitted rows and for new ones."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayeslmm.errors import OptionError, check_seed, check_whole
from bayeslmm.posterior import names
from bayeslmm.posterior.options import check_of_fitted
from bayeslmm.posterior.parameters import block_factors, stacked_sigma
from bayeslmm.posterior.prior_draws import draw_priors
from bayeslmm.posterior.summary.tree import Draws, dataset, posterior_variables
from bayeslmm.spec.block import Block
from bayeslmm.spec.design import Design
from bayeslmm.spec.prediction import (
    EffectRows,
    PredictedRows,
    Prediction,
    PredictOptions,
    fitted_rows,
    new_frame,
    rows_to_predict,
)
from bayeslmm.spec.priors import Priors
from bayeslmm.spec.recipe import Recipe

if TYPE_CHECKING:
    from xarray import DataArray, Dataset, DataTree

type Array = NDArray[np.float64]

CELLS = 4_000_000  # of a slice, draws × rows


def predict(
    design: Design, recipe: Recipe | None, draws: Draws, newdata: Any, options: PredictOptions
) -> Prediction:
    """Posterior mean of x'β + offset + z'b by row; with an interval also se (posterior sd), lower, upper.

    What the data don't tell, of random effects and of a new observation's residual, is normal given a draw:
    its variance goes into `se` as it is, and into the limits by one normal number a draw.

    Raises
    ------
    DataError
        When a column isn't there, or a level is new and that is an error.
    OptionError
        When `random` names what isn't in the model.
    """
    rows = _rows(design, recipe, newdata, options)
    rng = np.random.default_rng(options.seed)
    values = rows.X @ draws.beta.mean(axis=(0, 1)) + rows.offset + rows.Z @ draws.ranef.mean(axis=(0, 1))
    if options.draws_levels:
        values = values + rows.drawn(_factors_at_random(design, draws, rng), rng)
    if options.interval is None:
        return rows.answer(prediction=values)
    se, lower, upper = _spread(design, draws, rows, options, rng)
    return rows.answer(prediction=values, se=se, lower=lower, upper=upper)


def _spread(
    design: Design, draws: Draws, rows: PredictedRows, options: PredictOptions, rng: np.random.Generator
) -> Array:
    """(3, m): se, lower, upper of every row."""
    factors, sigma = (
        list(block_factors(design, *draws.parameters).values()),
        stacked_sigma(draws.parameters)[:, None],
    )
    of_rows = _residual_variances(draws, rows)
    normal, out = rng.standard_normal(sigma.shape), [np.zeros((3, 0))]
    for part in _slices(len(rows.X), draws.n_draws):
        means = _linear_predictor(draws, rows, part)
        residual = options.of_observation * sigma**2 * of_rows[:, part]
        variances = rows.unknown_variances(factors, part) + residual
        se = np.sqrt(means.var(axis=0, ddof=1) + variances.mean(axis=0))
        limits = np.quantile(means + normal * np.sqrt(variances), options.tails, axis=0)
        out.append(np.stack([se, *limits]))
    return np.concatenate(out, axis=1)


def _slices(m: int, n_draws: int) -> Iterator[slice]:
    width = max(1, CELLS // n_draws)
    return (slice(first, first + width) for first in range(0, m, width))


def _factors_at_random(design: Design, draws: Draws, rng: np.random.Generator) -> list[Array]:
    """Absolute factor of each block at one of the draws; `rng` itself stays where it is."""
    (own,) = rng.spawn(1)
    place = own.integers(draws.n_draws)
    return [factor[place] for factor in block_factors(design, *draws.parameters).values()]


def epred(
    design: Design, recipe: Recipe | None, draws: Draws, newdata: Any, options: PredictOptions
) -> "DataArray":
    """x'β + offset + z'b at every draw, (chain, draw, row); an unseen level's effect is 0, or drawn."""
    rows = _rows(design, recipe, newdata, options)
    values = _linear_predictor(draws, rows)
    if options.new_levels == "draw":
        values = values + _unknown(design, draws, rows, np.random.default_rng(options.seed))
    return _by_row(design, draws, rows, values)["y"]


def posterior_predictive(
    design: Design, recipe: Recipe | None, draws: Draws, newdata: Any, options: PredictOptions
) -> "Dataset":
    """New observations of the fitted rows or new ones, one at every draw: y (chain, draw, row).

    Effects that the data don't tell are drawn, one a level at every draw.
    """
    return _observations(design, draws, _rows(design, recipe, newdata, options), options.seed)


def log_likelihood(
    design: Design, recipe: Recipe | None, draws: Draws, newdata: Any, options: PredictOptions
) -> "DataArray":
    """log p(y_i | β, b, σ) of the responses of new rows, (chain, draw, row); unseen effects integrated out.

    Raises
    ------
    DataError
        When the response, or another column, isn't there.
    """
    rows = _rows(design, recipe, newdata, options)
    y = design.y if newdata is None or recipe is None else recipe.outcome(new_frame(newdata), rows.rows)
    factors = block_factors(design, *draws.parameters).values()
    sigma = stacked_sigma(draws.parameters)[:, None]
    variance = rows.unknown_variances(factors) + sigma**2 * _residual_variances(draws, rows)
    gap = y - _linear_predictor(draws, rows)
    return _by_row(design, draws, rows, -0.5 * (np.log(2 * np.pi * variance) + gap**2 / variance))["y"]


def _observations(design: Design, draws: Draws, rows: PredictedRows, seed: int) -> "Dataset":
    return _by_row(design, draws, rows, _drawn(design, draws, rows, seed))


def _drawn(design: Design, draws: Draws, rows: PredictedRows, seed: int) -> Array:
    """New observations at every draw, (draws, rows)."""
    rng = np.random.default_rng(seed)
    mean = _linear_predictor(draws, rows) + _unknown(design, draws, rows, rng)
    residual, phi = rows.residual, _phi(draws)
    if not residual.n_phi:
        unit = residual.draw(rng, draws.n_draws)
    else:
        normal = rng.standard_normal((draws.n_draws, residual.n))
        unit = np.array([residual.unwhiten(z, own) for z, own in zip(normal, phi, strict=True)])
    return mean + stacked_sigma(draws.parameters)[:, None] * unit


def _phi(draws: Draws) -> Array:
    """R's own parameters at all draws, chain after chain."""
    return np.concatenate([chain.phi for chain in draws.parameters])


def _residual_variances(draws: Draws, rows: PredictedRows) -> Array:
    """Over σ², (draws, m), or (1, m) where they are the same at all draws."""
    if not rows.residual.n_phi:
        return rows.residual.variances()[None]
    return np.array([rows.residual.variances(own) for own in _phi(draws)])


def _rows(design: Design, recipe: Recipe | None, newdata: Any, options: PredictOptions) -> PredictedRows:
    """Rows to predict.

    Raises
    ------
    OptionError
        For new observations that are correlated with observed rows: what these tell depends on φ.
    """
    joined = design.residual.n_phi and design.residual.groups is not None
    if joined and newdata is not None and options.of_observation:
        raise OptionError(
            "a new observation is correlated with the observed ones of its residual group, by correlations "
            "that are uncertain; ask for its mean, interval='confidence' or epred(), or for "
            "fit.predict(..., interval='prediction'), at the estimated correlations"
        )
    return rows_to_predict(design, recipe, newdata, options)


def replicates(design: Design, draws: Draws, seed: int) -> Array:
    """New observations of the fitted rows at every draw, (draws, n)."""
    return _drawn(design, draws, fitted_rows(design), seed)


def _by_row(design: Design, draws: Draws, rows: PredictedRows, values: Array) -> "Dataset":
    """Values (draws, m) as a variable y (chain, draw, row) under the rows' own labels."""
    shape = (len(draws.parameters), -1, len(rows.index))
    coords = names.coords(design) | {names.ROW: names.row_labels(rows.index)}
    return dataset(
        {names.RESPONSE: rows.placed(values).reshape(shape)}, {names.RESPONSE: [names.ROW]}, coords
    )


def _unknown(design: Design, draws: Draws, rows: PredictedRows, rng: np.random.Generator) -> Array:
    """zᵀb of the effects that the data don't tell, (draws, m): at every draw one b a level."""
    total = np.zeros((draws.n_draws, len(rows.X)))
    factors = block_factors(design, *draws.parameters)
    for block, part in zip(design.blocks, rows.effects, strict=True):
        if part.unknown.any():
            levels, place = np.unique(_level(block, part), return_inverse=True)
            effects = _unseen(len(levels), factors[block.group], rng, _root(block, part, levels))
            total += np.einsum("mk,dmk->dm", part.unknown, effects[:, place])
    return total


def _level(block: Block, part: EffectRows) -> NDArray[np.int64]:
    """Which level each row has, unseen ones after the fitted."""
    return np.where(part.codes >= 0, part.codes, block.n_levels + part.newcomer)


def _root(block: Block, part: EffectRows, levels: NDArray[np.int64]) -> Array | None:
    """Rows of a root of the covariance between some levels; None where they are independent."""
    if block.known is None:
        return None
    from scipy.linalg import block_diag

    return np.asarray(block_diag(block.known, np.eye(len(part.newcomers) + 1))[levels])


def prior_predictive(design: Design, priors: Priors, n: int, seed: int) -> "DataTree":
    """The groups prior, prior_predictive and observed_data: n draws of parameters, effects and responses.

    Raises
    ------
    PriorError
        When a prior is flat.
    OptionError
        For a number of draws or a seed that is none.
    """
    from xarray import DataTree

    check_whole("draws", n, 1)
    check_seed(seed)
    design = design.begun
    check_of_fitted(design.residual)
    rng = np.random.default_rng(seed)
    parameters = draw_priors(design, priors, n, rng)
    beta = parameters.beta
    assert beta is not None
    factors = block_factors(design, parameters)
    effects = [_unseen(block.n_levels, factors[block.group], rng, block.known) for block in design.blocks]
    b = np.concatenate([np.zeros((n, 0)), *(part.reshape(n, part[0].size) for part in effects)], axis=1)
    draws = Draws((parameters,), beta[None], b[None], {})
    variables, shared = posterior_variables(design, draws), names.coords(design)
    groups = {
        "prior": dataset(variables, names.dims(design), shared),
        "prior_predictive": _observations(design, draws, fitted_rows(design), int(rng.integers(2**32))),
        "observed_data": dataset(
            {names.RESPONSE: design.y}, {names.RESPONSE: [names.ROW]}, shared, sample=[]
        ),
    }
    return DataTree.from_dict(groups)


def _linear_predictor(draws: Draws, rows: PredictedRows, part: slice = slice(None)) -> Array:
    """x'β + offset + z'b at all draws, chain after chain: (draws, rows)."""
    beta, b = (values.reshape(draws.n_draws, values.shape[-1]) for values in (draws.beta, draws.ranef))
    return np.asarray(beta @ rows.X[part].T + rows.offset[part] + (rows.Z[part] @ b.T).T)


def _unseen(n_levels: int, factor: Array, rng: np.random.Generator, known: Array | None = None) -> Array:
    """Effects of levels the data say nothing about, (draws, levels, k).

    Parameters
    ----------
    known : (levels, j) a root of the covariance between levels; None for independent ones.
    """
    independent = n_levels if known is None else known.shape[1]
    u = rng.standard_normal((len(factor), independent, factor.shape[-1]))
    related = u if known is None else np.einsum("ij,djk->dik", known, u)
    effects: Array = np.einsum("dij,dlj->dli", factor, related)
    return effects
