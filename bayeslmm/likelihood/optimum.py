"""Find the x = (θ, φ) that minimizes the criterion, boundary included, and say how good the evidence is.

θ is free of bounds in the search: the criterion depends on T = ΛΛᵀ only, so a variance that vanishes is an
ordinary stationary point. What is special about it comes after: a direction whose removal doesn't raise the
criterion is set to exactly 0, and the derivative of the criterion in T along it must not be negative; where
it is, the search goes on from T + ε aaᵀ.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayeslmm.kernel.search.optimizer import Outcome, Status, curvature, minimize
from bayeslmm.likelihood.boundary import Vanished, WayOff, cleared, near_boundary, ways_off
from bayeslmm.likelihood.criterion import Criterion
from bayeslmm.likelihood.curvature import FLAT
from bayeslmm.likelihood.digits import shortage
from bayeslmm.likelihood.elsewhere import (
    beyond_a_ridge,
    far_points,
    many_points,
    mirrored,
    place_of,
    spread_out,
    turned,
)
from bayeslmm.one_thread import one_thread

type Array = NDArray[np.float64]

DIGITS = 1e-20  # squared gradient in the metric of the Hessian that rounding leaves
NEGATIVE = 1e-4  # of the largest curvature, below which a negative one is rounding
TINY = 150  # panel elements, of rows that all tell something, up to which many are, and searched from
SCANNED = 20_000  # panel elements up to which far points are looked at
CLEARLY = 1e-6  # of the criterion, by which a search is lower than another


@dataclass(frozen=True, eq=False)
class Convergence:
    """The evidence that a fit is at its optimum (eq. 12).

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

    @property
    def advice(self) -> str:
        """Why it hasn't converged, and what to do."""
        if self.status is not Status.CONVERGED:
            return str(self.status.value)
        return "the criterion still falls there, off a boundary or from a saddle: give other start values"


@dataclass(frozen=True, eq=False)
class Optimum:
    """x = (θ, φ) at the minimum of the criterion, its value there, and the evidence."""

    x: Array
    value: float
    convergence: Convergence

    def after(self, first: "Optimum") -> "Optimum":
        """The same, with the evidence of a search that this one went on from; what went lower still did."""
        own, before = self.convergence, first.convergence
        evidence = replace(
            own,
            status=Status.LOWER if own.converged and before.status is Status.LOWER else own.status,
            n_evaluations=before.n_evaluations + own.n_evaluations,
            restarts=before.restarts + own.restarts,
            elsewhere=before.elsewhere,
            scanned=before.scanned,
        )
        return replace(self, convergence=evidence)


def optimize(
    criterion: Criterion,
    start: ArrayLike | None = None,
    max_iter: int = 500,
    found: Outcome | None = None,
) -> Optimum:
    """`search`, with one BLAS thread: measured faster, and the same on any machine."""
    with one_thread():
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
    if not np.isfinite(first.value):  # moments lack the digits of a response that is nearly explained
        first = _descended(criterion, criterion.coordinates.start(criterion.covariance.start()), max_iter)
    first = _beside(criterion, first, max_iter)
    several = criterion.covariance.slots and criterion.kernel.n_panel < SCANNED
    return _lowest(criterion, first, max_iter) if several else first


def _beside(criterion: Criterion, first: Optimum, max_iter: int) -> Optimum:
    """The lowest of a minimum and those that are found from R's other starts, where a ridge lies between."""
    points = criterion.far_phi(first.x)
    if not len(points):
        return first
    starts = beyond_a_ridge(criterion.values, points, first.x, first.value)
    others = [_descended(criterion, start, max_iter) for start in starts]
    return min([first, *others], key=lambda each: (not each.convergence.converged, each.value))


def _lowest(criterion: Criterion, first: Optimum, max_iter: int) -> Optimum:
    """The lowest of a minimum and those that are found from far points."""
    residual = criterion.coordinates.residual
    tiny = not residual.n_phi and criterion.kernel.n_panel * residual.evenness() < TINY
    scanned, others = (_from_many if tiny else _from_few)(criterion, first, max_iter)
    others += _from_straight(criterion, first, max_iter)
    if residual.n_phi:
        others += _from_each_phi(criterion, first, max_iter)
    lowest = min([first, *others], key=lambda each: (not each.convergence.converged, each.value))
    lower = any(_is_lower(each.value, lowest.value) for each in others)
    evidence = replace(
        lowest.convergence,
        status=Status.LOWER if lower else lowest.convergence.status,
        elsewhere=tuple(each.value for each in others),
        scanned=scanned,
        n_evaluations=sum(each.convergence.n_evaluations for each in (first, *others)),
    )
    return replace(lowest, convergence=evidence)


def _from_few(criterion: Criterion, first: Optimum, max_iter: int) -> tuple[int, list[Optimum]]:
    """How many far points were looked at, and the minima found from those beyond a ridge."""
    covariance, theta = criterion.covariance, criterion.coordinates.theta(first.x)
    near = (turned if first.convergence.vanished else mirrored)(covariance, theta)
    thetas = np.vstack([far_points(covariance), *near])
    points = _with_phi_of(criterion, first, thetas)
    starts = beyond_a_ridge(criterion.values, points, first.x, first.value)
    return len(points), [_descended(criterion, start, max_iter) for start in starts]


def _from_many(criterion: Criterion, first: Optimum, max_iter: int) -> tuple[int, list[Optimum]]:
    """The same of many points, searched from wherever they lie; only lower minima are looked at closely."""
    covariance, theta = criterion.covariance, criterion.coordinates.theta
    points = _with_phi_of(criterion, first, many_points(covariance))
    starts = spread_out(criterion.values, points, lambda x: place_of(covariance, theta(x)))
    return len(points), _lower_from(criterion, starts, first, max_iter)


def _lower_from(
    criterion: Criterion, starts: Iterable[Array], first: Optimum, max_iter: int
) -> list[Optimum]:
    """The minima, where they are lower, of searches from everywhere; only those are looked at closely."""
    found = [_minimized(criterion, start, max_iter)[0] for start in starts]
    lower = [each for each in found if _is_lower(each.value, first.value)]
    return [_descended(criterion, each.x, max_iter, each) for each in lower]


def _from_straight(criterion: Criterion, first: Optimum, max_iter: int) -> list[Optimum]:
    """The minimum found in coordinates without a curved structure's bends, where that is lower.

    Effects whose covariate is far from 0 have a correlation next to ±1: in sds and an angle the way is long.
    """
    own, straight = criterion.covariance, criterion.covariance.straightened
    if straight is own:
        return []
    other = replace(criterion, coordinates=replace(criterion.coordinates, covariance=straight))
    lower = _minimized(other, other.start(), max_iter)[0]
    if not _is_lower(lower.value, first.value):
        return []
    theta = own.from_factors(straight.factors(other.coordinates.theta(lower.x)))
    x = criterion.coordinates.join(theta, criterion.coordinates.phi(lower.x))
    return [_descended(criterion, x, max_iter)]


def _from_each_phi(criterion: Criterion, first: Optimum, max_iter: int) -> list[Optimum]:
    """The minima, where they are lower, of searches from each of R's starts and the far θ that suits it best.

    Moment estimates are those of one φ: they can lie in the valley of a φ that is not the best. Where there
    are kinks a ridge isn't seen on the straight way.
    """
    best = _best_thetas(criterion, first)
    if not criterion.coordinates.residual.kinked:
        best = beyond_a_ridge(criterion.values, best, first.x, first.value, len(best), np.inf)
    return _lower_from(criterion, best, first, max_iter)


def _best_thetas(criterion: Criterion, first: Optimum) -> Array:
    """x (m, n) of R's starts, each with the lowest of far θ."""
    thetas = np.vstack([far_points(criterion.covariance), criterion.covariance.start()])
    places = np.vstack([criterion.coordinates.start(thetas[-1]), criterion.far_phi(first.x)])
    points = np.tile(places, (len(thetas), 1, 1))
    criterion.coordinates.theta(points)[...] = thetas[:, None]
    values = criterion.values(points.reshape(-1, len(first.x))).reshape(points.shape[:2])
    return np.asarray(points[np.argmin(values, axis=0), np.arange(len(places))])


def _with_phi_of(criterion: Criterion, first: Optimum, thetas: Array) -> Array:
    """x (m, n) of θ (m, n_theta), with φ as it is at an optimum."""
    points = np.repeat(first.x[None], len(thetas), axis=0)
    criterion.coordinates.theta(points)[...] = thetas
    return points


def _is_lower(value: float, other: float) -> bool:
    return value + CLEARLY * max(1.0, abs(value)) < other


def _descended(criterion: Criterion, x: Array, max_iter: int, found: Outcome | None = None) -> Optimum:
    """The minimum that a search from x leads to; boundaries and saddles that aren't one are left."""
    restarts: list[float] = []
    evaluations = 0
    while True:
        outcome, basis = (found, None) if found else _minimized(criterion, x, max_iter)
        evaluations += outcome.n_evaluations
        outcome, basis, reached = _exact(criterion, outcome, basis)
        restarts.append(outcome.value)
        eigenvalues, vectors = np.linalg.eigh(basis.T @ outcome.hessian @ basis)
        away = _way_down(criterion, outcome, reached, eigenvalues, basis @ vectors)
        if away is None or len(restarts) > 5:
            break
        found, x = None, away
    evidence = Convergence(
        status=shortage(criterion, outcome.x) or outcome.status,
        decrement=outcome.decrement,
        eigenvalues=eigenvalues,
        vanished=tuple(each.vanished for each in reached),
        n_evaluations=evaluations,
        restarts=tuple(restarts),
    )
    return Optimum(criterion.coordinates.normalize(outcome.x), outcome.value, evidence)


def _is_saddle(eigenvalues: Array) -> bool:
    """Of eigenvalues (n,) in increasing order: is one clearly negative?"""
    return bool(len(eigenvalues) and eigenvalues[0] < -NEGATIVE * max(1.0, eigenvalues[-1]))


def _way_down(
    criterion: Criterion,
    outcome: Outcome,
    reached: list[WayOff],
    eigenvalues: Array,
    vectors: Array,
) -> Array | None:
    """x from which to go on: off the steepest boundary that isn't a minimum, or down from a saddle."""
    worst = min(reached, key=lambda each: each.vanished.slope, default=None)
    if worst is not None and worst.vanished.slope <= -1e-6:
        return worst.step(criterion.coordinates, outcome.x)
    if not _is_saddle(eigenvalues):
        return None
    sides = [outcome.x + step * vectors[:, 0] for step in (-0.3, 0.3)]
    value, lower = min(((criterion(x)[0], x) for x in sides), key=lambda side: side[0])
    return lower if value < outcome.value else None


def _minimized(criterion: Criterion, x: Array, max_iter: int) -> tuple[Outcome, Array | None]:
    """The minimum that a search from x ends in; and the basis, where what converged at once was measured."""
    model = criterion.information(x)
    basis = criterion.coordinates.basis(x)
    outcome = minimize(
        criterion, x, basis, hessian=model, renew=False, max_evaluations=max_iter, many=criterion.many
    )
    at_once = model is None and outcome.converged and outcome.n_evaluations == 1 + len(x)  # no trial since
    return outcome, basis if at_once else None


def _without_search(criterion: Criterion) -> Optimum:
    none = np.zeros(0)
    value, _ = criterion.at(none, none)
    return Optimum(none, value, Convergence(Status.CONVERGED, 0.0, none, (), 1, (value,)))


def _exact(
    criterion: Criterion, outcome: Outcome, basis: Array | None
) -> tuple[Outcome, Array, list[WayOff]]:
    """The minimum to the last digit: what vanishes exactly 0, and what is free at its best given that.

    With the Hessian as measured, for last steps may be no longer than rounding, which knows no curvature; the
    basis (n, n) it was measured in; and the boundaries that it lies on.
    """
    near = near_boundary(criterion.covariance, criterion.coordinates.theta(outcome.x)[None])[0]
    clear = cleared(criterion, outcome) if near else outcome
    if basis is None or clear is not outcome:
        clear, basis = _measured(criterion, clear)
    elif outcome.decrement <= DIGITS:
        return outcome, basis, list(ways_off(criterion, outcome.x)) if near else []
    polished = replace(_polished(criterion, clear, basis), hessian=clear.hessian)
    return polished, basis, list(ways_off(criterion, polished.x)) if near else []


def _measured(criterion: Criterion, outcome: Outcome) -> tuple[Outcome, Array]:
    """The same with a Hessian by differences of gradients, where they aren't dear, in this basis."""
    basis = criterion.coordinates.basis(outcome.x)
    if not criterion.kernel.small:
        return outcome, basis
    inverse = np.linalg.inv(basis)
    found = curvature(criterion.many, outcome.x, outcome.gradient, basis)
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
        if left <= DIGITS:
            break
    return outcome


def _updated(hessian: Array, step: Array, change: Array) -> Array:
    """The model that explains the gradient's change along a step, by a correction of rank one."""
    miss = change - hessian @ step
    product = miss @ step
    if abs(product) <= 1e-8 * sqrt((miss @ miss) * (step @ step)):
        return hessian
    return np.asarray(hessian + miss[:, None] * (miss / product))


def _free_root(basis: Array, outcome: Outcome) -> Array:
    """S (n, n) with SSᵀ = H⁻¹ on the curved directions of elements whose gradient hasn't vanished, else 0.

    On a boundary it has: what is exactly there stays exactly there.
    """
    hessian, gradient = outcome.hessian, outcome.gradient
    free = gradient * gradient > DIGITS * np.abs(hessian.diagonal())
    own = basis * (free[:, None] & free)
    values, vectors = np.linalg.eigh(own.T @ hessian @ own)
    kept = values > FLAT * max(values[-1], 0.0)
    return np.asarray(own @ (vectors * (kept / np.sqrt(np.where(kept, values, 1.0)))))
