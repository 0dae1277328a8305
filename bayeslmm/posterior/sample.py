"""Sample the posterior: options, run, frozen result."""

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayeslmm.errors import SamplingWarning, caution
from bayeslmm.one_thread import one_thread
from bayeslmm.posterior.effects.recover import recover_effects
from bayeslmm.posterior.methods.choice import Plan, choose
from bayeslmm.posterior.methods.importance import MISSED, PARETO_K, WASTEFUL, ImportanceRun, importance
from bayeslmm.posterior.methods.mixture import NodeMixture, node_draws
from bayeslmm.posterior.methods.quadrature import quadrature
from bayeslmm.posterior.options import SampleOptions, check_of_fitted, fresh_seed
from bayeslmm.posterior.parameters import Parameters
from bayeslmm.posterior.result import PosteriorResult
from bayeslmm.posterior.summary.tree import Draws, data_tree
from bayeslmm.posterior.target import Target
from bayeslmm.runs.progress import waited
from bayeslmm.spec.design import Design
from bayeslmm.spec.identified import explained_by
from bayeslmm.spec.priors import Priors
from bayeslmm.spec.recipe import Recipe

type Array = NDArray[np.float64]

RECOVERING = ("importance", "marginal", "quadrature")  # methods whose β and b are drawn afterwards


@dataclass(frozen=True)
class _Seeds:
    """One seed per purpose and chain, spawned from the root."""

    seed: int
    nuts: np.random.SeedSequence
    proposals: list[np.random.SeedSequence]
    effects: dict[str, list[np.random.SeedSequence]]

    @classmethod
    def spawn(cls, options: SampleOptions) -> "_Seeds":
        seed = fresh_seed() if options.seed is None else options.seed
        root = np.random.SeedSequence(seed)
        nuts, proposals, *others = root.spawn(2 + len(RECOVERING))
        # a stream per method: two that agree do so for no common normal draws
        effects = {method: own.spawn(options.chains) for method, own in zip(RECOVERING, others, strict=True)}
        return cls(seed, nuts, proposals.spawn(options.chains), effects)


SILENT = {"importance": "Weighing draws", "quadrature": "Integrating", "compile": "Compiling the graph"}


@dataclass
class _Clock:
    """Seconds by step; one that can't say how far it is says how long it has taken, if asked to."""

    tells: bool
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def __call__(self, step: str) -> Iterator[None]:
        start = time.perf_counter()
        with waited(SILENT[step]) if self.tells and step in SILENT else nullcontext():
            yield
        self.seconds[step] = self.seconds.get(step, 0.0) + time.perf_counter() - start


@dataclass(frozen=True, slots=True, eq=False)
class _Run:
    """What is sampled, and how."""

    target: Target
    options: SampleOptions
    seeds: _Seeds
    clock: _Clock
    recipe: Recipe | None


@dataclass(frozen=True, slots=True, eq=False)
class _Outcome:
    """What came out of one method."""

    draws: Draws
    method: str
    reason: str
    pareto_k: float | None = None
    mixture: NodeMixture | None = None


def sample(
    design: Design,
    priors: Priors,
    options: SampleOptions | None = None,
    recipe: Recipe | None = None,
) -> PosteriorResult:
    """Draw from the posterior of a design under priors.

    Parameters
    ----------
    options : see `SampleOptions`; defaults where None.
    recipe : how new rows become a design, for predictions.

    Raises
    ------
    PriorError
        When the posterior is improper because σ is 0.
    OptionError
        When the residual depends on fitted values.

    Warns
    -----
    SamplingWarning
        When importance sampling was asked for and NUTS had to take its place.
    """
    design = design.begun
    check_of_fitted(design.residual)
    if design.in_memory:
        priors.check_sigma(explained_by(design))
    options = options or SampleOptions()
    run = _Run(Target(design, priors), options, _Seeds.spawn(options), _Clock(options.progress), recipe)
    with one_thread():  # sums must not depend on how many threads share them
        outcome = _carry_out(choose(run.target, options.method), run)
    if options.method == "importance" and outcome.method != "importance":
        caution(SamplingWarning(f"importance sampling gave way to NUTS: {outcome.reason}"))
    return _result(run, outcome)


def _carry_out(plan: Plan, run: _Run) -> _Outcome:
    """Try the plan's methods in turn."""
    if plan.methods[0] == "quadrature":
        return _by_quadrature(run, plan.reason)
    if plan.methods[0] != "importance":
        return _by_nuts(run, plan.methods[0], plan.reason)
    with run.clock("importance"):
        weighted = importance(run.target, run.options, run.seeds.proposals)
    reason = f"{plan.reason}; {_gate(weighted)}"
    if not weighted.trustworthy:
        return _by_nuts(run, plan.methods[1], f"{reason}: NUTS on the {plan.methods[1]} graph")
    statistics = {"lp": weighted.log_density, "accepted": weighted.accepted}
    draws = _with_effects(run, "importance", weighted.parameters, statistics)
    return _Outcome(draws, "importance", reason, weighted.pareto_k)


def _by_quadrature(run: _Run, reason: str) -> _Outcome:
    """Estimates come from the nodes; the draws are nodes too, drawn by weight, with exact β and b."""
    with run.clock("quadrature"):
        found = quadrature(run.target, run.options.nodes)
    chains = tuple(node_draws(found, run.target, run.options.draws, seed) for seed in run.seeds.proposals)
    draws = _with_effects(run, "quadrature", chains, {})
    size = f"{found.nodes} nodes for each of {run.target.size} parameters"
    return _Outcome(draws, "quadrature", f"{reason}; {size}", None, NodeMixture(run.target, found))


def _gate(run: ImportanceRun) -> str:
    """How the weights did, in words."""
    if not run.proper:
        return "the Laplace fit found no proper mode"
    if run.missed >= MISSED:
        return f"{100 * run.missed:.0f} % of the posterior lies where nothing was proposed"
    verb = "fails" if run.heavy else "passes"
    asked = "" if run.exact == 1 else f", {100 * run.exact:.0f} % of the proposals evaluated exactly"
    least = f", less than {100 * WASTEFUL:.0f} %" if run.wasteful else ""
    said = f"({100 * run.efficiency:.0f} % efficient{least}{asked})"
    found = f"{len(run.modes)} modes, " if len(run.modes) > 1 else ""
    return f"{found}Pareto k {run.pareto_k:.2f} {verb} the gate of {PARETO_K} {said}"


def _by_nuts(run: _Run, method: str, reason: str) -> _Outcome:
    from bayeslmm.posterior.graph.graphs import build_graph
    from bayeslmm.posterior.methods.nuts import nuts

    target, options = run.target, run.options
    with run.clock("compile"):
        model = build_graph(target.design, target.priors, method, options.centred)
    found = nuts(model, target.design, target.priors, options, run.seeds.nuts, run.clock)
    if found.beta is None or found.ranef is None:
        draws = _with_effects(run, method, found.parameters, found.statistics)
    else:
        draws = Draws(found.parameters, found.beta, found.ranef, found.statistics)
    return _Outcome(draws, method, reason)


def _with_effects(
    run: _Run, method: str, parameters: tuple[Parameters, ...], statistics: Mapping[str, NDArray[Any]]
) -> Draws:
    one = partial(recover_effects, run.target.design, run.target.priors)
    threads = run.options.threads(len(parameters), run.target.design.residual.n_phi)
    with run.clock("effects"), ThreadPoolExecutor(threads) as pool:
        pairs = list(pool.map(one, parameters, run.seeds.effects[method]))
    beta, ranef = (np.stack(part) for part in zip(*pairs, strict=True))
    return Draws(parameters, beta, ranef, statistics)


def _result(run: _Run, outcome: _Outcome) -> PosteriorResult:
    design, priors = run.target.design, run.target.priors
    with run.clock("collect"):
        told = _attributes(run, outcome)
        data = data_tree(design, priors, outcome.draws, told, run.options.cores)
    return PosteriorResult(
        data,
        outcome.method,
        outcome.reason,
        design,
        priors,
        run.options,
        run.seeds.seed,
        dict(run.clock.seconds),
        outcome.pareto_k,
        outcome.mixture,
        outcome.draws,
        run.recipe,
    )


def _attributes(run: _Run, outcome: _Outcome) -> Mapping[str, Any]:
    from bayeslmm.runs.manifest import package_versions

    versions = {f"version_{name}": found for name, found in package_versions().items()}
    told = {"method": outcome.method, "reason": outcome.reason, "seed": str(run.seeds.seed)}
    if outcome.mixture is not None:
        told["draws"] = "quadrature nodes drawn by weight; the estimates come from the nodes themselves"
    return {"inference_library": "bayeslmm", **told, **versions}
