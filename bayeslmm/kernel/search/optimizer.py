"""Minimize a smooth function of a few parameters from values and gradients: a trust-region Newton method.

Ask and tell: `begin` sets up a `Search`, `take` reads value and gradient at ``search.trial`` and `propose`
puts the next point there. The caller owns the loop, so that the same compiled steps serve a Python objective
and a loop of compiled refits. The model Hessian comes from differences of gradients, all of them asked for at
once, or is given, and then kept by symmetric rank-one updates (Conn, Gould & Toint 1991); the step is exact,
from the eigenvalues of the model (Moré & Sorensen 1983), so that a saddle is left along its descending
direction.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import NamedTuple

import numpy as np

from bayeslmm.kernel.arrays import Floats, Ints
from bayeslmm.kernel.compiled import compilable
from bayeslmm.kernel.factor.dense import cholesky_leading, solve_rows_transposed

type Many = Callable[[Floats], tuple[Floats, Floats]]  # (m, k) to values (m,) and gradients (m, k)

START, STEP, CONVERGED, STALLED, FAILED = range(5)
VALUE, RADIUS, PREDICTED, LENGTH, DECREMENT = range(5)
PHASE, EVALUATIONS, STEPS = range(3)
DIFFERENCE_STEP = 1e-4  # in natural changes
MAX_RADIUS = 1e3


class Status(Enum):
    """How a search ended; the value is the advice to the user."""

    CONVERGED = "converged: the gradient vanishes in the metric of the Hessian"
    STALLED = "no further decrease could be found: the criterion is flat or noisy here; look at its profile"
    EXHAUSTED = "the evaluations ran out before the gradient vanished: raise max_iter or give start values"
    FAILED = "the criterion could not be evaluated at the start: give other start values"
    EXPLAINED = (
        "the model explains the response to its last digit, so sigma is 0 and the criterion falls without "
        "end: take out the term that does, or measure more rows than it has effects"
    )
    DIGITS = (
        "sigma is so small against the effects of the terms that double precision has too few digits for its "
        "standard errors and degrees of freedom: give a term that explains nearly all to the fixed part"
    )
    LOWER = (
        "another search went lower and found no end: the criterion may fall without end as sigma goes to 0, "
        "and this is only a local minimum; take out a term, or give start values"
    )


ENDS = {CONVERGED: Status.CONVERGED, STALLED: Status.STALLED, FAILED: Status.FAILED}  # by phase


class Search(NamedTuple):
    """State of a search; all arrays are changed in place. Units are those of `scale`.

    Attributes
    ----------
    point, gradient : (k,) best point and gradient there. hessian : (k, k) of the model. trial : (k,) where
    to evaluate next. numbers : value, trust radius, predicted decrease, step length, Newton decrement.
    counts : phase, evaluations, accepted steps.
    """

    point: Floats
    gradient: Floats
    hessian: Floats
    trial: Floats
    numbers: Floats
    counts: Ints


@compilable
def begin(start: Floats, hessian: Floats) -> Search:
    """A search from `start` (k,) with this model of the Hessian (k, k)."""
    counts = np.zeros(3, dtype=np.int64)
    counts[PHASE] = START
    numbers = np.zeros(5)
    numbers[VALUE] = np.inf
    numbers[RADIUS] = 1.0
    return Search(start.copy(), np.zeros(len(start)), hessian.copy(), start.copy(), numbers, counts)


@compilable
def _shifted(g: Floats, values: Floats, shift: float, step: Floats) -> float:
    """Fill `step` with −g/(values + shift), in the basis of the eigenvectors; its length."""
    length = 0.0
    for i in range(len(g)):
        step[i] = -g[i] / (values[i] + shift) if values[i] + shift > 0.0 else 0.0
        length = math.hypot(length, step[i])  # squares of steps along flat directions overflow
    return length


@compilable
def _newton_step(gradient: Floats, hessian: Floats, step: Floats) -> float:
    """Fill `step` (1, k) with −H⁻¹g; the decrease promised, NaN where H isn't positive definite."""
    k = len(gradient)
    bordered = np.zeros((k + 1, k + 1))
    for i in range(k):
        bordered[k, i] = gradient[i]
        for j in range(i + 1):
            bordered[i, j] = hessian[i, j]
    if not np.isfinite(cholesky_leading(bordered, k)):
        return np.nan
    for i in range(k):
        step[0, i] = -bordered[k, i]
    solve_rows_transposed(bordered, step)
    return float(-0.5 * bordered[k, k])


@compilable
def trust_region_step(gradient: Floats, hessian: Floats, radius: float) -> tuple[Floats, float]:
    """The minimizer of gᵀs + ½sᵀHs within a ball, and the decrease it promises.

    Where the model descends without end in a direction the gradient doesn't see, the step goes to the
    ball's edge along it (the hard case).
    """
    k = len(gradient)
    newton = np.empty((1, k))
    promised = _newton_step(gradient, hessian, newton)
    if not np.isnan(promised) and np.sqrt(np.sum(newton * newton)) <= radius:
        return newton[0], promised
    values, vectors = np.linalg.eigh(hessian)
    g, step, out = np.zeros(k), np.zeros(k), np.zeros(k)
    for j in range(k):
        g += gradient[j] * vectors[j]
    largest = max(abs(values[0]), abs(values[-1]), 1e-300)
    floor = 1e-12 * largest
    shift = 0.0 if values[0] > floor else floor - values[0]
    length = _shifted(g, values, shift, step)
    if length > radius:
        low, high = shift, max(2.0 * shift, 1e-3 * largest)
        while _shifted(g, values, high, step) > radius:
            low, high = high, 4.0 * high
        for _ in range(60):
            shift = 0.5 * (low + high)
            length = _shifted(g, values, shift, step)
            if abs(length - radius) < 0.05 * radius:
                break
            if length > radius:
                low = shift
            else:
                high = shift
    elif values[0] < -floor:
        rest = np.sqrt(radius**2 - length**2)
        step[0] += rest if g[0] <= 0.0 else -rest
    decrease = 0.0
    for i in range(k):
        decrease -= step[i] * (g[i] + 0.5 * values[i] * step[i])
        out[i] = np.sum(vectors[i] * step)
    return out, decrease


@compilable
def propose(search: Search, tolerance: float) -> bool:
    """Put the next step into `trial`; False when the search is over."""
    numbers, counts = search.numbers, search.counts
    step, predicted = trust_region_step(search.gradient, search.hessian, numbers[RADIUS])
    numbers[PREDICTED] = predicted
    numbers[LENGTH] = 0.0
    for i in range(len(step)):
        numbers[LENGTH] += step[i] ** 2
        search.trial[i] = search.point[i] + step[i]
    numbers[LENGTH] = np.sqrt(numbers[LENGTH])
    numbers[DECREMENT] = 2.0 * predicted
    counts[PHASE] = STEP
    if predicted <= tolerance * max(1.0, abs(numbers[VALUE])):
        counts[PHASE] = CONVERGED
    elif numbers[RADIUS] < 1e-9:
        counts[PHASE] = STALLED
    return bool(counts[PHASE] == STEP)


@compilable
def _rank_one(search: Search, gradient: Floats) -> None:
    """Symmetric rank-one update of the model from the last step, skipped where it is undefined."""
    H, step = search.hessian, search.trial - search.point
    miss = gradient - search.gradient
    for i in range(len(gradient)):
        miss[i] -= np.sum(H[i] * step)
    product = np.sum(miss * step)
    if abs(product) > 1e-8 * np.sqrt(np.sum(miss * miss) * np.sum(step * step)):
        for i in range(len(gradient)):
            row = H[i]
            row += miss[i] / product * miss


@compilable
def _accept(search: Search, value: float, gradient: Floats) -> None:
    search.numbers[VALUE] = value
    for i in range(len(gradient)):
        search.gradient[i] = gradient[i]
        search.point[i] = search.trial[i]


@compilable
def _judge(search: Search, value: float, gradient: Floats) -> bool:
    """Accept or refuse the trial step, and adapt the radius and the model to it."""
    numbers = search.numbers
    decrease = numbers[VALUE] - value
    noise = 1e-13 * max(1.0, abs(numbers[VALUE]))
    ratio = (decrease + noise) / (numbers[PREDICTED] + noise) if np.isfinite(value) else -1.0
    if ratio < 0.25:
        numbers[RADIUS] = 0.25 * numbers[LENGTH]
    elif ratio > 0.75 and numbers[LENGTH] > 0.9 * numbers[RADIUS]:
        numbers[RADIUS] = min(2.5 * numbers[RADIUS], MAX_RADIUS)
    if np.isfinite(value):
        _rank_one(search, gradient)
    if ratio > 1e-4:
        _accept(search, value, gradient)
        search.counts[STEPS] += 1
        return True
    return False


@compilable
def take(search: Search, value: float, gradient: Floats) -> bool:
    """Read value and gradient at ``search.trial``; whether that is the best point now."""
    counts = search.counts
    counts[EVALUATIONS] += 1
    if counts[PHASE] != START:
        return _judge(search, value, gradient)
    if np.isfinite(value):
        _accept(search, value, gradient)
        return True
    counts[PHASE] = FAILED
    return False


@compilable
def advance(search: Search, value: float, gradient: Floats, tolerance: float) -> bool:
    """`take`, then `propose`; False when the search is over."""
    take(search, value, gradient)
    return bool(search.counts[PHASE] != FAILED and propose(search, tolerance))


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What a search found.

    Attributes
    ----------
    x : (k,) the minimizer. value : the function there. gradient : (k,). hessian : (k, k) of the last model.
    decrement : gᵀH⁻¹g, the squared length of the gradient in the metric of the Hessian: twice the decrease
    still promised, whatever the units. n_evaluations, n_steps : counts. status : how it ended.
    """

    x: Floats
    value: float
    gradient: Floats
    hessian: Floats
    decrement: float
    n_evaluations: int
    n_steps: int
    status: Status

    @property
    def converged(self) -> bool:
        return self.status is Status.CONVERGED


def minimize(
    objective: Callable[[Floats], tuple[float, Floats]],
    start: Floats,
    scale: Floats,
    *,
    hessian: Floats | None = None,
    renew: bool = True,
    tolerance: float = 1e-14,
    max_evaluations: int = 500,
    many: Many | None = None,
    until: Callable[[Floats], bool] | None = None,
) -> Outcome:
    """Minimize a function of a few parameters.

    Parameters
    ----------
    objective : maps (k,) to value and gradient (k,); an infinite value refuses the point.
    start : (k,) where to begin. scale : (k,) the size of a natural change of each parameter, or a basis
        (k, k) whose columns are natural changes.
    hessian : (k, k) to begin with, None for differences of gradients. renew : take new differences at every
        step (Newton); else rank-one updates, one evaluation a step.
    tolerance : relative decrease of the function below which a step isn't worth taking.
    many : `objective` at m points (m, k) at once; one after the other if None.
    until : ends the search, as if evaluations ran out, at a point (k,) of which it is true.
    Where too few evaluations are left for differences the search ends.
    """
    k, origin, basis = len(start), np.asarray(start, dtype=np.float64), _basis(scale)
    together = many or partial(one_by_one, objective)
    search = begin(np.zeros(k), np.eye(k) if hessian is None else basis.T @ hessian @ basis)
    counts, measuring, going = search.counts, hessian is None, True
    while going and counts[EVALUATIONS] < max_evaluations:
        x = origin + basis @ search.trial
        enough = not measuring or counts[EVALUATIONS] + k < max_evaluations
        if until is not None and until(x):
            break
        if measuring and enough:
            value, gradient, model = around(together, x, basis)
            counts[EVALUATIONS] += k
        else:
            value, gradient = objective(x)
        if take(search, float(value), basis.T @ gradient) and measuring and enough:
            search.hessian[...] = model
            measuring = renew
        going = enough and counts[PHASE] != FAILED and propose(search, tolerance)
    return outcome_of(search, basis, origin)


def one_by_one(objective: Callable[[Floats], tuple[float, Floats]], points: Floats) -> tuple[Floats, Floats]:
    """Values (m,) and gradients (m, k) of a function at m points (m, k)."""
    found = [objective(point) for point in points]
    return np.array([value for value, _ in found]), np.array([gradient for _, gradient in found])


def around(many: Many, x: Floats, basis: Floats) -> tuple[float, Floats, Floats]:
    """Value and gradient (k,) at x, and BᵀHB (m, m) by differences along the columns of B (k, m)."""
    values, gradients = many(np.concatenate([x[None], x + DIFFERENCE_STEP * basis.T]))
    return values[0], gradients[0], _differences(values[1:], gradients[1:] - gradients[0], basis)


def curvature(many: Many, x: Floats, gradient: Floats, basis: Floats) -> Floats:
    """BᵀHB (m, m) by differences along the columns of B (k, m) from a gradient (k,) that is known at x."""
    values, gradients = many(x + DIFFERENCE_STEP * basis.T)
    return _differences(values, gradients - gradient, basis)


def _differences(values: Floats, moved: Floats, basis: Floats) -> Floats:
    """BᵀHB; 1 and 0 where the function can't be evaluated on the way."""
    found = moved @ basis / DIFFERENCE_STEP
    if not math.isfinite(values.sum()):
        found = np.where(np.isfinite(values[:, None]), found, np.eye(len(found)))
    return np.asarray(0.5 * (found + found.T))


def _basis(scale: Floats) -> Floats:
    return np.diag(scale) if scale.ndim == 1 else scale


def outcome_of(search: Search, scale: Floats, origin: Floats | float = 0.0) -> Outcome:
    """What a search that is over has found, out of the units of `scale`, (k,) or a basis (k, k)."""
    basis = _basis(scale)
    inverse = np.linalg.inv(basis)
    return Outcome(
        x=origin + basis @ search.point,
        value=float(search.numbers[VALUE]),
        gradient=inverse.T @ search.gradient,
        hessian=inverse.T @ search.hessian @ inverse,
        decrement=float(search.numbers[DECREMENT]),
        n_evaluations=int(search.counts[EVALUATIONS]),
        n_steps=int(search.counts[STEPS]),
        status=ENDS.get(int(search.counts[PHASE]), Status.EXHAUSTED),
    )
