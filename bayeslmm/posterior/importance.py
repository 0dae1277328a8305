"""Importance sampling: multivariate-t proposals from the Laplace fit, weights from the exact kernel.

Where the posterior is far from its Laplace fit, the weighted proposals themselves tell where it lies, and a
second round proposes from their mean and covariance.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from bayeslmm.posterior.laplace import LaplaceFit, laplace
from bayeslmm.posterior.options import SampleOptions
from bayeslmm.posterior.parameters import Parameters
from bayeslmm.posterior.target import Target

type Array = NDArray[np.float64]

PARETO_K = 0.7  # above it importance weights have no usable mean (Vehtari et al. 2024)
DF = 5.0
WIDEN = 1.1
ROUNDS = 3
EFFICIENT = 0.5  # effective share of the proposals with which another round isn't worth its cost
WASTEFUL = 0.3  # below it the chains stick to single draws
BURN_IN = 50
FEWEST = 2000  # proposals of all chains together; the tail of fewer weights tells little


@dataclass(frozen=True, slots=True)
class ImportanceRun:
    """Equal-weight draws made from weighted proposals.

    Attributes
    ----------
    parameters : one record of `draws` draws per chain.
    log_density : (chains, draws) of the target at them.
    accepted : (chains, draws) whether the chain moved.
    pareto_k : shape of the largest weights' tail; -inf where the weights are constant.
    efficiency : effective number of proposals over their number (Kish).
    laplace : the fit the proposals came from.
    """

    parameters: tuple[Parameters, ...]
    log_density: Array
    accepted: NDArray[np.bool_]
    pareto_k: float
    efficiency: float
    laplace: LaplaceFit

    @property
    def trustworthy(self) -> bool:
        """Whether the weights pass the gate."""
        return self.laplace.converged and self.pareto_k < PARETO_K and self.efficiency > WASTEFUL


@dataclass(frozen=True, slots=True)
class _Proposer:
    """A multivariate t about `centre` (d,) with scale matrix root·rootᵀ."""

    centre: Array
    root: Array


@dataclass(frozen=True, slots=True)
class _Proposals:
    """Points (m, d) with their target log density and log weights (m,)."""

    phi: Array
    log_density: Array
    log_weight: Array


def importance(target: Target, options: SampleOptions, seeds: list[np.random.SeedSequence]) -> ImportanceRun:
    """Draw by importance sampling; one seed per chain.

    An independence Metropolis chain over the proposals turns weights into repetitions, so that draws have
    equal weight and their autocorrelation tells what the weights cost.
    """
    fit = laplace(target)
    generators = [np.random.default_rng(seed) for seed in seeds]
    thin = -(-FEWEST // (options.draws * options.chains))
    n = options.draws * thin + BURN_IN
    proposals = _rounds(target, fit, generators, n, options.cores)
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
    )


def _rounds(
    target: Target, fit: LaplaceFit, generators: list[np.random.Generator], n: int, cores: int | None
) -> list[_Proposals]:
    """n proposals per chain: of the Laplace fit, or of a later round where that is wasteful."""
    proposer = _Proposer(fit.mode, fit.root)
    with ThreadPoolExecutor(cores or len(generators)) as pool:
        for _ in range(ROUNDS):
            proposals = list(pool.map(partial(_propose, target, proposer, n), generators))
            log_weight = np.concatenate([p.log_weight for p in proposals])
            if _kish(log_weight) > EFFICIENT and _pareto_k(log_weight) < PARETO_K:
                break
            proposer = _adapted(proposals)
    return proposals


def _adapted(proposals: list[_Proposals]) -> _Proposer:
    """Mean and covariance of the weighted proposals, weights truncated (Ionides 2008)."""
    phi = np.concatenate([p.phi for p in proposals])
    log_weight = np.concatenate([p.log_weight for p in proposals])
    weight = np.exp(log_weight - log_weight.max())
    weight = np.minimum(weight, weight.mean() * np.sqrt(len(weight)))
    centre = np.average(phi, axis=0, weights=weight)
    covariance = np.atleast_2d(np.cov(phi.T, aweights=weight))
    return _Proposer(centre, np.linalg.cholesky(covariance))


def _propose(target: Target, proposer: _Proposer, n: int, rng: np.random.Generator) -> _Proposals:
    """n draws with their weights."""
    d = target.size
    normal = rng.standard_normal((n, d))
    mixing = rng.chisquare(DF, n) / DF
    unit = WIDEN * normal / np.sqrt(mixing)[:, None]
    phi = proposer.centre + unit @ proposer.root.T
    log_proposal = -0.5 * (DF + d) * np.log1p(np.sum((unit / WIDEN) ** 2, axis=1) / DF)
    with np.errstate(over="ignore", invalid="ignore"):
        log_density = np.nan_to_num(target(phi), nan=-np.inf)
    return _Proposals(phi, log_density, log_density - log_proposal)


def _metropolis(log_weight: Array, rng: np.random.Generator) -> NDArray[np.intp]:
    """Independence Metropolis over proposals in turn: index of the state after each, burn-in dropped."""
    from bayeslmm.kernel.independence import independence_chain

    return independence_chain(log_weight, np.log(rng.uniform(size=len(log_weight))))[BURN_IN:]


def _pareto_k(log_weight: Array) -> float:
    from arviz_stats.base import array_stats

    if np.ptp(log_weight) < 1e-8:
        return -np.inf
    shifted = np.where(np.isfinite(log_weight), log_weight, -1e10) - log_weight.max()
    return float(array_stats.psislw(-shifted)[1])  # it takes minus the log weights


def _kish(log_weight: Array) -> float:
    weight = np.exp(log_weight - log_weight.max())
    return float(weight.sum() ** 2 / np.sum(weight**2) / len(weight))
