"""Many new responses to one fitted model, as arrays: no tables, no rows kept."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayeslmm.errors import OptionError
from bayeslmm.likelihood.bootstrap.engine import Source
from bayeslmm.likelihood.bootstrap.reduction import RowReduction
from bayeslmm.likelihood.bootstrap.refits import Refits, Refitter
from bayeslmm.likelihood.bootstrap.whole_fits import refit, side_by_side
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.spec.design import Design
from bayeslmm.spec.given import floats

type Array = NDArray[np.float64]


class RefitArrays(NamedTuple):
    """Estimates of m refits.

    Attributes
    ----------
    theta : (m, n_theta). beta : (m, p). sigma, criterion : (m,).
    singular, failed : (m,) some direction of a covariance vanished; no optimum was found.
    phi : (m, n_phi) of the residual, in the coordinates of searches.
    """

    theta: Array
    beta: Array
    sigma: Array
    criterion: Array
    singular: NDArray[np.bool_]
    failed: NDArray[np.bool_]
    phi: Array


def refit_many(fit: Fitted, responses: ArrayLike) -> RefitArrays:
    """Refit a model to m responses (m, n), starting from the fit.

    Raises
    ------
    OptionError
        When the responses don't have n finite values each.
    """
    y = checked(responses, fit.design.n)
    if fit.design.residual.n_phi:
        return _whole(fit, y)
    mean = fit.design.X @ fit.beta_values + fit.design.offset
    found = Refitter.of(fit)(RowReduction(fit.design, fit.design.kernel).many(y - mean))
    return _arrays(fit, found._replace(beta=found.beta + fit.beta_values))


def _whole(fit: Fitted, y: Array) -> RefitArrays:
    """Searches for θ and φ of each response."""
    source = Source.of(fit)
    fits = [refit(fit.design.with_response(each), source, fit.optimum.x) for each in y]
    return _arrays(fit, side_by_side(fits, fit.design))


def _arrays(fit: Fitted, found: Refits) -> RefitArrays:
    theta, phi = fit.design.coordinates.theta(found.x), fit.design.coordinates.phi(found.x)
    return RefitArrays(theta, found.beta, found.sigma, found.criterion, found.singular, found.failed, phi)


def designs_of(design: Design, responses: ArrayLike) -> Iterator[Design]:
    """The design with each of m responses (m, n), whose cross-products are made of its own.

    Raises
    ------
    OptionError
        When the responses don't have n finite values each.
    """
    y = checked(responses, design.n)
    reduction, unknown = RowReduction(design, design.kernel), np.full(design.q, np.nan)
    _ = design.kernel.condensed  # made once, for all
    for each in y:  # one by one: the digits of each don't depend on the others
        zr, gamma, rr, _ = reduction(each - design.offset, unknown)
        yield design.with_response(each, design.kernel.responding(zr, gamma, rr))


def checked(responses: ArrayLike, n: int) -> Array:
    """Responses (m, n) of numbers."""
    y = np.atleast_2d(floats("responses", responses))
    if y.ndim != 2 or y.shape[1] != n or not np.isfinite(y).all():
        raise OptionError(f"responses have shape {np.shape(responses)}; give (m, {n}) finite values")
    return y
