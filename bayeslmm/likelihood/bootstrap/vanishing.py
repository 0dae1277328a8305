"""Responses without variance between levels: their optimum, for many at once.

A bar whose Λ has one element is gone with it. With all of them at 0 the criterion has no slope in θ; what is
left to see is that it isn't higher there than where a search ended, and rises in T on the way off each bar.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bayeslmm.kernel.search.optimizer import Outcome, Status, begin
from bayeslmm.likelihood.bootstrap.responses import Responses
from bayeslmm.likelihood.boundary import NUDGE, Vanished
from bayeslmm.likelihood.criterion import Criterion
from bayeslmm.likelihood.optimum import Convergence, Optimum
from bayeslmm.spec.covariance import Departure
from bayeslmm.spec.relative import CovarianceMap
from bayeslmm.spec.term_slot import TermSlot

type Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Nothing:
    """The place where no effect varies.

    Attributes
    ----------
    objective : whose responses are asked about.
    """

    objective: Criterion

    @property
    def covariance(self) -> CovarianceMap:
        return self.objective.covariance

    @cached_property
    def told(self) -> bool:
        """Is the slope by each bar's one element all there is to know?"""
        return self.objective.coordinates.linear and all(
            slot.structure.n_params == 1 and len(self._departure(slot).paths) == 1
            for slot in self.covariance.slots
        )

    def optima(self, responses: Responses, outcomes: Mapping[int, Outcome]) -> dict[int, Optimum]:
        """Optima of condensed responses, by number, of those that have them here.

        Parameters
        ----------
        outcomes : what searches for them ended with, by number.
        """
        if not outcomes or not self.told:
            return {}
        which = np.array(list(outcomes))
        own = Responses._make(part[which] for part in responses)
        slopes, values = self._slopes(own), self._values(own)
        reached = np.array([each.value for each in outcomes.values()])
        here = values <= reached + 1e-12 * np.maximum(1.0, np.abs(reached))
        settled = np.flatnonzero(here & (slopes > 0).all(axis=1))
        return {int(which[i]): self._optimum(values[i], slopes[i], outcomes[which[i]]) for i in settled}

    def _departure(self, slot: TermSlot) -> Departure:
        coefs = self.covariance.coefs[slot.block][slot.coefs]
        return slot.structure.vanished(np.zeros(slot.structure.n_params), slot.gram, coefs)[0]

    @cached_property
    def _departures(self) -> tuple[Departure, ...]:
        return tuple(map(self._departure, self.covariance.slots))

    @cached_property
    def _linear(self) -> Array:
        """(n_slots, n_lam) what a step along each bar's way off does to Λ."""
        each = zip(self.covariance.slots, self._departures, strict=True)
        theta = np.concatenate([slot.structure.parameters(gone.paths[0](1.0)[0]) for slot, gone in each])
        return np.asarray(theta[:, None] * self.objective.coordinates.jacobian(theta))

    def _values(self, responses: Responses) -> Array:
        """(m,) the criterion where nothing varies."""
        from bayeslmm.kernel.search.refit import solve_all

        lam = np.zeros((len(responses.rr), self._linear.shape[1]))
        return solve_all(lam, *self._given, *responses[:3])[2]

    def _slopes(self, responses: Responses) -> Array:
        """(m, n_slots) d criterion / d δ², a small δ along each bar's way off."""
        steps = NUDGE * np.eye(len(self._linear))
        return np.column_stack([self._gradients(responses, step)[:, i] for i, step in enumerate(steps)])

    def _gradients(self, responses: Responses, place: Array) -> Array:
        """(m, n_slots) of the criterion by δ² at one place, each of a search that ends where it begins."""
        from bayeslmm.kernel.search.refit import refit_all

        begun = begin(place, np.eye(len(place)))
        states = begun._make(np.stack([part] * len(responses.rr)) for part in begun)
        point, gradient, hessian, _, numbers, counts = states
        searched = (point, gradient, hessian, numbers, counts)
        refit_all(*searched, self._linear, *self._given, *responses[:3], 1.0, 1)
        return np.asarray(gradient / (2 * NUDGE))

    @property
    def _given(self) -> tuple[object, bool, float]:
        return self.objective.kernel.condensed.problem, self.objective.reml, self.objective.sigma

    def _optimum(self, value: float, slopes: Array, outcome: Outcome) -> Optimum:
        gone = zip(self.covariance.slots, self._departures, slopes.tolist(), strict=True)
        vanished = tuple(self._vanished(slot, departure, slope) for slot, departure, slope in gone)
        curvatures, n = np.sort(2 * slopes), outcome.n_evaluations + 1 + len(slopes)
        evidence = Convergence(Status.CONVERGED, 0.0, curvatures, vanished, n, (float(value),))
        return Optimum(np.zeros(self.objective.coordinates.n), float(value), evidence)

    def _vanished(self, slot: TermSlot, departure: Departure, slope: float) -> Vanished:
        group, coefs = self.covariance.groups[slot.block], self.covariance.coefs[slot.block][slot.coefs]
        return Vanished(group, coefs, departure.what, slope)
