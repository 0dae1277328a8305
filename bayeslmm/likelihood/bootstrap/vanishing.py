"""Responses without variance between levels: their optimum, for many at once.

A bar whose Λ has one element is gone with it. With all of them at 0 the criterion has no slope in θ; what is
left to see is that it isn't higher there than where a search ended, and rises in T on the way off each bar.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bayeslmm.kernel.problem.layout import Problem
from bayeslmm.kernel.search.optimizer import EVALUATIONS, VALUE, Search, Status, begin
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

    def optima(self, responses: Responses, searched: Search) -> dict[int, Optimum]:
        """Optima of m condensed responses, by number, of those that have them here.

        Parameters
        ----------
        searched : states of the m searches that are over.
        """
        if not len(responses.rr) or not self.told:
            return {}
        slopes, values, reached = self._slopes(responses), self._values(responses), searched.numbers[:, VALUE]
        here = values <= reached + 1e-12 * np.maximum(1.0, np.abs(reached))
        spent = searched.counts[:, EVALUATIONS] + 1 + slopes.shape[1]
        settled = np.flatnonzero(here & (slopes > 0).all(axis=1)).tolist()
        return {i: self._optimum(values[i], slopes[i], spent[i]) for i in settled}

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

        states = many(begin(place, np.eye(len(place))), len(responses.rr))
        point, gradient, hessian, _, numbers, counts = states
        refit_all(
            point, gradient, hessian, numbers, counts, self._linear, *self._given, *responses[:3], 1.0, 1
        )
        return np.asarray(gradient / (2 * NUDGE))

    @property
    def _given(self) -> tuple[Problem, bool, float]:
        return self.objective.kernel.condensed.problem, self.objective.reml, self.objective.sigma

    def _optimum(self, value: float, slopes: Array, spent: int) -> Optimum:
        gone = zip(self.covariance.slots, self._departures, slopes.tolist(), strict=True)
        vanished = tuple(self._vanished(slot, departure, slope) for slot, departure, slope in gone)
        curvatures = np.sort(2 * slopes)
        evidence = Convergence(Status.CONVERGED, 0.0, curvatures, vanished, int(spent), (float(value),))
        return Optimum(np.zeros(self.objective.coordinates.n), float(value), evidence)

    def _vanished(self, slot: TermSlot, departure: Departure, slope: float) -> Vanished:
        group, coefs = self.covariance.groups[slot.block], self.covariance.coefs[slot.block][slot.coefs]
        return Vanished(group, coefs, departure.what, slope)


def many(begun: Search, m: int) -> Search:
    """m searches that begin alike."""
    return Search._make(np.repeat(part[None], m, 0) for part in begun)
