"""Importance sampling: multivariate-t proposals from the Laplace fit, weights from the exact kernel.

Where the posterior is far from its Laplace fit, the weighted proposals themselves tell where it lies, and a
second round proposes from their mean and covariance. Where an evaluation is dear, a polynomial improves on
the Laplace fit (see `surrogate`).
"""

from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from bayeslmm.posterior.methods.laplace import LaplaceFit, laplace
from bayeslmm.posterior.methods.surrogate import Student, evaluations, fit_surrogate
from bayeslmm.posterior.options import SampleOptions
from bayeslmm.posterior.parameters import Parameters
from bayeslmm.posterior.target import Target

type Array = NDArray[np.float64]

PARETO_K = 0.7  # above it importance weights have no usable mean (Vehtari et al. 2024)
LIGHT = 0.9  # mean weight over the largest, above which there is no tail to have a shape
DF = 5.0
WIDEN = 1.1
ROUNDS = 3
EFFICIENT = 0.5  # effective share of the proposals with which another round isn't worth its cost
WASTEFUL = 0.3  # below it the chains stick to single draws
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
    laplace : the fit the proposals came from.
    exact : share of the proposals that the kernel was asked about; the weights of the others are unbiased.
    """

    parameters: tuple[Parameters, ...]
    log_density: Array
    accepted: NDArray[np.bool_]
    pareto_k: float
    efficiency: float
    laplace: LaplaceFit
    exact: float = 1.0

    @property
    def trustworthy(self) -> bool:
        """Whether the weights pass the gate."""
        return self.laplace.converged and self.pareto_k < PARETO_K and self.efficiency > WASTEFUL


@dataclass(frozen=True, slots=True, eq=False)
class _Proposals:
    """Points (m, d) with their target log density and log weights (m,), and the share evaluated exactly."""

    phi: Array
    log_density: Array
    log_weight: Array
    exact: float = 1.0


def importance(target: Target, options: SampleOptions, seeds: list[np.random.SeedSequence]) -> ImportanceRun:
    """Draw by importance sampling; one seed per chain.

    An independence Metropolis chain over the proposals turns weights into repetitions, so that draws have
    equal weight and their autocorrelation tells what the weights cost.
    """
    fit = laplace(target)
    generators = [np.random.default_rng(seed) for seed in seeds]
    thin = -(-FEWEST // (options.draws * options.chains))
    n = options.draws * thin + BURN_IN
    with ThreadPoolExecutor(options.cores or len(generators)) as pool:
        proposals = _by_surrogate(target, fit, generators, n, pool, options.exact) or _rounds(
            target, fit, generators, n, pool
        )
    chains = [
        _metropolis(p.log_weight, rng)[thin - 1 :: thin] for p, rng in zip(proposals, generators, strict=True)
    ]
    log_weight = np.concatenate([p.log_weight for p in proposals])
    return ImportanceRun(
        tuple(target.parameters(p.phi[chain]) for p, chain in zip(proposals, chains, strict=True)),
        np.array([p.log_density[chain] for p, chain in zip(proposals, chains, strict=True)]),
        np.array([np.diff(chain, prepend=-1) != 0 for chain in chains]),
        _pareto_k(log_weight),
        _kish(log_weight),
        fit,
        float(np.mean([p.exact for p in proposals])),
    )


def _by_surrogate(
    target: Target,
    fit: LaplaceFit,
    generators: list[np.random.Generator],
    n: int,
    pool: Executor,
    exact: bool,
) -> list[_Proposals]:
    """n proposals per chain by way of a polynomial; none where it doesn't pay, or doesn't do."""
    wanted = n * len(generators)
    if target.design.kernel.small or not fit.converged or 2 * evaluations(target.size) > wanted:
        return []
    surrogate = fit_surrogate(target, fit, Student(fit.mode, fit.root, WIDEN, DF), pool)

    def propose(rng: np.random.Generator) -> _Proposals:
        unit, log_proposal = surrogate.propose(n, rng)
        share = 1.0 if exact else surrogate.share
        weighed = surrogate.weigh(partial(_density, target), unit, log_proposal, share, rng)
        return _Proposals(surrogate.base.points(unit), *weighed)

    proposals = list(pool.map(propose, generators))
    return proposals if _do(proposals) else []


def _do(proposals: list[_Proposals]) -> bool:
    """Whether another round of proposals isn't worth its cost."""
    log_weight = np.concatenate([p.log_weight for p in proposals])
    return _kish(log_weight) > EFFICIENT and _pareto_k(log_weight) < PARETO_K


def _rounds(
    target: Target, fit: LaplaceFit, generators: list[np.random.Generator], n: int, pool: Executor
) -> list[_Proposals]:
    """n proposals per chain: of the Laplace fit, or of a later round where that is wasteful."""
    proposer = Student(fit.mode, fit.root, WIDEN, DF)
    for _ in range(ROUNDS):
        proposals = list(pool.map(partial(_propose, target, proposer, n), generators))
        if _do(proposals):
            break
        proposer = _adapted(proposals)
    return proposals


def _adapted(proposals: list[_Proposals]) -> Student:
    """Mean and covariance of the weighted proposals, weights truncated (Ionides 2008)."""
    phi = np.concatenate([p.phi for p in proposals])
    log_weight = np.concatenate([p.log_weight for p in proposals])
    weight = np.exp(log_weight - log_weight.max())
    weight = np.minimum(weight, weight.mean() * np.sqrt(len(weight)))
    centre = np.average(phi, axis=0, weights=weight)
    covariance = np.atleast_2d(np.cov(phi.T, aweights=weight))
    return Student(centre, np.linalg.cholesky(covariance), WIDEN, DF)


def _propose(target: Target, proposer: Student, n: int, rng: np.random.Generator) -> _Proposals:
    """n draws with their weights."""
    unit = proposer.draw(n, rng)
    phi = proposer.points(unit)
    log_density = _density(target, phi)
    return _Proposals(phi, log_density, log_density - proposer.log_density(unit))


def _density(target: Target, phi: Array) -> Array:
    """The target's log density at points (m, d), −∞ where it can't be evaluated."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.nan_to_num(target(phi), nan=-np.inf)


def _metropolis(log_weight: Array, rng: np.random.Generator) -> NDArray[np.intp]:
    """Independence Metropolis over proposals in turn: index of the state after each, burn-in dropped."""
    from bayeslmm.kernel.independence import independence_chain

    return independence_chain(log_weight, np.log(rng.uniform(size=len(log_weight))))[BURN_IN:]


def _pareto_k(log_weight: Array) -> float:
    from arviz_stats.base import array_stats

    shifted = np.where(np.isfinite(log_weight), log_weight, -1e10) - log_weight.max()
    if np.mean(np.exp(shifted)) > LIGHT:
        return -np.inf
    return float(array_stats.psislw(-shifted)[1])  # it takes minus the log weights


def _kish(log_weight: Array) -> float:
    weight = np.exp(log_weight - log_weight.max())
    return float(weight.sum() ** 2 / np.sum(weight**2) / len(weight))
