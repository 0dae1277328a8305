"""Estimates without one group at a time, and the acceleration they give."""

import warnings
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bayeslmm.errors import BayesLMMWarning
from bayeslmm.likelihood.bootstrap.engine import Source
from bayeslmm.likelihood.bootstrap.hierarchy import rows_by_level
from bayeslmm.likelihood.bootstrap.whole_fits import refit
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.spec.subset import without

type Array = NDArray[np.float64]


def leave_one_out(fit: Fitted, ask: Callable[[Fitted], Array]) -> Array:
    """(J, m) values of m estimates without each level of the coarsest factor, or without each row.

    With crossed factors the one with the fewest levels counts as the coarsest.
    NaN where the columns of X depend on each other without the level, or no optimum is found.
    """
    design = fit.design
    coarsest = min(design.blocks, key=lambda block: block.n_levels, default=None)
    codes = np.arange(design.n) if coarsest is None else coarsest.codes
    source = Source.of(fit)
    out = []
    for left_out in rows_by_level(codes):
        smaller = without(design, left_out)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", BayesLMMWarning)
            other = refit(smaller, source, fit.optimum.x)
            out.append(ask(other) if other.convergence.converged else None)
    width = max((len(each) for each in out if each is not None), default=0)
    return np.array([np.full(width, np.nan) if each is None else each for each in out])


def acceleration(values: Array) -> Array:
    """(m,) a = Σd³/6(Σd²)^{3/2}, d the mean less the jackknife values (J, m) (Efron 1987); 0 where d is."""
    d = np.nanmean(values, axis=0) - values
    square = np.nansum(d**2, axis=0)
    return np.asarray(np.nansum(d**3, axis=0) / (6 * np.where(square > 0, square, 1.0) ** 1.5))
