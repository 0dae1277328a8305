"""Weighted points of one posterior: proposals adapt until they are like it, then all points are spent."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bayeslmm.kernel.values.integrated_moments import integrated_moments
from bayeslmm.posterior.methods.averages import carried, scores
from bayeslmm.posterior.methods.importance import WASTEFUL, kish
from bayeslmm.posterior.methods.proposals import Proposer
from bayeslmm.posterior.parameters import relative_factors
from bayeslmm.posterior.target import Target

type Array = NDArray[np.float64]

FEW, MANY = 512, 2048  # points that only tell where the posterior lies, of up to
SMALL = 4  # parameters, and of more
ROUNDS = 5  # of scouts
LIKE = 0.4  # effective share of them with which proposals are like the posterior


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Points of a posterior.

    Attributes
    ----------
    phi : (n, d). log_weight : (n,). beta, beta_variance : (n, p) of β given each point.
    """

    phi: Array
    log_weight: Array
    beta: Array
    beta_variance: Array

    @property
    def mass(self) -> Array:
        """(n,), their sum is 1."""
        weights = np.exp(self.log_weight - self.log_weight.max())
        return np.asarray(weights / weights.sum())


@dataclass(frozen=True, slots=True, eq=False)
class Sequence:
    """What n points are made from.

    Attributes
    ----------
    unit : (n, d) of a t distribution. owner : (n,) uniform, which part of a mixture is whose.
    within : (n,) uniform, where β stands in its law given a point.
    """

    unit: Array
    owner: Array
    within: Array

    @classmethod
    def sobol(cls, size: int, n: int, seed: int) -> "Sequence":
        """A scrambled Sobol sequence."""
        from scipy.stats import qmc

        uniform = qmc.Sobol(size + 3, rng=np.random.default_rng(seed)).random(n)
        return cls(scores(uniform[:, :-2]), uniform[:, -2], uniform[:, -1])


@dataclass(frozen=True, eq=False)
class Sequences:
    """The numbers behind all points: the same for every posterior, so that they can be compared.

    Attributes
    ----------
    size : parameters of a target. n : points, a power of two. seed : of the scrambling.
    """

    size: int
    n: int
    seed: int

    @cached_property
    def final(self) -> Sequence:
        """Of the points that count."""
        return Sequence.sobol(self.size, self.n, self.seed)

    @cached_property
    def scouts(self) -> Sequence:
        """Of those that only tell where the posterior lies."""
        return Sequence.sobol(self.size, FEW if self.size <= SMALL else MANY, self.seed + 1)


def points_of(target: Target, proposers: Iterator[Proposer], sequences: Sequences) -> Points:
    """Points of a posterior, from the first proposer that leads to proposals like it."""
    found = None
    for proposer in proposers:
        found = weighed(target, adapted(target, proposer, sequences.scouts), sequences.final)
        if kish(found.log_weight) > WASTEFUL:
            break
    assert found is not None
    return found


def adapted(target: Target, proposer: Proposer, sequence: Sequence) -> Proposer:
    """Proposals moved to the mean and covariance of what they find, round after round."""
    for _ in range(ROUNDS):
        phi = carried(proposer, sequence.unit, sequence.owner)
        log_weight = target.finite(phi) - proposer.log_density(phi)
        if not np.isfinite(log_weight).any():
            return proposer
        like, proposer = kish(log_weight) > LIKE, proposer.adapted(phi, log_weight)
        if like:
            break
    return proposer


def weighed(target: Target, proposer: Proposer, sequence: Sequence) -> Points:
    """Points of a proposer with their weights, and β given each."""
    phi = carried(proposer, sequence.unit, sequence.owner)
    parameters = target.parameters(phi)
    if parameters.beta is not None:
        given = target.finite(phi) - proposer.log_density(phi)
        return Points(phi, given, parameters.beta, np.zeros_like(parameters.beta))
    prior, kernel = target.prior_of_delta, target.design.kernel
    density, delta, variance = integrated_moments(
        relative_factors(target.design, parameters),
        np.ascontiguousarray(parameters.sigma),
        prior.precision,
        prior.shift,
        np.linalg.inv(kernel.R_X),
        kernel.condensed.problem,
    )
    log_weight = density + target.log_prior(phi) - proposer.log_density(phi)
    seen = np.isfinite(log_weight) & (parameters.sigma > target.least_sigma)
    beta = np.where(seen[:, None], kernel.to_beta(delta), 0.0)
    return Points(phi, np.where(seen, log_weight, -np.inf), beta, np.where(seen[:, None], variance, 0.0))
