"""Refits of many responses: compiled, from the fit's own optimum; near the boundary as exact as a fit."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayeslmm.kernel.kernel import Kernel
from bayeslmm.kernel.search.optimizer import CONVERGED, PHASE, Outcome, Search, begin, minimize, outcome_of
from bayeslmm.likelihood.bootstrap.responses import Responses
from bayeslmm.likelihood.bootstrap.vanishing import Nothing, many
from bayeslmm.likelihood.boundary import near_boundary
from bayeslmm.likelihood.criterion import Criterion
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.likelihood.optimum import Convergence, Optimum, optimize
from bayeslmm.spec.units import off_boundary

type Array = NDArray[np.float64]
type Mask = NDArray[np.bool_]

Evidence = dict[int, Convergence]

TOLERANCE = 1e-11  # relative decrease of the criterion not worth a step
EXACT = 1e-14  # the same where a boundary is near, as in a fit
MAX_EVALUATIONS = 200


class Refits(NamedTuple):
    """m refits.

    Attributes
    ----------
    x : (m, n) θ and φ. lam : (m, n_lam). beta : (m, p), Xβ̂ of the original fit not added.
    sigma, criterion : (m,). delta : (m, p) β̂ in the kernel's coordinates.
    singular, failed : (m,) some direction of a covariance vanished; no optimum was found.
    evidence : of convergence, by number, where a refit near a boundary took the way of a whole fit.
    """

    x: Array
    lam: Array
    beta: Array
    sigma: Array
    criterion: Array
    delta: Array
    singular: Mask
    failed: Mask
    evidence: Evidence


class Searches(NamedTuple):
    """m searches.

    Attributes
    ----------
    x : (m, n). found : (m,). ends : of some, by number, what they end with when they go on to `EXACT`; an
        optimum where no more is to be seen.
    """

    x: Array
    found: Mask
    ends: Callable[[list[int]], Mapping[int, Outcome | Optimum]]


@dataclass(frozen=True, slots=True, eq=False)
class Refitter:
    """Refits responses to one fit's model.

    Attributes
    ----------
    objective : the fit's criterion. start : x (n,) where searches begin, inside the boundary.
    hessian : (n, n) there, the first model of each search.
    """

    objective: Criterion
    start: Array
    hessian: Array

    @classmethod
    def of(cls, fit: Fitted) -> "Refitter":
        """The refitter of a fit."""
        objective, x = fit.options.objective(fit.design), fit.optimum.x
        if fit.is_singular:
            inside = off_boundary(objective.covariance, fit.theta_values)
            start = objective.coordinates.join(inside, objective.coordinates.phi(x))
        else:
            start = x
        return cls(objective, start, fit.objective.hessian(start))

    @property
    def kernel(self) -> Kernel:
        return self.objective.kernel

    def __call__(self, responses: Responses) -> Refits:
        """Refit each response."""
        objective, kernel = self.objective, self.kernel
        given = self.condensed(responses)
        x, failed, evidence = self._search(given)
        lam = objective.coordinates.flat(x)
        delta, r2, values = self._solve(lam, given)
        m = kernel.n - kernel.p * objective.reml
        known = objective.coordinates.residual.sigma
        sigma = np.sqrt(r2 / m) if known is None else np.full(len(r2), known)
        beta = np.linalg.solve(kernel.R_X, (responses.gamma + delta).T).T
        singular = np.zeros(len(failed), dtype=bool)
        singular[[i for i, each in evidence.items() if each.vanished]] = True
        failed |= ~np.isfinite(values)
        return Refits(x, lam, beta, sigma, values, delta, singular, failed, evidence)

    def condensed(self, responses: Responses) -> Responses:
        """The same responses to the kernel's condensed problem, for compiled code."""
        return responses._replace(zr=self.kernel.condensed.products(responses.zr))

    def _search(self, responses: Responses) -> tuple[Array, Mask, Evidence]:
        """x of each condensed response (m, n), where no optimum was found, and the evidence of whole fits."""
        m, coordinates = len(responses.rr), self.objective.coordinates
        failed, evidence = np.zeros(m, dtype=bool), Evidence()
        if coordinates.n == 0:
            return np.zeros((m, 0)), failed, evidence
        compiled = coordinates.linear and self.kernel.small
        x, found, ends = (self._search_compiled if compiled else self._search_each)(responses)
        theta, covariance = coordinates.theta(x), coordinates.covariance
        flipped = (theta[:, covariance.lower == 0] < 0).any(axis=1)
        for i in np.flatnonzero(flipped).tolist():
            x[i] = coordinates.normalize(x[i])
        known = ends(np.flatnonzero(found & near_boundary(covariance, theta)).tolist())
        for i in [*known, *np.flatnonzero(~found).tolist()]:
            optimum = self._optimum(responses, i, known.get(i))
            x[i], failed[i] = optimum.x, not (found[i] or optimum.convergence.converged)
            evidence[i] = optimum.convergence
        return x, failed, evidence

    def _optimum(self, responses: Responses, i: int, end: Outcome | Optimum | None) -> Optimum:
        """The way of a whole fit, on from where a search has ended."""
        if isinstance(end, Optimum):
            return end
        return optimize(self._condensed_criterion(responses, i), self.start, found=end)

    def _search_compiled(self, responses: Responses) -> Searches:
        """Searches for condensed responses; what one near a boundary finds has a fit's last digits."""
        from bayeslmm.kernel.search.refit import refit_all

        objective, problem, scale = self.objective, self.kernel.condensed.problem, self.objective.scale
        linear = scale[:, None] * objective.coordinates.jacobian(self.start)

        def search(states: Search, given: Responses, tolerance: float) -> Search:
            refit_all(
                states.point,
                states.gradient,
                states.hessian,
                states.numbers,
                states.counts,
                linear,
                problem,
                objective.reml,
                objective.sigma,
                given.zr,
                given.gamma,
                given.rr,
                tolerance,
                MAX_EVALUATIONS,
            )
            return states

        begun = begin(self.start / scale, self.hessian * np.outer(scale, scale))
        found = search(many(begun, len(responses.rr)), responses, TOLERANCE)

        def ends(which: list[int]) -> Mapping[int, Outcome | Optimum]:
            own = Responses._make(each[which] for each in responses)
            states = search(Search._make(each[which] for each in found), own, EXACT)
            settled = Nothing(objective).optima(own, states)
            each = enumerate(map(Search._make, zip(*states, strict=True)))
            return {which[i]: settled.get(i) or outcome_of(state, scale) for i, state in each}

        return Searches(found.point * scale, found.counts[:, PHASE] == CONVERGED, ends)

    def _search_each(self, responses: Responses) -> Searches:
        """The same search by Python, where one search takes long, and for curved structures."""

        def search(i: int, start: Array, hessian: Array, tolerance: float) -> Outcome:
            return minimize(
                self._condensed_criterion(responses, i),
                start,
                self.objective.scale,
                hessian=hessian,
                renew=False,
                tolerance=tolerance,
                max_evaluations=MAX_EVALUATIONS,
            )

        found = [search(i, self.start, self.hessian, TOLERANCE) for i in range(len(responses.rr))]
        return Searches(
            np.array([each.x for each in found]),
            np.array([each.converged for each in found]),
            lambda which: {i: search(i, found[i].x, found[i].hessian, EXACT) for i in which},
        )

    def _solve(self, lam: Array, responses: Responses) -> tuple[Array, Array, Array]:
        """δ̂ (m, p), r² (m,) and the criterion (m,) of condensed responses."""
        from bayeslmm.kernel.search.refit import solve_all

        given = (self.kernel.condensed.problem, self.objective.reml, self.objective.sigma)
        return solve_all(lam, *given, responses.zr, responses.gamma, responses.rr)

    def kernel_of(self, responses: Responses, i: int) -> Kernel:
        """The kernel with one response's cross-products."""
        return self.kernel.responding(responses.zr[i], responses.gamma[i], responses.rr[i])

    def criterion_of(self, responses: Responses, i: int) -> Criterion:
        """The criterion of one response."""
        return replace(self.objective, kernel=self.kernel_of(responses, i))

    def _condensed_criterion(self, responses: Responses, i: int) -> Criterion:
        """The same of one condensed response, from fewer nodes."""
        condensed = Kernel(self.kernel.condensed.problem)
        kernel = condensed.responding(responses.zr[i], responses.gamma[i], responses.rr[i])
        return replace(self.objective, kernel=kernel)
