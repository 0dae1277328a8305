"""NUTS over a PyMC graph, by nutpie or by PyMC itself."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayeslmm.errors import PriorError, SamplingWarning, caution
from bayeslmm.one_thread import one_thread
from bayeslmm.posterior import names
from bayeslmm.posterior.options import SampleOptions
from bayeslmm.posterior.parameters import Parameters
from bayeslmm.posterior.residual_values import residual_phi, residual_values
from bayeslmm.spec.design import Design
from bayeslmm.spec.priors import Priors

if TYPE_CHECKING:
    import pymc as pm

type Array = NDArray[np.float64]
type Clock = Callable[[str], AbstractContextManager[None]]

LEAST = 4  # draws of a chain that summaries can be made of
NOWHERE = ("initialization points failed", "at starting point failed")  # nutpie's words, and PyMC's

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


@dataclass(frozen=True, slots=True, eq=False)
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
    seed: np.random.SeedSequence,
    clock: Clock,
) -> NutsRun:
    """Sample a graph; the draws depend on the seed, not on the number of cores.

    `clock` takes the seconds of the steps "compile" and "nuts".

    An interrupt (Ctrl-C) ends the run early with the draws that chains in progress have made.

    Warns
    -----
    SamplingWarning
        When it was interrupted, with what was kept.

    Raises
    ------
    KeyboardInterrupt
        When no chain had drawn anything worth keeping.
    PriorError
        When there is no point to begin with.
    """
    from pytensor import config

    beginnings = ("sigma", "sd_", "cor_", "beta", "ranef_")
    free = {rv.name for rv in model.free_RVs}
    of_residual = residual_values(design, design.residual.start[None], np.ones(1)).keys() & free
    wanted = [name for name in model.named_vars if name.startswith(beginnings) or name in of_residual]
    run = _by_nutpie if options.sampler == "nutpie" else _by_pymc
    # several threads per factorization would make sums depend on the machine; so would leave to reorder them,
    # as the compiler does it one way in fresh code and another around code from the cache
    with one_thread(), config.change_flags(numba__fastmath=False):
        start = _start(model, design, priors)
        with _beginning():
            tree = run(model, wanted, start, options, int(seed.generate_state(1)[0]), clock)
    drawn = {name: np.asarray(tree["posterior"][name]) for name in tree["posterior"].data_vars}
    statistics = {name: np.asarray(tree["sample_stats"][name]) for name in tree["sample_stats"].data_vars}
    drawn, statistics = _finished(drawn, statistics, options)
    n_chains = next(iter(drawn.values())).shape[0]
    parameters = tuple(_parameters(chain, drawn, design) for chain in range(n_chains))
    beta, ranef = _effects(drawn, design)
    return NutsRun(parameters, beta, ranef, statistics)


@contextmanager
def _beginning() -> Iterator[None]:
    """Samplers that find no point to begin with say so in the package's words."""
    try:
        yield
    except RuntimeError as error:
        if not any(words in str(error) for words in NOWHERE):
            raise
        raise PriorError(
            "the posterior's density is 0 or beyond floating point wherever NUTS could begin: priors and "
            "data exclude each other; compare the priors' scales with the estimates of model.fit()"
        ) from None


def _by_nutpie(
    model: "pm.Model",
    wanted: list[str],
    start: dict[Any, Array] | None,
    options: SampleOptions,
    seed: int,
    clock: Clock,
) -> Any:
    """nutpie's DataTree, statistics by ArviZ's names."""
    import nutpie

    with clock("compile"):
        compiled = nutpie.compile_pymc_model(model, var_names=wanted, initial_points=start)
    with clock("nuts"):
        tree = nutpie.sample(
            compiled,
            draws=options.draws,
            tune=options.tune,
            chains=options.chains,
            cores=options.cores,
            seed=seed,
            save_warmup=False,
            progress_bar=options.progress,
            target_accept=options.target_accept,
            zarr_store=_store(options.store),
        )
    statistics = tree["sample_stats"].to_dataset()[list(_STATISTICS)].rename(_STATISTICS)
    return {"posterior": tree["posterior"].to_dataset(), "sample_stats": statistics}


def _store(folder: "str | Path | None") -> Any:
    import nutpie

    if folder is None:
        return None
    Path(folder).mkdir(parents=True, exist_ok=True)
    return nutpie.zarr_store.LocalStore(str(folder))


def _by_pymc(
    model: "pm.Model",
    wanted: list[str],
    start: dict[Any, Array] | None,
    options: SampleOptions,
    seed: int,
    clock: Clock,
) -> Any:
    """The DataTree of PyMC's own NUTS, which compiles as it starts."""
    import pymc as pm

    with clock("nuts"):
        tree = pm.sample(
            options.draws,
            tune=options.tune,
            chains=options.chains,
            cores=options.cores or options.chains,
            random_seed=seed,
            initvals=None if start is None else {variable.name: value for variable, value in start.items()},
            progressbar=options.progress,
            quiet=not options.progress,
            nuts_sampler="pymc",
            nuts={"target_accept": options.target_accept},
            compute_convergence_checks=False,
            model=model,
        )
    statistics = tree["sample_stats"].to_dataset()[list(_STATISTICS.values())]
    return {"posterior": tree["posterior"].to_dataset()[wanted], "sample_stats": statistics}


def _finished(
    drawn: dict[str, Array], statistics: dict[str, NDArray[Any]], options: SampleOptions
) -> tuple[dict[str, Array], dict[str, NDArray[Any]]]:
    """What an interrupted run leaves: chains at least half as long as the longest, cut to one length."""
    missing = [np.isnan(values).any(axis=tuple(range(2, values.ndim))) for values in drawn.values()]
    lengths = np.sum(~np.any(missing, axis=0), axis=1)
    chains = np.flatnonzero(2 * lengths >= lengths.max())
    n = int(lengths[chains].min())
    if (len(chains), n) == (options.chains, options.draws):
        return drawn, statistics
    if n < LEAST:
        raise KeyboardInterrupt
    caution(
        SamplingWarning(
            f"sampling was interrupted: {len(chains)} of {options.chains} chains with {n} of {options.draws} "
            "draws were kept; look at the checks before using them"
        )
    )
    kept = {name: values[chains, :n] for name, values in drawn.items()}
    return kept, {name: values[chains, :n] for name, values in statistics.items()}


def _start(model: "pm.Model", design: Design, priors: Priors) -> dict[Any, Array] | None:
    """A flat prior of β has no centre to start from: least squares."""
    if names.BETA not in model.named_vars or any(prior.proper for prior in priors.beta):
        return None
    return {model[names.BETA]: np.linalg.lstsq(design.X, design.y - design.offset)[0]}


def _parameters(chain: int, drawn: dict[str, Array], design: Design) -> Parameters:
    """One chain's draws of the parameters."""
    n = next(iter(drawn.values())).shape[1]
    known = design.residual.sigma
    sigma = drawn[names.SIGMA][chain] if known is None else np.full(n, known)
    sd = {block.group: drawn[names.sd_name(block.group)][chain] for block in design.blocks}
    empty = np.zeros((1 + chain, n, 0))
    z = {
        block.group: 2 * drawn.get(names.unit_name(block.group), empty)[chain] - 1 for block in design.blocks
    }
    own = {name: values[chain] for name, values in drawn.items()}
    return Parameters(sigma, sd, z, own.get(names.BETA), residual_phi(design, own, np.asarray(sigma)))


def _effects(drawn: dict[str, Array], design: Design) -> tuple[Array, Array] | tuple[None, None]:
    """Sampled β (chains, draws, p) and b (chains, draws, q), or nothing in a marginal graph."""
    wanted = [names.ranef_name(block.group) for block in design.blocks] + [names.BETA] * (design.p > 0)
    if not set(wanted) <= set(drawn):
        return None, None
    shape = next(iter(drawn.values())).shape[:2]
    parts = [drawn[names.ranef_name(block.group)].reshape(*shape, -1) for block in design.blocks]
    empty = np.zeros((*shape, 0))
    return drawn.get(names.BETA, empty), np.concatenate([empty, *parts], axis=2)
