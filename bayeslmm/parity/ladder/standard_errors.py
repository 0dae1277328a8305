"""The likelihood's standard errors of what its table lacks: combinations of fixed effects, and functions."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayeslmm.parity.ladder.estimands import Estimands
from bayeslmm.spec.labels import beta_labels, parameter_labels

if TYPE_CHECKING:
    from bayeslmm.likelihood.fit import LikelihoodFit

type Array = NDArray[np.float64]

STEP = 1e-4  # standard errors of a parameter, over which a function is differentiated


def followed_errors(fit: "LikelihoodFit", estimands: Estimands) -> dict[str, float]:
    """By label; what reads random effects or a parameter on its boundary has none.

    Of wᵀβ it is √(wᵀ Var(β̂) w). Of a function f it is that of the delta method, ‖Sᵀ∇f‖, SSᵀ being the
    covariance of β̂ and of the variance parameters in natural coordinates.
    """
    combined = {label: float(np.sqrt(w @ fit.vcov_values @ w)) for label, w in _of_beta(estimands)}
    return combined | _of_functions(fit, estimands)


def _of_beta(estimands: Estimands) -> Iterator[tuple[str, Array]]:
    own = beta_labels(estimands.design)
    for label, weights in estimands.combinations.items():
        if set(weights) <= set(own):
            yield label, np.array([weights.get(name, 0.0) for name in own])


def _of_functions(fit: "LikelihoodFit", estimands: Estimands) -> dict[str, float]:
    labels, se = parameter_labels(fit.design), fit.estimates().frame["se"]
    told = {label for label in labels if np.isfinite(se[label])}
    smooth = [name for name in estimands.functions if estimands.reads[name] <= told]
    if not smooth:
        return {}
    ahead, behind = (dict(zip(labels, _moved(fit, step).T, strict=True)) for step in (STEP, -STEP))
    found = {}
    for name in smooth:
        function = estimands.functions[name]
        slopes = (np.asarray(function(ahead)) - np.asarray(function(behind))) / (2 * STEP)
        found[name] = float(np.linalg.norm(slopes))
    return found


def _moved(fit: "LikelihoodFit", step: float) -> Array:
    """Parameters (m, n) a step along each column of S."""
    beta = fit.beta_values + step * np.linalg.cholesky(fit.vcov_values).T
    natural = np.array([_natural(fit, move) for move in step * fit.theta_sigma.x_root.T])
    at_rest = _natural(fit, np.zeros(len(fit.optimum.x) + 1))
    return np.vstack(
        [
            np.hstack([beta, np.tile(at_rest, (len(beta), 1))]),
            np.hstack([np.tile(fit.beta_values, (len(natural), 1)), natural]),
        ]
    )


def _natural(fit: "LikelihoodFit", move: Array) -> Array:
    """sd, cor, the residual's parameters and a free σ, a move in (x, log σ) away from the estimate."""
    design, x, sigma = fit.design, fit.optimum.x + move[:-1], fit.sigma * np.exp(move[-1])
    natural = design.covariance.natural(design.coordinates.theta(x), sigma)
    groups = [block.group for block in design.blocks]
    of_residual = design.residual.natural(design.coordinates.phi(x)[None], np.array([sigma]))[0]
    parts = [*(natural.sd[g] for g in groups), *(natural.cor[g] for g in groups), of_residual]
    return np.concatenate([*parts, [sigma] * design.residual.sigma_free])
