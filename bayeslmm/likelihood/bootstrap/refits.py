"""Refits of many responses: compiled, from the fit's own optimum; near the boundary as exact as a fit."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayeslmm.kernel.kernel import Kernel
from bayeslmm.kernel.optimizer import minimize
from bayeslmm.likelihood.bootstrap.kind import Response
from bayeslmm.likelihood.optimum import SMALL, Criterion, optimize
from bayeslmm.spec.covariance import lower_factor
from bayeslmm.spec.relative import CovarianceMap

if TYPE_CHECKING:
    from bayeslmm.likelihood.fit import LikelihoodFit

type Array = NDArray[np.float64]
type Mask = NDArray[np.bool_]

TOLERANCE = 1e-11  # relative decrease of the criterion not worth a step
MAX_EVALUATIONS = 200


class Responses(NamedTuple):
    """m responses side by side: zr (m, q), gamma (m, p), rr (m,), b (m, q)."""

    zr: Array
    gamma: Array
    rr: Array
    b: Array

    @classmethod
    def of(cls, responses: list[Response]) -> "Responses":
        """Stack single responses."""
        return cls(*(np.ascontiguousarray(part) for part in map(np.array, zip(*responses, strict=True))))


class Refits(NamedTuple):
    """m refits.

    Attributes
    ----------
    theta : (m, n_theta). lam : (m, n_lam). beta : (m, p), Xβ̂ of the original fit not added.
    sigma, criterion : (m,). delta : (m, p) β̂ in the kernel's coordinates.
    singular, failed : (m,) some direction of a covariance vanished; no optimum was found.
    """

    theta: Array
    lam: Array
    beta: Array
    sigma: Array
    criterion: Array
    delta: Array
    singular: Mask
    failed: Mask


@dataclass(frozen=True)
class ReplicateCriterion(Criterion):
    """The criterion of another response; `kernel` holds its cross-products."""

    kernel: Kernel

    def at(self, lam: Array) -> tuple[float, Array]:
        """Value and gradient (n_lam,) with respect to the blocks' factors."""
        return self.kernel.criterion(lam, self.reml, self.sigma)


@dataclass(frozen=True, slots=True)
class Refitter:
    """Refits responses to one fit's model.

    Attributes
    ----------
    objective : the fit's criterion. start : (n_theta,) where searches begin, inside the boundary.
    hessian : (n_theta, n_theta) of the criterion there, the first model of each search.
    """

    objective: Criterion
    start: Array
    hessian: Array

    @classmethod
    def of(cls, fit: "LikelihoodFit") -> "Refitter":
        """The refitter of a fit."""
        start = _inside(fit) if fit.is_singular else fit.theta_values
        return cls(fit.objective, start, fit.objective.hessian(start))

    def __call__(self, responses: Responses) -> Refits:
        """Refit each response."""
        objective, design = self.objective, self.objective.design
        theta, vanished, failed = self._search(responses)
        lam = flat_all(design.covariance, theta)
        solve = self._solve_compiled if design.kernel.small else self._solve_each
        delta, r2, values = solve(lam, responses)
        m = design.n - design.p * objective.reml
        sigma = np.sqrt(r2 / m) if np.isnan(objective.sigma) else np.full(len(r2), objective.sigma)
        beta = np.linalg.solve(design.kernel.R_X, (responses.gamma + delta).T).T
        return Refits(theta, lam, beta, sigma, values, delta, vanished, failed | ~np.isfinite(values))

    def _search(self, responses: Responses) -> tuple[Array, Mask, Mask]:
        """θ of each response (m, n_theta), where it is singular, and where no optimum was found."""
        m, covariance = len(responses.rr), self.objective.design.covariance
        vanished, failed = np.zeros(m, dtype=bool), np.zeros(m, dtype=bool)
        if covariance.n_theta == 0:
            return np.zeros((m, 0)), vanished, failed
        compiled = covariance.linear and self.objective.design.kernel.small
        theta, found = self._search_compiled(responses) if compiled else self._search_each(responses)
        flipped = (theta[:, covariance.lower == 0] < 0).any(axis=1)
        for i in np.flatnonzero(flipped).tolist():
            theta[i] = covariance.normalize(theta[i])
        for i in np.flatnonzero(~found | near_boundary(covariance, theta)).tolist():
            optimum = optimize(self._criterion(responses, i), theta[i] if found[i] else self.start)
            theta[i], failed[i] = optimum.theta, not (found[i] or optimum.convergence.converged)
            vanished[i] = bool(optimum.convergence.vanished)
        return theta, vanished, failed

    def _search_compiled(self, responses: Responses) -> tuple[Array, Mask]:
        from bayeslmm.kernel.refit import refit_all

        objective = self.objective
        kernel, scale = objective.design.kernel, objective.scale
        x, converged = refit_all(
            self.start / scale,
            self.hessian * np.outer(scale, scale),
            scale[:, None] * objective.design.covariance.jacobian(self.start),
            kernel.ints,
            kernel.floats,
            objective.reml,
            objective.sigma,
            responses.zr,
            responses.gamma,
            responses.rr,
            TOLERANCE,
            MAX_EVALUATIONS,
        )
        return x * scale, converged.astype(bool)

    def _search_each(self, responses: Responses) -> tuple[Array, Mask]:
        """The same search with the kernel's own choice of algebra, for large tails and curved structures."""
        outcomes = [
            minimize(
                self._criterion(responses, i),
                self.start,
                self.objective.scale,
                hessian=self.hessian,
                renew=False,
                tolerance=TOLERANCE,
                max_evaluations=MAX_EVALUATIONS,
            )
            for i in range(len(responses.rr))
        ]
        return np.array([each.x for each in outcomes]), np.array([each.converged for each in outcomes])

    def _solve_compiled(self, lam: Array, responses: Responses) -> tuple[Array, Array, Array]:
        from bayeslmm.kernel.refit import solve_all

        kernel = self.objective.design.kernel
        problem = (kernel.ints, kernel.floats, self.objective.reml, self.objective.sigma)
        return solve_all(lam, *problem, responses.zr, responses.gamma, responses.rr)

    def _solve_each(self, lam: Array, responses: Responses) -> tuple[Array, Array, Array]:
        from bayeslmm.kernel.criterion import profile

        objective, p = self.objective, self.objective.design.p
        delta, r2, values = np.empty((len(lam), p)), np.empty(len(lam)), np.empty(len(lam))
        for i, each in enumerate(lam):
            kernel = self._criterion(responses, i).kernel
            moments = kernel.moments(each)
            logdet, A = moments.logdet, moments.A
            values[i], _ = profile(logdet, A, kernel.ints, kernel.floats, objective.reml, objective.sigma)
            delta[i] = np.linalg.solve(A[:p, :p], A[:p, p])
            r2[i] = A[p, p] - delta[i] @ A[:p, p]
        return delta, r2, values

    def _criterion(self, responses: Responses, i: int) -> ReplicateCriterion:
        from bayeslmm.kernel.sufficient import write_response

        objective, kernel = self.objective, self.objective.design.kernel
        floats = kernel.floats.copy()
        write_response(kernel.ints, floats, responses.zr[i], responses.gamma[i], responses.rr[i])
        return ReplicateCriterion(
            objective.design, objective.reml, objective.sigma, replace(kernel, floats=floats)
        )


def flat_all(covariance: CovarianceMap, theta: Array) -> Array:
    """The factors of m θ (m, n_theta), flat: (m, n_lam)."""
    if covariance.linear:
        return np.asarray(theta @ covariance.jacobian(np.zeros(covariance.n_theta)))
    return np.array([covariance.flat(each) for each in theta])


def near_boundary(covariance: CovarianceMap, theta: Array) -> Mask:
    """Which of m θ (m, n_theta) have a direction about as small as one that may have vanished."""
    near, lam = np.zeros(len(theta), dtype=bool), flat_all(covariance, theta)
    for slot in covariance.slots:
        k, offset = covariance.sizes[slot.block], covariance.offsets[slot.block]
        factors = lam[:, offset : offset + k * k].reshape(-1, k, k)[:, slot.coefs, slot.coefs]
        contributions = np.linalg.eigvalsh(factors.transpose(0, 2, 1) @ slot.gram @ factors)
        near |= contributions[:, 0] < (10 * SMALL) ** 2
    return near


def _inside(fit: "LikelihoodFit") -> Array:
    """θ̂ moved off the boundary by a fraction of the usual start: T + 0.1 T_start."""
    covariance = fit.design.covariance
    theta = fit.theta_values.copy()
    for slot in covariance.slots:
        away = slot.structure.factor(slot.structure.start(slot.gram)) * np.sqrt(0.1)
        both = np.hstack([slot.structure.factor(theta[slot.theta]), away])
        theta[slot.theta] = slot.structure.parameters(lower_factor(both))
    return theta
