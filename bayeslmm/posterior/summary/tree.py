"""Draws as an xarray DataTree with ArviZ's groups."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayeslmm.posterior import names
from bayeslmm.posterior.effects.group_likelihood import affordable, group_log_likelihood
from bayeslmm.posterior.parameters import Index, Parameters, correlations, joined, log_prior, over_values
from bayeslmm.spec.design import Design
from bayeslmm.spec.priors import Priors

if TYPE_CHECKING:
    from xarray import Dataset, DataTree

type Array = NDArray[np.float64]

LOG_LIKELIHOOD_LIMIT = 20_000_000  # values (160 MB); larger pointwise log likelihoods aren't stored

_SAMPLE = ["chain", "draw"]


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """All draws of a run.

    Attributes
    ----------
    parameters : one record per chain.
    beta : (chains, draws, p). ranef : (chains, draws, q).
    statistics : of the sampler, (chains, draws) each.
    """

    parameters: tuple[Parameters, ...]
    beta: Array
    ranef: Array
    statistics: Mapping[str, NDArray[Any]]

    @property
    def n_draws(self) -> int:
        """All chains together."""
        return sum(len(chain) for chain in self.parameters)

    def take(self, index: NDArray[np.intp]) -> "Draws":
        """Some of the draws, numbered chain after chain, as one chain."""
        beta, b = (each.reshape(self.n_draws, each.shape[-1])[index] for each in (self.beta, self.ranef))
        return Draws((joined(self.parameters).take(index),), beta[None], b[None], {})


def data_tree(
    design: Design,
    priors: Priors,
    draws: Draws,
    attributes: Mapping[str, Any],
    cores: int | None = None,
) -> "DataTree":
    """The groups posterior, sample_stats, log_likelihood, log_prior, observed_data, constant_data.

    ``log_likelihood_group`` holds log p(y_j | y_-j, φ) of the first grouping factor, one column a level,
    random effects and (where exact) β integrated out.

    ``log_likelihood`` holds one variable ``y`` (chain, draw, row), conditional on the random effects; it is
    left out where it would have more than `LOG_LIKELIHOOD_LIMIT` values. `cores` chains are done at once.
    """
    from xarray import DataTree

    by_dim, coords = names.dims(design), names.coords(design)
    groups = {
        "posterior": dataset(posterior_variables(design, draws), by_dim, coords),
        "sample_stats": dataset(draws.statistics, {}, coords),
        "log_prior": dataset(_log_priors(design, priors, draws), {**by_dim, **_joint_dims(design)}, coords),
        "observed_data": dataset(
            {names.RESPONSE: design.y}, {names.RESPONSE: [names.ROW]}, coords, sample=[]
        ),
        "constant_data": _constant_data(design, coords),
    }
    if draws.n_draws * design.n <= LOG_LIKELIHOOD_LIMIT:
        pointwise = {names.RESPONSE: pointwise_log_likelihood(design, draws)}
        groups["log_likelihood"] = dataset(pointwise, {names.RESPONSE: [names.ROW]}, coords)
    if affordable(design, draws.n_draws):
        with ThreadPoolExecutor(cores or draws.beta.shape[0]) as pool:
            chains = pool.map(partial(group_log_likelihood, design, priors), draws.parameters)
            by_group = np.stack(list(chains))
        own = {names.RESPONSE: [names.level_dim(design.blocks[0].group)]}
        groups["log_likelihood_group"] = dataset({names.RESPONSE: by_group}, own, coords)
    tree = DataTree.from_dict(groups)
    tree.attrs.update(attributes)
    tree["posterior"].attrs.update(attributes)
    return tree


def pointwise_log_likelihood(design: Design, draws: Draws) -> Array:
    """log p(y_i | β, b, σ, the rows of its residual group before it), (chains, draws, n)."""
    sigma = np.concatenate([chain.sigma for chain in draws.parameters])
    phi = np.concatenate([chain.phi for chain in draws.parameters])
    mean = draws.beta @ design.X.T + design.offset
    mean += (design.Z @ draws.ranef.reshape(len(sigma), -1).T).T.reshape(mean.shape)
    gaps = np.subtract(design.y, mean, out=mean).reshape(-1, design.n)

    def one(phi: Array, own: Index) -> tuple[Array]:
        white = design.residual.whiten(gaps[own].T, phi).T / sigma[own, None]
        white *= white  # in place: these are the largest arrays of a posterior
        white += np.log(2 * np.pi)
        white *= -0.5
        white -= np.log(sigma[own, None]) + 0.5 * design.residual.log_pivots(phi)
        return (white,)

    return over_values(one, phi)[0].reshape(mean.shape)


def posterior_variables(design: Design, draws: Draws) -> dict[str, Array]:
    """Variables of the posterior group, (chains, draws, ...)."""
    out = {names.BETA: draws.beta} if design.p else {}
    found = [correlations(design, chain) for chain in draws.parameters]
    places = names.ranef_by_group(design.blocks)
    for block in design.blocks:
        group, name = block.group, names.ranef_name(block.group)
        out[names.sd_name(group)] = np.stack([chain.sd[group] for chain in draws.parameters])
        if group in found[0]:
            out[names.cor_name(group)] = np.stack([cor[group] for cor in found])
        shape = (*draws.ranef.shape[:2], block.n_levels, block.k)
        out[name] = draws.ranef[..., places[name]].reshape(shape)
    if design.residual.n_phi:
        own = [design.residual.natural(chain.phi, chain.sigma) for chain in draws.parameters]
        out[names.RESIDUAL] = np.stack(own)
    if design.residual.sigma_free:
        out[names.SIGMA] = np.stack([chain.sigma for chain in draws.parameters])
    return out


def _log_priors(design: Design, priors: Priors, draws: Draws) -> dict[str, Array]:
    chains = [
        log_prior(design, priors, chain, beta)
        for chain, beta in zip(draws.parameters, draws.beta, strict=True)
    ]
    return {name: np.stack([chain[name] for chain in chains]) for name in chains[0] if chains[0][name].size}


def _joint_dims(design: Design) -> dict[str, list[str]]:
    """Correlations have one log density together, so have R's own parameters."""
    joint = [*(names.cor_name(block.group) for block in design.blocks), names.RESIDUAL]
    return {name: [] for name in joint}


def _constant_data(design: Design, coords: Mapping[str, Any]) -> "Dataset":
    values = {"X": design.X, "offset": design.offset, **design.residual.shown}
    by_dim = {name: [names.ROW] for name in values} | {"X": [names.ROW, names.COEF]}
    return dataset(values, by_dim, coords, sample=[])


def dataset(
    values: Mapping[str, NDArray[Any]],
    by_dim: Mapping[str, list[str]],
    coords: Mapping[str, Any],
    sample: list[str] = _SAMPLE,
) -> "Dataset":
    """Arrays as a Dataset, with the coordinates their dimensions need."""
    from xarray import Dataset

    variables = {name: ([*sample, *by_dim.get(name, [])], array) for name, array in values.items()}
    used = {dim for dims, _ in variables.values() for dim in dims}
    own: dict[str, Any] = {name: list(labels) for name, labels in coords.items() if name in used}
    for position, name in enumerate(sample):
        if name in used:
            own[name] = np.arange(next(iter(values.values())).shape[position])
    return Dataset(variables, coords=own)
