"""Importance sampling (eq. 18): t proposals from Laplace fits of every mode, weights of the kernel.

Where the posterior is far from its Laplace fits, the weighted proposals themselves tell where it lies, and a
second round proposes from their mean and covariance. A scan of the density tells of mass that they lack.
Where an evaluation is dear and there is one mode, a polynomial improves on the Laplace fit (see `surrogate`).
"""

from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from bayeslmm.posterior.methods.laplace import LaplaceFit
from bayeslmm.posterior.methods.modes import Scan, modes
from bayeslmm.posterior.methods.proposals import Proposer, Student
from bayeslmm.posterior.methods.surrogate import evaluations, fit_surrogate
from bayeslmm.posterior.options import SampleOptions
from bayeslmm.posterior.parameters import Parameters
from bayeslmm.posterior.target import Target

type Array = NDArray[np.float64]

PARETO_K = 0.7  # above it importance weights have no usable mean (Vehtari et al. 2024)
LIGHT = 0.9  # mean weight over the largest, above which there is no tail to have a shape
ROUNDS = 3
EFFICIENT = 0.5  # effective share of the proposals with which another round isn't worth its cost
WASTEFUL = 0.3  # below it the chains stick to single draws
LACKING = 20.0  # times as dense as what was proposed: there the posterior was as good as not looked for
MISSED = 0.01  # posterior mass that may lie there
BURN_IN = 50
FEWEST = 2000  # proposals of all chains together; the tail of fewer weights tells little


@dataclass(frozen=True, slots=True, eq=False)
class ImportanceRun:
    """Equal-weight draws made from weighted proposals.

    Attributes
    ----------
    parameters : one record of `draws` draws per chain.
    log_density : (chains, draws) of the target at them.
    accepted : (chains, draws) whether the chain moved.
    pareto_k : shape of the largest weights' tail; -inf where none stands out from the mean.
    efficiency : effective number of proposals over their number (Kish).
    modes : the fits the proposals came from.
    missed : posterior mass that a scan of the density finds where next to nothing was proposed.
    exact : share of the proposals that the kernel was asked about; the weights of the others are unbiased.
    """

    parameters: tuple[Parameters, ...]
    log_density: Array
    accepted: NDArray[np.bool_]
    pareto_k: float
    efficiency: float
    modes: tuple[LaplaceFit, ...]
    missed: float = 0.0
    exact: float = 1.0

    @property
    def proper(self) -> bool:
        """Whether the proposals came from proper modes."""
        return all(fit.converged for fit in self.modes)

    @property
    def heavy(self) -> bool:
        """Do few weights hold most of the sum?"""
        return not self.pareto_k < PARETO_K

    @property
    def wasteful(self) -> bool:
        """Would the chains stick to single draws?"""
        return not self.efficiency > WASTEFUL

    @property
    def trustworthy(self) -> bool:
        """Whether the weights pass the gate."""
        return self.proper and not self.heavy and not self.wasteful and self.missed < MISSED


@dataclass(frozen=True, slots=True, eq=False)
class _Proposals:
    """Points (m, d) with their target log density and log weights (m,), and the share evaluated exactly."""

    phi: Array
    log_density: Array
    log_weight: Array
    exact: float = 1.0


@dataclass(frozen=True, eq=False)
class _Round:
    """Proposals by chain, and what they are worth.

    Attributes
    ----------
    scan : of the target. proposer : what the proposals were drawn from. log_total : logarithm of the
        posterior's mass.
    """

    scan: Scan
    proposer: Proposer
    proposals: list[_Proposals]
    log_total: float

    @property
    def phi(self) -> Array:
        """Of all chains."""
        return np.concatenate([p.phi for p in self.proposals])

    @cached_property
    def log_weight(self) -> Array:
        """Of all chains."""
        return np.concatenate([p.log_weight for p in self.proposals])

    @property
    def does(self) -> bool:
        """Whether another round of proposals isn't worth its cost."""
        return self.efficiency > EFFICIENT and self.pareto_k < PARETO_K and self.missed < MISSED

    @cached_property
    def efficiency(self) -> float:
        """As of `ImportanceRun`."""
        return kish(self.log_weight)

    @cached_property
    def pareto_k(self) -> float:
        """As of `ImportanceRun`."""
        return pareto_k(self.log_weight)

    @cached_property
    def missed(self) -> float:
        """Posterior mass of the scan's cells where the posterior is many times as dense as the proposals."""
        log_posterior = self.scan.log_density - self.log_total
        lacking = log_posterior - self.proposer.log_density(self.scan.points) > np.log(LACKING)
        return float(np.sum(np.exp(np.minimum(log_posterior[lacking] + self.scan.log_cell, 0.0))))


def importance(target: Target, options: SampleOptions, seeds: list[np.random.SeedSequence]) -> ImportanceRun:
    """Draw by importance sampling; one seed per chain.

    An independence Metropolis chain over the proposals turns weights into repetitions, so that draws have
    equal weight and their autocorrelation tells what the weights cost.
    """
    scan = Scan.of(target)
    fits = modes(target, scan)
    if not fits[0].converged:
        return ImportanceRun((), np.zeros((0, 0)), np.zeros((0, 0), bool), np.nan, 0.0, fits, 1.0)
    generators = [np.random.default_rng(seed) for seed in seeds]
    thin = -(-FEWEST // (options.draws * options.chains))
    n = options.draws * thin + BURN_IN
    threads = options.threads(len(generators), target.design.residual.n_phi)
    with ThreadPoolExecutor(threads) as pool:
        last = _by_surrogate(scan, fits, generators, n, pool, options.exact) or _rounds(
            scan, fits, generators, n, pool
        )
    chains = [
        _metropolis(p.log_weight, rng)[thin - 1 :: thin]
        for p, rng in zip(last.proposals, generators, strict=True)
    ]
    return ImportanceRun(
        tuple(target.parameters(p.phi[chain]) for p, chain in zip(last.proposals, chains, strict=True)),
        np.array([p.log_density[chain] for p, chain in zip(last.proposals, chains, strict=True)]),
        np.array([np.diff(chain, prepend=-1) != 0 for chain in chains]),
        last.pareto_k,
        last.efficiency,
        fits,
        last.missed,
        float(np.mean([p.exact for p in last.proposals])),
    )


def _by_surrogate(
    scan: Scan,
    fits: tuple[LaplaceFit, ...],
    generators: list[np.random.Generator],
    n: int,
    pool: Executor,
    exact: bool,
) -> _Round | None:
    """n proposals per chain by way of a polynomial; none where it doesn't pay, or doesn't do."""
    (fit, *others), wanted, target = fits, n * len(generators), scan.target
    if target.design.kernel.small or not fit.converged or others or 2 * evaluations(target.size) > wanted:
        return None
    surrogate = fit_surrogate(target, fit, Student(fit.mode, fit.root), pool)

    def propose(rng: np.random.Generator) -> _Proposals:
        unit, log_proposal = surrogate.propose(n, rng)
        share = 1.0 if exact else surrogate.share
        weighed = surrogate.weigh(target.finite, unit, log_proposal, share, rng)
        return _Proposals(surrogate.base.points(unit), *weighed)

    total = fit.log_mass + 0.5 * target.size * np.log(2 * np.pi)
    found = _Round(scan, Proposer.of(fits), list(pool.map(propose, generators)), total)
    return found if found.does else None


def _rounds(
    scan: Scan,
    fits: tuple[LaplaceFit, ...],
    generators: list[np.random.Generator],
    n: int,
    pool: Executor,
) -> _Round:
    """n proposals per chain: of the Laplace fits, or of a later round where that is wasteful."""
    proposer = Proposer.of(fits)
    for _ in range(ROUNDS):
        proposals = list(pool.map(partial(_propose, scan.target, proposer, n), generators))
        log_total = _log_mean(np.concatenate([p.log_weight for p in proposals]))
        found = _Round(scan, proposer, proposals, log_total)
        if found.does:
            break
        proposer = proposer.adapted(found.phi, found.log_weight)
    return found


def _propose(target: Target, proposer: Proposer, n: int, rng: np.random.Generator) -> _Proposals:
    """n draws with their weights."""
    phi, log_proposal = proposer.propose(n, rng)
    log_density = target.finite(phi)
    return _Proposals(phi, log_density, log_density - log_proposal)


def _metropolis(log_weight: Array, rng: np.random.Generator) -> NDArray[np.intp]:
    """Independence Metropolis over proposals in turn: index of the state after each, burn-in dropped."""
    from bayeslmm.kernel.independence import independence_chain

    return independence_chain(log_weight, np.log(rng.uniform(size=len(log_weight))))[BURN_IN:]


def pareto_k(log_weight: Array) -> float:
    from arviz_stats.base import array_stats

    shifted = np.where(np.isfinite(log_weight), log_weight, -1e10) - log_weight.max()
    if np.mean(np.exp(shifted)) > LIGHT:
        return -np.inf
    return float(array_stats.psislw(-shifted)[1])  # it takes minus the log weights


def kish(log_weight: Array) -> float:
    weight = np.exp(log_weight - log_weight.max())
    return float(weight.sum() ** 2 / np.sum(weight**2) / len(weight))


def _log_mean(log_weight: Array) -> float:
    top = log_weight.max()
    return float(top + np.log(np.mean(np.exp(log_weight - top))))
