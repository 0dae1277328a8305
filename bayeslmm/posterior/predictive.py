"""Data the model would make: at posterior draws, at prior draws, for the fitted rows and for new ones."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayeslmm.posterior import names
from bayeslmm.posterior.parameters import Parameters, relative_factors
from bayeslmm.posterior.prior_draws import draw_priors
from bayeslmm.posterior.summary.tree import Draws, dataset, posterior_variables
from bayeslmm.spec.design import Design
from bayeslmm.spec.prediction import PredictedRows, Prediction, PredictOptions, fitted_rows, rows_to_predict
from bayeslmm.spec.priors import Priors
from bayeslmm.spec.recipe import Recipe

if TYPE_CHECKING:
    from xarray import Dataset, DataTree

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
    rows = rows_to_predict(design, recipe, newdata, options)
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
    factors, sigma = list(_factors(design, *draws.parameters).values()), _sigma(draws)[:, None]
    normal, out = rng.standard_normal(sigma.shape), [np.zeros((3, 0))]
    for part in _slices(len(rows.X), draws.n_draws):
        means = _linear_predictor(draws, rows, part)
        residual = options.of_observation * sigma**2 * rows.residual.variances()[part]
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
    return [factor[place] for factor in _factors(design, *draws.parameters).values()]


def posterior_predictive(design: Design, draws: Draws, seed: int) -> "Dataset":
    """New observations of the fitted rows, one at every draw: y (chain, draw, row)."""
    rows = fitted_rows(design)
    mean = _linear_predictor(draws, rows)
    noise = _sigma(draws)[:, None] * rows.residual.draw(np.random.default_rng(seed), draws.n_draws)
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
    b = np.concatenate([np.zeros((n, 0)), *(part.reshape(n, part[0].size) for part in effects)], axis=1)
    draws = Draws((parameters,), beta[None], b[None], {})
    variables = posterior_variables(design, draws)
    groups = {
        "prior": dataset(variables, names.dims(design), names.coords(design)),
        "prior_predictive": posterior_predictive(design, draws, int(rng.integers(2**32))),
    }
    return DataTree.from_dict(groups)


def _linear_predictor(draws: Draws, rows: PredictedRows, part: slice = slice(None)) -> Array:
    """x'β + offset + z'b at all draws, chain after chain: (draws, rows)."""
    beta, b = (values.reshape(draws.n_draws, values.shape[-1]) for values in (draws.beta, draws.ranef))
    return np.asarray(beta @ rows.X[part].T + rows.offset[part] + (rows.Z[part] @ b.T).T)


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
