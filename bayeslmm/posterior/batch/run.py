"""Posteriors of many responses, or under many priors: one search for modes serves them all."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bayeslmm.errors import check_whole
from bayeslmm.posterior.batch.arrays import OnePosterior, PosteriorArrays, weighted_limits
from bayeslmm.posterior.batch.points import Points, Sequences, points_of
from bayeslmm.posterior.methods.importance import kish, pareto_k
from bayeslmm.posterior.methods.modes import Scan, modes
from bayeslmm.posterior.methods.proposals import Proposer
from bayeslmm.posterior.parameters import correlations
from bayeslmm.posterior.summary.estimates import check_interval
from bayeslmm.posterior.target import Target
from bayeslmm.spec.design import Design
from bayeslmm.spec.labels import parameter_labels

type Array = NDArray[np.float64]

STRATA = 4  # values of β at each point, one from each part of its normal law
APART = 1.8  # sds of the first proposals to the posterior's own: other data have their modes elsewhere


@dataclass(frozen=True, eq=False)
class Batch:
    """What posteriors of one design and one size share.

    Attributes
    ----------
    pilot : one of them, whose modes the others' proposals begin at. n : points, a power of two.
    prob : of the intervals. seed : of the points, which are the same for all.
    """

    pilot: Target
    n: int = 1024
    prob: float = 0.95
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the numbers."""
        check_whole("n", self.n, 1)
        check_interval("eti", self.prob)

    @cached_property
    def start(self) -> Proposer:
        """About the pilot's modes, wide enough for those of other data."""
        near = Proposer.of(modes(self.pilot, Scan.of(self.pilot)))
        return replace(near, parts=tuple(replace(part, root=APART * part.root) for part in near.parts))

    @cached_property
    def sequences(self) -> Sequences:
        """Of its points."""
        return Sequences(self.pilot.size, self.n, self.seed)

    def __call__(self, target: Target) -> OnePosterior:
        """The summaries of one posterior."""
        return self._summary(target, points_of(target, self._proposers(target), self.sequences))

    def of_design(self, design: Design) -> OnePosterior:
        """The same priors, another response."""
        return self(replace(self.pilot, design=design))

    def arrays(self, targets: Iterable[Target]) -> PosteriorArrays:
        """The summaries of many."""
        labels = parameter_labels(self.pilot.design)
        return PosteriorArrays.of(labels, self.prob, [self(target) for target in targets])

    def _proposers(self, target: Target) -> Iterator[Proposer]:
        """The pilot's, and where it leads nowhere the posterior's own modes."""
        yield self.start
        yield Proposer.of(modes(target, Scan.of(target)))

    def _summary(self, target: Target, points: Points) -> OnePosterior:
        design, parameters = target.design, target.parameters(points.phi)
        found = correlations(design, parameters)
        groups = [block.group for block in design.blocks]
        parts = [parameters.sd[group] for group in groups] + [found[g] for g in groups if g in found]
        parts += [parameters.sigma[:, None]] * design.residual.sigma_free
        others = np.hstack([np.zeros((self.n, 0)), *parts])
        mass, beta = points.mass, points.beta
        mean = mass @ np.hstack([beta, others])
        apart = (np.hstack([beta, others]) - mean) ** 2
        apart[:, : design.p] += points.beta_variance
        limits = zip(
            weighted_limits(self._spread(points), np.repeat(mass, STRATA), self.prob),
            weighted_limits(others, mass, self.prob),
            strict=True,
        )
        eti, hdi = (np.concatenate(part) for part in limits)
        size = kish(points.log_weight) * self.n
        return OnePosterior(mean, np.sqrt(mass @ apart), eti, hdi, size, pareto_k(points.log_weight))

    def _spread(self, points: Points) -> Array:
        """Values of β, one from each part of every point's normal law, (n · STRATA, p)."""
        from scipy.special import ndtri

        within = (np.arange(STRATA) + self.sequences.final.within[:, None]) / STRATA
        normal = ndtri(np.clip(within, 1e-12, 1 - 1e-12)).ravel()[:, None]
        sd = np.sqrt(points.beta_variance)
        return np.asarray(np.repeat(points.beta, STRATA, axis=0) + normal * np.repeat(sd, STRATA, axis=0))
