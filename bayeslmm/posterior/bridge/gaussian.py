"""A log density that is quadratic in effects given the rest: its mode, curvature and integral."""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayeslmm.errors import InputError

type Array = NDArray[np.float64]

QUADRATIC = 1e-6  # of the gradient's fall, by which a quadratic's may depart from a line
SINGULAR = 1e-13  # least eigenvalue of a curvature with unit diagonal
FAR = (0.5, 3.0)  # steps at which lines are told from curves
FAR_OFF = 2.0  # log of a squared step over that which is a conditional sd long, beyond which it is set anew
TINY = 1e-300
SEED = 5


class At(NamedTuple):
    """At one point: log density, its gradient by the effects (d,), and quantities affine in them (m,)."""

    logp: float
    gradient: Array
    elements: Array


class Mode(NamedTuple):
    """At one point of the rest.

    Attributes
    ----------
    at : the density at the effects' mean. mean : (d,). precision : (d, d) of the effects.
    map : (m, d) derivative of the elements by the effects. logp : log of the integral over the effects.
    """

    at: At
    mean: Array
    precision: Array
    map: Array
    logp: float


type Density[P] = Callable[[Array, P], At]


def modes[P](density: Density[P], d: int, points: Iterable[P], what: str) -> Iterator[Mode]:
    """Integrate the effects out at each point.

    Parameters
    ----------
    density : of effects (d,) and a point. what : the density in words, for errors.

    Raises
    ------
    InputError
        When it isn't quadratic in the effects, or doesn't determine them.
    """
    z, steps = np.zeros(d), np.ones(d)
    for number, point in enumerate(points):
        H, moved = _slopes(density, z, steps, point)
        if number == 0:
            _check_quadratic(density, z, steps, point, H, what)
        if np.any(np.abs(np.log(steps**2 * np.maximum(np.diag(H), TINY))) > FAR_OFF):
            z, steps = z + _solved(H, density(z, point).gradient, what), 1 / np.sqrt(np.diag(H))
            H, moved = _slopes(density, z, steps, point)
        for _ in range(2):  # the second step takes off the rounding of the first
            z = z + _solved(H, density(z, point).gradient, what)
        at = density(z, point)
        volume = d * float(np.log(2 * np.pi)) - float(np.linalg.slogdet(H)[1])
        yield Mode(at, z, H, moved, at.logp + 0.5 * volume)


def _slopes[P](density: Density[P], z: Array, steps: Array, point: P) -> tuple[Array, Array]:
    """−H (d, d), and derivatives (m, d) of the elements: both exact, from differences."""
    at = density(z, point)
    moved = [density(z + step, point) for step in np.diag(steps)]
    falls = np.array([at.gradient - each.gradient for each in moved]).reshape(len(z), len(z))
    rises = np.array([each.elements - at.elements for each in moved]).reshape(len(z), len(at.elements))
    H = falls / steps[:, None]
    return (H + H.T) / 2, (rises / steps[:, None]).T


def _check_quadratic[P](density: Density[P], z: Array, steps: Array, point: P, H: Array, what: str) -> None:
    step = steps * np.random.default_rng(SEED).standard_normal(len(z))
    at = density(z, point).gradient
    found = np.array([at - density(z + t * step, point).gradient for t in FAR])
    linear = np.array([t * (H @ step) for t in FAR])
    departure = np.max(np.abs(found - linear), initial=0.0) / max(np.max(np.abs(linear), initial=0.0), 1e-300)
    if not departure < QUADRATIC:
        raise InputError(
            f"{what} isn't Gaussian given its variance parameters: along a random direction of the effects "
            f"its gradient departs from a straight line by {departure:.2g} of its change. Only linear mixed "
            "models with a normal response can be certified"
        )


def _solved(H: Array, gradient: Array, what: str) -> Array:
    """H⁻¹ gradient, of a definite H."""
    scale = np.sqrt(np.maximum(np.diag(H), TINY))
    unit = H / np.outer(scale, scale)
    if len(H) and np.linalg.eigvalsh(unit)[0] <= SINGULAR:
        raise InputError(
            f"{what} doesn't determine its effects: along a direction of them the density stays the same, or "
            "rises; leave out columns that depend on others, and name what is missing, names="
        )
    return np.asarray(np.linalg.solve(unit, gradient / scale) / scale)


def is_line(at: Array, near: Array, far: Array) -> bool:
    """Whether a gradient falls from 0 to `FAR`, and along a line."""
    fall = np.asarray(near) - np.asarray(at)
    expected = fall * FAR[1] / FAR[0]
    found = np.asarray(far) - np.asarray(at)
    size = np.max(np.abs(expected), initial=0.0)
    return bool(size > 0 and np.max(np.abs(found - expected)) <= QUADRATIC * size)
