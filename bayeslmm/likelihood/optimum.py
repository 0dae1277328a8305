"""Find the θ that minimizes the criterion, boundary included, and say how good the evidence for it is.

θ is free of bounds in the search: the criterion depends on T = ΛΛᵀ only, so a variance that vanishes is an
ordinary stationary point. What is special about it comes after: a direction whose removal doesn't raise the
criterion is set to exactly 0, and the derivative of the criterion in T along it must not be negative; where
it is, the search goes on from T + ε aaᵀ.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayeslmm.kernel.optimizer import Outcome, Status, minimize
from bayeslmm.spec.covariance import Path, lower_factor
from bayeslmm.spec.design import Design
from bayeslmm.spec.relative import TermSlot, flatten

type Array = NDArray[np.float64]

SMALL = 1e-3  # root mean square contribution, relative to σ, below which a direction may have vanished
DIGITS = 1e-20  # squared gradient in the metric of the Hessian that rounding leaves
NUDGE = 1e-4  # size of the step inside the boundary at which the derivative in T is taken


@dataclass(frozen=True)
class Criterion:
    """θ ↦ (criterion, gradient): the kernel's profiled criterion behind the covariance map.

    Attributes
    ----------
    design : whose kernel and covariance map are used. reml : restricted or not. sigma : known σ, or NaN.
    """

    design: Design
    reml: bool
    sigma: float

    def at(self, lam: Array) -> tuple[float, Array]:
        """Value and gradient (n_lam,) with respect to the blocks' factors."""
        return self.design.kernel.criterion(lam, self.reml, self.sigma)

    def __call__(self, theta: Array) -> tuple[float, Array]:
        """Value and gradient (n_theta,)."""
        covariance = self.design.covariance
        value, gradient = self.at(covariance.flat(theta))
        return value, covariance.jacobian(theta) @ gradient

    @cached_property
    def scale(self) -> Array:
        """Size of a natural change of each θ: one that adds about σ to the response."""
        covariance = self.design.covariance
        scale = np.empty(covariance.n_theta)
        for slot in covariance.slots:
            derivative = slot.structure.derivative(slot.structure.start(slot.gram))
            effect = np.einsum("pia,ij,pja->p", derivative, slot.gram, derivative)
            scale[slot.theta] = 1 / np.sqrt(np.where(effect > 0, effect, 1.0))
        return scale

    def information(self, theta: Array) -> Array | None:
        """The average information, (n_theta, n_theta), where differences of gradients would be dear."""
        if self.design.kernel.small:
            return None
        from bayeslmm.kernel.information import average_information

        covariance = self.design.covariance
        lam, moves = covariance.flat(theta), covariance.jacobian(theta)
        return average_information(self.design.kernel, lam, moves, self.reml, self.sigma)

    def hessian(self, theta: Array) -> Array:
        """(n_theta, n_theta) by central differences of the gradient."""
        steps = 1e-4 * self.scale
        columns = [
            (self(theta + step)[1] - self(theta - step)[1]) / (2 * size)
            for size, step in zip(steps, np.diag(steps), strict=True)
        ]
        hessian = np.array(columns).reshape(len(theta), len(theta))
        return np.asarray(0.5 * (hessian + hessian.T))


@dataclass(frozen=True, slots=True)
class Vanished:
    """A boundary that one term's covariance lies on at the optimum.

    Attributes
    ----------
    group : grouping factor. coefs : of the term. what : the boundary in words, "no variance along 1·Days".
    slope : derivative of the criterion in T on the way off it, by the steepest; not negative at an optimum.
    """

    group: str
    coefs: tuple[str, ...]
    what: str
    slope: float

    def __str__(self) -> str:
        return f"{self.group}: {self.what} (slope {self.slope:.3g})"


@dataclass(frozen=True)
class Convergence:
    """The evidence that a fit is at its optimum.

    Attributes
    ----------
    status : how the last search ended. decrement : squared gradient in the metric of the Hessian, twice the
        decrease still promised; scale-free. eigenvalues : of the Hessian in units of `Criterion.scale`.
    vanished : boundaries reached, each with the sign of the criterion's slope in T.
    n_evaluations : of the criterion, over all searches. restarts : criterion reached by each search.
    """

    status: Status
    decrement: float
    eigenvalues: Array
    vanished: tuple[Vanished, ...]
    n_evaluations: int
    restarts: tuple[float, ...]

    @property
    def converged(self) -> bool:
        return self.status is Status.CONVERGED and all(v.slope > -1e-6 for v in self.vanished)


@dataclass(frozen=True)
class Optimum:
    """θ at the minimum of the criterion, its value there, and the evidence."""

    theta: Array
    value: float
    convergence: Convergence


def optimize(
    criterion: Criterion,
    start: ArrayLike | None = None,
    max_iter: int = 500,
    found: Outcome | None = None,
) -> Optimum:
    """`search`, with one BLAS thread where LAPACK decides: measured faster, and the same on any machine."""
    if criterion.design.kernel.small:
        return search(criterion, start, max_iter, found)
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        return search(criterion, start, max_iter, found)


def search(
    criterion: Criterion, start: ArrayLike | None, max_iter: int, found: Outcome | None = None
) -> Optimum:
    """Minimize the criterion over θ.

    Parameters
    ----------
    start : (n_theta,), None for moment estimates.
    max_iter : evaluations of the criterion a search may take.
    found : of a first search that somebody has made; `start` isn't looked at then.
    """
    covariance = criterion.design.covariance
    if covariance.n_theta == 0:
        return _without_theta(criterion)
    if found is None:
        theta = moment_start(criterion.design) if start is None else np.asarray(start, dtype=float)
    restarts: list[float] = []
    evaluations = 0
    while True:
        outcome = found or _minimized(criterion, theta, max_iter)
        evaluations += outcome.n_evaluations
        outcome = _clear_small(criterion, _polished(criterion, outcome))
        restarts.append(outcome.value)
        vanished = _slopes(criterion, outcome)
        worst = min(vanished, key=lambda v: v[0].slope, default=None)
        if worst is None or worst[0].slope > -1e-6 or len(restarts) > 5:
            break
        found, theta = None, _leave(outcome, *worst[1:])
    hessian = outcome.hessian * np.outer(criterion.scale, criterion.scale)
    evidence = Convergence(
        status=outcome.status,
        decrement=outcome.decrement,
        eigenvalues=np.linalg.eigvalsh(hessian),
        vanished=tuple(v[0] for v in vanished),
        n_evaluations=evaluations,
        restarts=tuple(restarts),
    )
    return Optimum(covariance.normalize(outcome.x), outcome.value, evidence)


def _minimized(criterion: Criterion, theta: Array, max_iter: int) -> Outcome:
    model = criterion.information(theta)
    return minimize(criterion, theta, criterion.scale, hessian=model, renew=False, max_evaluations=max_iter)


def moment_start(design: Design) -> Array:
    """θ of moment estimates, (n_theta,), or one at which each coef counts like the residual."""
    from bayeslmm.kernel.moments import relative_covariances

    covariance = design.covariance
    T = relative_covariances(design.kernel.ints, design.kernel.floats)
    if T is None:
        return covariance.start()
    theta = np.empty(covariance.n_theta)
    for slot in covariance.slots:
        precision = np.linalg.inv(T[slot.block][slot.coefs, slot.coefs])
        theta[slot.theta] = slot.structure.start(precision)
    return theta


def _without_theta(criterion: Criterion) -> Optimum:
    value, _ = criterion.at(np.zeros(0))
    none = np.zeros(0)
    return Optimum(none, value, Convergence(Status.CONVERGED, 0.0, none, (), 1, (value,)))


def _polished(criterion: Criterion, outcome: Outcome) -> Outcome:
    """Last Newton steps: where the criterion's own digits are used up, its gradient has some left."""
    noise = 1e-13 * max(1.0, abs(outcome.value))
    values, vectors = np.linalg.eigh(outcome.hessian * np.outer(criterion.scale, criterion.scale))
    kept = values > 1e-7 * max(values[-1], 0.0)
    root = criterion.scale[:, None] * vectors[:, kept] / np.sqrt(values[kept])
    for _ in range(3 if criterion.design.kernel.small else 1):
        along = root.T @ outcome.gradient
        if along @ along <= DIGITS:
            break
        theta = outcome.x - root @ along
        value, gradient = criterion(theta)
        left = float(np.sum((root.T @ gradient) ** 2))
        if not (value <= outcome.value + noise and left < along @ along):
            return outcome
        there = left <= 2e-14 * max(1.0, abs(value))
        status = Status.CONVERGED if there else outcome.status
        outcome = replace(outcome, x=theta, value=value, gradient=gradient, decrement=left, status=status)
    return outcome


def _clear_small(criterion: Criterion, outcome: Outcome) -> Outcome:
    """Put what is near its boundary exactly there where that doesn't raise the criterion."""
    noise = 1e-12 * max(1.0, abs(outcome.value))
    for slot in criterion.design.covariance.slots:
        for clear in slot.structure.without_small(outcome.x[slot.theta], slot.gram, SMALL):
            theta = outcome.x.copy()
            theta[slot.theta] = clear(theta[slot.theta])
            value, gradient = criterion(theta)
            if value <= outcome.value + noise:
                outcome = replace(outcome, x=theta, value=value, gradient=gradient)
    return outcome


def _slopes(criterion: Criterion, outcome: Outcome) -> list[tuple[Vanished, TermSlot, Path]]:
    """Every boundary reached, with the derivative of the criterion in T along the steepest way off it."""
    covariance = criterion.design.covariance
    out = []
    for slot in covariance.slots:
        group, coefs = covariance.groups[slot.block], covariance.coefs[slot.block][slot.coefs]
        for departure in slot.structure.vanished(outcome.x[slot.theta], slot.gram, coefs):
            slopes = [_slope(criterion, outcome, slot, path) for path in departure.paths]
            steepest = int(np.argmin(slopes))
            vanished = Vanished(group, coefs, departure.what, slopes[steepest])
            out.append((vanished, slot, departure.paths[steepest]))
    return out


def _slope(criterion: Criterion, outcome: Outcome, slot: TermSlot, path: Path) -> float:
    """d criterion / d δ², a small δ along a path of the bar's factor."""
    covariance = criterion.design.covariance
    factors = [factor.copy() for factor in covariance.factors(outcome.x)]
    moves = [np.zeros_like(factor) for factor in factors]
    factors[slot.block][slot.coefs, slot.coefs], moves[slot.block][slot.coefs, slot.coefs] = path(NUDGE)
    _, gradient = criterion.at(flatten(factors))
    return float(gradient @ flatten(moves)) / (2 * NUDGE)


def _leave(outcome: Outcome, slot: TermSlot, path: Path) -> Array:
    """θ a step along a path off the boundary that lowers the criterion."""
    theta = outcome.x.copy()
    theta[slot.theta] = slot.structure.parameters(lower_factor(path(0.1)[0]))
    return theta
