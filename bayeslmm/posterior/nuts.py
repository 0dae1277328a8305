"""NUTS by nutpie over a PyMC graph."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayeslmm.posterior import names
from bayeslmm.posterior.options import SampleOptions
from bayeslmm.posterior.parameters import Parameters
from bayeslmm.spec.design import Design
from bayeslmm.spec.priors import Flat, Priors

if TYPE_CHECKING:
    import pymc as pm

type Array = NDArray[np.float64]

# nutpie's names, and ArviZ's
_STATISTICS = {
    "logp": "lp",
    "diverging": "diverging",
    "energy": "energy",
    "mean_tree_accept": "acceptance_rate",
    "depth": "tree_depth",
    "maxdepth_reached": "reached_max_treedepth",
    "n_steps": "n_steps",
    "step_size": "step_size",
}


@dataclass(frozen=True, slots=True)
class NutsRun:
    """Draws of a graph.

    Attributes
    ----------
    parameters : one record of `draws` draws per chain.
    beta, ranef : (chains, draws, p), (chains, draws, q) where they were sampled, else None.
    statistics : of the sampler, by ArviZ's names, (chains, draws).
    """

    parameters: tuple[Parameters, ...]
    beta: Array | None
    ranef: Array | None
    statistics: dict[str, NDArray[Any]]


def nuts(
    model: "pm.Model",
    design: Design,
    priors: Priors,
    options: SampleOptions,
    known_sigma: float | None,
    seed: np.random.SeedSequence,
) -> NutsRun:
    """Sample a graph; the draws depend on the seed, not on the number of cores."""
    import nutpie
    from threadpoolctl import threadpool_limits

    wanted = [
        name for name in model.named_vars if name.startswith(("sigma", "sd_", "cor_", "beta", "ranef_"))
    ]
    compiled = nutpie.compile_pymc_model(
        model, var_names=wanted, initial_points=_start(model, design, priors)
    )
    with threadpool_limits(1):  # several threads per factorization would make sums depend on the machine
        tree = nutpie.sample(
            compiled,
            draws=options.draws,
            tune=options.tune,
            chains=options.chains,
            cores=options.cores,
            seed=int(seed.generate_state(1)[0]),
            save_warmup=False,
            progress_bar=options.progress,
            target_accept=options.target_accept,
        )
    drawn = {name: np.asarray(tree["posterior"][name]) for name in tree["posterior"].data_vars}
    parameters = tuple(_parameters(chain, drawn, design, known_sigma) for chain in range(options.chains))
    statistics = {theirs: np.asarray(tree["sample_stats"][ours]) for ours, theirs in _STATISTICS.items()}
    beta, ranef = _effects(drawn, design)
    return NutsRun(parameters, beta, ranef, statistics)


def _start(model: "pm.Model", design: Design, priors: Priors) -> dict[Any, Array] | None:
    """A flat prior of β has no centre to start from: least squares."""
    if names.BETA not in model.named_vars or not all(isinstance(prior, Flat) for prior in priors.beta):
        return None
    return {model[names.BETA]: np.linalg.lstsq(design.X, design.y - design.offset)[0]}


def _parameters(chain: int, drawn: dict[str, Array], design: Design, known_sigma: float | None) -> Parameters:
    """One chain's draws of the parameters."""
    n = next(iter(drawn.values())).shape[1]
    sigma = drawn[names.SIGMA][chain] if known_sigma is None else np.full(n, known_sigma)
    sd = {block.group: drawn[names.sd_name(block.group)][chain] for block in design.blocks}
    empty = np.zeros((1 + chain, n, 0))
    z = {
        block.group: 2 * drawn.get(names.unit_name(block.group), empty)[chain] - 1 for block in design.blocks
    }
    return Parameters(sigma, sd, z, drawn[names.BETA][chain] if names.BETA in drawn else None)


def _effects(drawn: dict[str, Array], design: Design) -> tuple[Array, Array] | tuple[None, None]:
    """Sampled β (chains, draws, p) and b (chains, draws, q), or nothing in a marginal graph."""
    wanted = [names.ranef_name(block.group) for block in design.blocks] + [names.BETA] * (design.p > 0)
    if not set(wanted) <= set(drawn):
        return None, None
    shape = next(iter(drawn.values())).shape[:2]
    parts = [drawn[names.ranef_name(block.group)].reshape(*shape, -1) for block in design.blocks]
    empty = np.zeros((*shape, 0))
    return drawn.get(names.BETA, empty), np.concatenate([empty, *parts], axis=2)
