"""Find the x = (θ, φ) that minimizes the criterion, boundary included, and say how good the evidence is.

θ is free of bounds in the search: the criterion depends on T = ΛΛᵀ only, so a variance that vanishes is an
ordinary stationary point. What is special about it comes after: a direction whose removal doesn't raise the
criterion is set to exactly 0, and the derivative of the criterion in T along it must not be negative; where
it is, the search goes on from T + ε aaᵀ.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayeslmm.kernel.search.optimizer import Outcome, Status, minimize
from bayeslmm.likelihood.criterion import Criterion
from bayeslmm.likelihood.curvature import FLAT, forward_hessian
from bayeslmm.likelihood.elsewhere import beyond_a_ridge, far_points, turned
from bayeslmm.spec.coordinates import Coordinates
from bayeslmm.spec.covariance import Path, lower_factor
from bayeslmm.spec.relative import TermSlot, flatten

type Array = NDArray[np.float64]

SMALL = 1e-3  # root mean square contribution, relative to σ, below which a direction may have vanished
DIGITS = 1e-20  # squared gradient in the metric of the Hessian that rounding leaves
NEGATIVE = 1e-4  # of the largest curvature, below which a negative one is rounding
SCANNED = 20_000  # panel elements up to which far points are looked at
NUDGE = 1e-4  # size of the step inside the boundary at which the derivative in T is taken


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


@dataclass(frozen=True, eq=False)
class Convergence:
    """The evidence that a fit is at its optimum.

    Attributes
    ----------
    status : how the last search ended. decrement : squared gradient in the metric of the Hessian, twice the
        decrease still promised; scale-free. eigenvalues : of the Hessian in units of the optimum.
    vanished : boundaries reached, each with the sign of the criterion's slope in T.
    n_evaluations : of the criterion, over all searches. restarts : criterion reached by each search.
    elsewhere : criterion reached from far points beyond a ridge; the lowest is taken. scanned : far points
        looked at for that, 0 where it was too dear or a start was given: nothing is known of other minima.
    """

    status: Status
    decrement: float
    eigenvalues: Array
    vanished: tuple[Vanished, ...]
    n_evaluations: int
    restarts: tuple[float, ...]
    elsewhere: tuple[float, ...] = ()
    scanned: int = 0

    @property
    def converged(self) -> bool:
        at_rest = self.status is Status.CONVERGED and all(v.slope > -1e-6 for v in self.vanished)
        return at_rest and not _is_saddle(self.eigenvalues)


@dataclass(frozen=True, eq=False)
class Optimum:
    """x = (θ, φ) at the minimum of the criterion, its value there, and the evidence."""

    x: Array
    value: float
    convergence: Convergence


def optimize(
    criterion: Criterion,
    start: ArrayLike | None = None,
    max_iter: int = 500,
    found: Outcome | None = None,
) -> Optimum:
    """`search`, with one BLAS thread where LAPACK decides: measured faster, and the same on any machine."""
    if criterion.kernel.small:
        return search(criterion, start, max_iter, found)
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        return search(criterion, start, max_iter, found)


def search(
    criterion: Criterion, start: ArrayLike | None, max_iter: int, found: Outcome | None = None
) -> Optimum:
    """Minimize the criterion.

    Parameters
    ----------
    start : x (n,), None for moment estimates.
    max_iter : evaluations of the criterion a search may take.
    found : of a first search that somebody has made; `start` isn't looked at then.
    """
    if criterion.coordinates.n == 0:
        return _without_search(criterion)
    if found is not None or start is not None:
        x = np.zeros(0) if start is None else np.asarray(start, dtype=float)
        return _descended(criterion, x, max_iter, found)
    first = _descended(criterion, criterion.start(), max_iter)
    return _lowest(criterion, first, max_iter) if criterion.kernel.n_panel < SCANNED else first


def _lowest(criterion: Criterion, first: Optimum, max_iter: int) -> Optimum:
    """The lowest of a minimum and those that are found from far points."""
    covariance, coordinates = criterion.covariance, criterion.coordinates
    phi = coordinates.phi(first.x)

    def value(theta: Array) -> float:
        return criterion(coordinates.join(theta, phi))[0]

    theta = coordinates.theta(first.x)
    points = far_points(covariance)
    if first.convergence.vanished:
        points += turned(covariance, theta)
    starts = beyond_a_ridge(value, points, theta, first.value)
    others = [_descended(criterion, coordinates.join(each, phi), max_iter) for each in starts]
    lowest = min([first, *others], key=lambda each: (not each.convergence.converged, each.value))
    evidence = replace(
        lowest.convergence,
        elsewhere=tuple(each.value for each in others),
        scanned=len(points),
        n_evaluations=sum(each.convergence.n_evaluations for each in (first, *others)),
    )
    return replace(lowest, convergence=evidence)


def _descended(criterion: Criterion, x: Array, max_iter: int, found: Outcome | None = None) -> Optimum:
    """The minimum that a search from x leads to; boundaries and saddles that aren't one are left."""
    restarts: list[float] = []
    evaluations = 0
    while True:
        outcome = found or _minimized(criterion, x, max_iter)
        evaluations += outcome.n_evaluations
        outcome, basis = _exact(criterion, outcome)
        restarts.append(outcome.value)
        vanished = _slopes(criterion, outcome)
        eigenvalues, vectors = np.linalg.eigh(basis.T @ outcome.hessian @ basis)
        away = _way_down(criterion, outcome, vanished, eigenvalues, basis @ vectors)
        if away is None or len(restarts) > 5:
            break
        found, x = None, away
    evidence = Convergence(
        status=outcome.status,
        decrement=outcome.decrement,
        eigenvalues=eigenvalues,
        vanished=tuple(v[0] for v in vanished),
        n_evaluations=evaluations,
        restarts=tuple(restarts),
    )
    return Optimum(criterion.coordinates.normalize(outcome.x), outcome.value, evidence)


def _is_saddle(eigenvalues: Array) -> bool:
    return bool(np.min(eigenvalues, initial=0.0) < -NEGATIVE * np.max(eigenvalues, initial=1.0))


def _way_down(
    criterion: Criterion,
    outcome: Outcome,
    vanished: list[tuple[Vanished, TermSlot, Path]],
    eigenvalues: Array,
    vectors: Array,
) -> Array | None:
    """x from which to go on: off the steepest boundary that isn't a minimum, or down from a saddle."""
    worst = min(vanished, key=lambda v: v[0].slope, default=None)
    if worst is not None and worst[0].slope <= -1e-6:
        return _leave(criterion.coordinates, outcome.x, *worst[1:])
    if not _is_saddle(eigenvalues):
        return None
    sides = [outcome.x + step * vectors[:, 0] for step in (-0.3, 0.3)]
    value, lower = min(((criterion(x)[0], x) for x in sides), key=lambda side: side[0])
    return lower if value < outcome.value else None


def _minimized(criterion: Criterion, x: Array, max_iter: int) -> Outcome:
    model = criterion.information(x)
    basis = criterion.coordinates.basis(x)
    return minimize(criterion, x, basis, hessian=model, renew=False, max_evaluations=max_iter)


def _without_search(criterion: Criterion) -> Optimum:
    none = np.zeros(0)
    value, _ = criterion.at(none, none)
    return Optimum(none, value, Convergence(Status.CONVERGED, 0.0, none, (), 1, (value,)))


def _exact(criterion: Criterion, outcome: Outcome) -> tuple[Outcome, Array]:
    """The minimum to the last digit: what vanishes exactly 0, and what is free at its best given that.

    And the basis (n, n) in which its Hessian was measured.
    """
    measured, basis = _measured(criterion, outcome)
    polished = _polished(criterion, measured, basis)
    cleared = _clear_small(criterion, polished)
    if cleared is polished:
        return polished, basis
    measured, basis = _measured(criterion, cleared)
    return _polished(criterion, measured, basis), basis


def _measured(criterion: Criterion, outcome: Outcome) -> tuple[Outcome, Array]:
    """The same with a Hessian by differences of gradients, where they aren't dear, in this basis."""
    basis = criterion.coordinates.basis(outcome.x)
    if not criterion.kernel.small:
        return outcome, basis
    inverse = np.linalg.inv(basis)
    found = forward_hessian(criterion, outcome.x, outcome.gradient, basis)
    return replace(outcome, hessian=inverse.T @ found @ inverse), basis


def _polished(criterion: Criterion, outcome: Outcome, basis: Array) -> Outcome:
    """Last Newton steps: where the criterion's own digits are used up, its gradient has some left."""
    noise = 1e-13 * max(1.0, abs(outcome.value))
    for _ in range(3 if criterion.kernel.small else 1):
        root = _free_root(basis, outcome)
        along = root.T @ outcome.gradient
        if along @ along <= DIGITS:
            break
        x = outcome.x - root @ along
        value, gradient = criterion(x)
        left = float(np.sum((root.T @ gradient) ** 2))
        if not (value <= outcome.value + noise and left < along @ along):
            break
        there = left <= 2e-14 * max(1.0, abs(value))
        outcome = replace(
            outcome,
            x=x,
            value=value,
            gradient=gradient,
            hessian=_updated(outcome.hessian, x - outcome.x, gradient - outcome.gradient),
            decrement=left,
            status=Status.CONVERGED if there else outcome.status,
        )
    return outcome


def _updated(hessian: Array, step: Array, change: Array) -> Array:
    """The model that explains the gradient's change along a step, by a correction of rank one."""
    miss = change - hessian @ step
    product = miss @ step
    if abs(product) <= 1e-8 * np.linalg.norm(miss) * np.linalg.norm(step):
        return hessian
    return hessian + np.outer(miss, miss) / product


def _free_root(basis: Array, outcome: Outcome) -> Array:
    """S (n, m) with SSᵀ = H⁻¹ on the curved directions of elements whose gradient hasn't vanished, else 0.

    On a boundary it has: what is exactly there stays exactly there.
    """
    sizes = np.linalg.norm(basis, axis=1)
    free = np.flatnonzero(
        (outcome.gradient * sizes) ** 2 > DIGITS * np.abs(np.diag(outcome.hessian)) * sizes**2
    )
    own = basis[np.ix_(free, free)]
    values, vectors = np.linalg.eigh(own.T @ outcome.hessian[np.ix_(free, free)] @ own)
    kept = values > FLAT * max(values, default=0.0)
    root = np.zeros((len(basis), np.count_nonzero(kept)))
    root[free] = own @ (vectors[:, kept] / np.sqrt(values[kept]))
    return root


def _clear_small(criterion: Criterion, outcome: Outcome) -> Outcome:
    """Put what is near its boundary exactly there where that doesn't raise the criterion."""
    noise = 1e-12 * max(1.0, abs(outcome.value))
    for slot in criterion.covariance.slots:
        own = criterion.coordinates.theta(outcome.x)[slot.theta]
        for clear in slot.structure.without_small(own, slot.gram, SMALL):
            x = outcome.x.copy()
            criterion.coordinates.theta(x)[slot.theta] = clear(criterion.coordinates.theta(x)[slot.theta])
            value, gradient = criterion(x)
            if value <= outcome.value + noise:
                outcome = replace(outcome, x=x, value=value, gradient=gradient)
    return outcome


def _slopes(criterion: Criterion, outcome: Outcome) -> list[tuple[Vanished, TermSlot, Path]]:
    """Every boundary reached, with the derivative of the criterion in T along the steepest way off it."""
    covariance, theta = criterion.covariance, criterion.coordinates.theta(outcome.x)
    out = []
    for slot in covariance.slots:
        group, coefs = covariance.groups[slot.block], covariance.coefs[slot.block][slot.coefs]
        for departure in slot.structure.vanished(theta[slot.theta], slot.gram, coefs):
            slopes = [_slope(criterion, outcome, slot, path) for path in departure.paths]
            steepest = int(np.argmin(slopes))
            vanished = Vanished(group, coefs, departure.what, slopes[steepest])
            out.append((vanished, slot, departure.paths[steepest]))
    return out


def _slope(criterion: Criterion, outcome: Outcome, slot: TermSlot, path: Path) -> float:
    """d criterion / d δ², a small δ along a path of the bar's factor."""
    theta = criterion.coordinates.theta(outcome.x)
    factors = [factor.copy() for factor in criterion.covariance.factors(theta)]
    moves = [np.zeros_like(factor) for factor in factors]
    factors[slot.block][slot.coefs, slot.coefs], moves[slot.block][slot.coefs, slot.coefs] = path(NUDGE)
    _, gradient = criterion.at(flatten(factors), criterion.coordinates.phi(outcome.x))
    return float(gradient @ flatten(moves)) / (2 * NUDGE)


def _leave(coordinates: Coordinates, x: Array, slot: TermSlot, path: Path) -> Array:
    """x a step along a path off the boundary that lowers the criterion."""
    away = x.copy()
    coordinates.theta(away)[slot.theta] = slot.structure.parameters(lower_factor(path(0.1)[0]))
    return away
