"""The highest point of a posterior over natural parameters, faces included: sd = 0, correlations of ±1.

A search goes over the finite elements of φ. Where it comes near a face, the point of the face is tried, and
from a face every way off it; a scan of the density tells from where else to search.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayeslmm.kernel.search.optimizer import Status, minimize
from bayeslmm.posterior.methods.modes import NOISE, Scan, rises_to
from bayeslmm.posterior.natural import NaturalTarget

type Array = NDArray[np.float64]

NEAR = 5.0  # distance |log sd − log size| or |atanh z| from which on the face is tried
NEAR_BOUND = 0.05  # of log sd or log σ to a prior's own end
OFF_SD = np.array([7.0, 5.0, 4.0, 3.0, 2.0, 1.0, 0.0, -1.0])  # log of the data's size over sd
OFF_Z = np.array([8.0, 6.0, 4.0, 3.0, 2.0, 1.0, 0.0])  # |atanh z|
OFF_BOUND = np.array([1e-3, 1e-2, 0.1, 0.5, 1.0])
FACES = 4  # searches, per element of φ, that may follow each other
LOWEST = -1e300  # log density that any point has whose density isn't 0
HINTS = 4  # points of a scan from which to search
AT_REST = (Status.CONVERGED, Status.STALLED)


@dataclass(frozen=True, slots=True, eq=False)
class NaturalMode:
    """A highest point.

    Attributes
    ----------
    phi : (d,) infinite on a face. value : log density there, −∞ where none was found.
    decrement : squared length of the gradient in the metric of the Hessian; about the squared distance to the
        mode in posterior sds. converged : whether the searches ended well.
    """

    phi: Array
    value: float
    decrement: float
    converged: bool


def highest(target: NaturalTarget, mode: NaturalMode, starts: Iterable[Array]) -> NaturalMode:
    """The highest of a mode and those that the starts lead to, where another hill seems to be."""
    for start in starts:
        if not rises_to(target, start, mode.phi):
            mode = max(mode, climb(target, start), key=lambda each: each.value)
    return mode


def hints(target: NaturalTarget) -> list[Array]:
    """Points of a scan of the density from which to search."""
    return list(Scan.of(target).starts()[:HINTS]) if target.size else []


def climb(target: NaturalTarget, start: Array) -> NaturalMode:
    """The mode that searches from `start` lead to."""
    mode = _over_free(target, _inside(target, start))
    for _ in range(FACES * target.size):
        moved = _best_of(target, mode, _onto_faces(target, mode), -NOISE)
        if moved is None:
            moved = _best_of(target, mode, _off_faces(target, mode), NOISE)
        if moved is None:
            break
        mode = _over_free(target, moved)
    return mode


def held(target: NaturalTarget, phi: Array) -> NDArray[np.bool_]:
    """Which elements of φ lie on a face."""
    return np.any(phi[:, None] == target.faces, axis=1)


def _inside(target: NaturalTarget, start: Array) -> Array:
    """The point within the bounds of the priors."""
    low, high = np.where(np.isfinite(target.faces), target.faces, [-np.inf, np.inf]).T
    within = np.minimum(NEAR_BOUND, 0.25 * (high - low))
    moved = np.clip(start, low + within, high - within)
    return np.where(np.isfinite(low) | np.isfinite(high), moved, start)


def _over_free(target: NaturalTarget, start: Array) -> NaturalMode:
    """Search over the elements of φ that aren't on a face."""
    free = ~held(target, start)

    def downwards(part: Array) -> tuple[float, Array]:
        phi = start.copy()
        phi[free] = part
        value, gradient = target.value_and_gradient(phi)
        known = np.isfinite(value) and np.isfinite(gradient[free]).all()  # no difference crosses a bound
        return (-value, -gradient[free]) if known else (np.inf, np.zeros(len(part)))

    if not free.any():
        return NaturalMode(start, float(target.finite(start[None])[0]), 0.0, True)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        found = minimize(downwards, start[free], np.ones(int(free.sum())))
    phi = start.copy()
    phi[free] = found.x
    return NaturalMode(phi, -found.value, found.decrement, found.status in AT_REST)


def _onto_faces(target: NaturalTarget, mode: NaturalMode) -> list[Array]:
    """The mode moved to each face that is near."""
    apart = mode.phi - _middle(target)
    towards = (np.sign(apart)[:, None] == np.sign(target.faces)) & (np.abs(apart) > NEAR)[:, None]
    with np.errstate(invalid="ignore"):  # on an infinite face the distance to it is ∞ − ∞
        at_bound = np.abs(mode.phi[:, None] - target.faces) < NEAR_BOUND
    near = at_bound | (np.isinf(target.faces) & towards)
    near &= ~held(target, mode.phi)[:, None]
    return [_with(mode.phi, int(j), target.faces[j, side]) for j, side in np.argwhere(near)]


def _off_faces(target: NaturalTarget, mode: NaturalMode) -> list[Array]:
    """Points on the ways off every face that the mode is on."""
    out = []
    for j in np.flatnonzero(held(target, mode.phi)):
        face = mode.phi[j]
        inwards = 1.0 if face == target.faces[j, 0] else -1.0
        if np.isfinite(face):
            places = face + inwards * OFF_BOUND
        else:
            places = _middle(target)[j] - inwards * (OFF_SD if j in target.log_sds else OFF_Z)
        out += [_with(mode.phi, int(j), place) for place in places]
    return out


def _best_of(target: NaturalTarget, mode: NaturalMode, points: list[Array], margin: float) -> Array | None:
    """The highest of some points, where it is higher than the mode by a margin."""
    if not points:
        return None
    values = target.finite(np.array(points))
    least = mode.value + margin * max(1.0, abs(mode.value)) if np.isfinite(mode.value) else LOWEST
    return points[int(np.argmax(values))] if values.max() >= least else None


def _middle(target: NaturalTarget) -> Array:
    """(d,) log sds and log σ of the data's own size, z = 0."""
    return target.start()


def _with(phi: Array, j: int, value: float) -> Array:
    out = phi.copy()
    out[j] = value
    return out
