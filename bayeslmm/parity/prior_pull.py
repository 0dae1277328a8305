"""How far the priors pull, to first order: posterior covariance times the slope of the log prior."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayeslmm.spec.labels import SIGMA, beta_labels, cor_labels_of, sd_labels_of
from bayeslmm.spec.priors import log_correlations

if TYPE_CHECKING:
    from bayeslmm.spec.design import Design

STEP = 1e-4  # of a posterior sd


def prior_pull(
    draws: pd.DataFrame, design: "Design", priors: Any, estimate: "pd.Series[float]"
) -> dict[str, float]:
    """First-order shift of each parameter by the priors: Cov(draws) ∇ log π, the slope taken at the estimate.

    Exact for a normal likelihood and a prior of constant slope; a cause to be named, not a figure to be
    reported to three digits.

    Parameters
    ----------
    draws : DataFrame, (draws, parameters)
    design : Design
    priors : Priors
    estimate : Series
        Estimates by label; parameters without one, or on the boundary, have no slope and pull nothing.

    Returns
    -------
    dict
        Pull by label, in the parameter's units.
    """
    known = [label for label in draws.columns if np.isfinite(estimate.get(label, np.nan))]
    if not known:
        return {}
    spread = np.atleast_2d(np.cov(draws[known].to_numpy(), rowvar=False))
    slope = pd.Series(0.0, index=known)
    for labels, log_prior in _factors(design, priors):
        inside = [label for label in labels if label in slope.index]
        if len(inside) == len(labels):
            slope[inside] = _gradient(
                log_prior, estimate[inside].to_numpy(float), draws[inside].std().to_numpy()
            )
    shift = spread @ slope.to_numpy()
    return dict(zip(known, map(float, shift), strict=True))


def _factors(design: "Design", priors: Any) -> Iterator[tuple[list[str], Callable[[Any], float]]]:
    """The prior's independent factors: labels they involve and their log density."""
    for label, prior in zip(beta_labels(design), priors.beta, strict=True):
        yield [label], _scalar(prior)
    for number, block in enumerate(design.blocks):
        for label, prior in zip(sd_labels_of(design, number), priors.sd[block.group], strict=True):
            yield [label], _scalar(prior)
        labels, prior = cor_labels_of(design, number), priors.cor.get(block.group)
        if labels and prior is not None:
            yield list(labels), _of_correlations(block.structures, prior)
    if design.residual.sigma_free:
        yield [SIGMA], _scalar(priors.sigma)


def _scalar(prior: Any) -> Callable[[Any], float]:
    return lambda x: float(prior.logpdf(x[0]))


def _of_correlations(structures: Any, prior: Any) -> Callable[[Any], float]:
    """Log density of a group's free correlations."""
    return lambda x: float(log_correlations(structures, prior, x))


def _gradient(log_density: Callable[[Any], float], point: Any, spread: Any) -> Any:
    """Central differences; zero where the log density has no finite slope (the boundary)."""
    steps = np.diag(STEP * spread)
    slopes = [(log_density(point + step) - log_density(point - step)) / (2 * step.sum()) for step in steps]
    return np.nan_to_num(slopes, nan=0.0, posinf=0.0, neginf=0.0)
