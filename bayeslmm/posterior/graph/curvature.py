"""The Hessian of a quadratic log density, from differences of its gradient, which are exact."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

type Array = NDArray[np.float64]
type Places = NDArray[np.intp]
type Falls = Callable[[Array], Array]  # steps (m, d) to the gradient's fall along them, (m, d)

PROBE = 1e-7  # relative error of a product that a right Hessian doesn't reach
SEED = 4


def curvature(falls: Falls, basis: Array, together: Sequence[Places] = ()) -> Array:
    """−H of a density in a basis, (m, m).

    Parameters
    ----------
    falls : how much the gradient falls along steps. basis : (d, m) columns.
    together : columns (J,) of each coef of one grouping factor, all J levels being stepped at once: levels
        don't meet, so a level's rows of the fall are its own. A random step proves it, else each goes alone.
    """
    if together:
        found = _by_levels(falls, basis, together)
        if _is_right(found, falls, basis):
            return found
    H = falls(basis.T) @ basis
    return np.asarray((H + H.T) / 2)


def _by_levels(falls: Falls, basis: Array, together: Sequence[Places]) -> Array:
    m = basis.shape[1]
    alone = np.setdiff1d(np.arange(m), np.concatenate(list(together)))
    steps = [*basis[:, alone].T, *(basis[:, places].sum(axis=1) for places in together)]
    rows = falls(np.array(steps)) @ basis
    H = np.zeros((m, m))
    for places, row in zip(together, rows[len(alone) :], strict=True):
        for others in together:
            H[others, places] = row[others]
    H[alone] = rows[: len(alone)]
    H[:, alone] = rows[: len(alone)].T
    return np.asarray((H + H.T) / 2)


def _is_right(H: Array, falls: Falls, basis: Array) -> bool:
    """Whether the fall along a random step is H times it."""
    step = np.random.default_rng(SEED).standard_normal(len(H))
    found = (falls((basis @ step)[None]) @ basis)[0]
    size = np.abs(H) @ np.abs(step)
    return bool(np.all(np.abs(found - H @ step) <= PROBE * size.max(initial=0.0)))
