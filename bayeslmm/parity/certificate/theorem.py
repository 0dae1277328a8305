"""The theorem: under flat priors the marginal likelihood is highest at the REML estimate (Harville 1974).

At the kernel's REML optimum the explicit graph's own integral over b and a flat β has no slope along any
direction that the data tell of, and doesn't rise off a boundary. This sees what the lines above can't: the
optimum of another criterion, ML for REML, or a σ that was divided by n.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from bayeslmm.parity.certificate.explicit_graph import rounding
from bayeslmm.parity.certificate.line import Line
from bayeslmm.parity.certificate.points import Array, ByGroup

if TYPE_CHECKING:
    from bayeslmm.likelihood.fitted import Fitted

NAME = "theorem"
TOLERANCE = 1e-6  # standard errors
STEP = 0.03  # standard errors, of the differences
STENCIL = ((1, 45.0), (2, -9.0), (3, 1.0))  # of the sixth order, over 60
FALL = 0.01  # of the log density, that a step off a boundary should cost
FARTHEST = 0.1  # such a step
ROUNDING = 1e-11  # of the log density


class FlatIntegral(Protocol):
    """The explicit graph's log integral over b and a flat β."""

    def __call__(self, sigma: float, sd: ByGroup, cor: ByGroup, phi: Array) -> float:
        """At natural parameters and R's own."""


def theorem_line(fit: "Fitted", integral: FlatIntegral) -> Line:
    """The Newton step of the graph's integral at a REML fit, and what it does on the ways off a boundary."""
    at = _Optimum(fit, integral)
    steps, rises = list(at.steps()), list(at.rises())
    wrong = [row["parameter"] for row in [*steps, *rises] if not row["deviation"] < TOLERANCE]
    number = f"{len(rises)} boundary" if len(rises) == 1 else f"{len(rises)} boundaries"
    faces = f" and doesn't rise off {number}" if rises else ""
    return Line.of(
        NAME,
        [*steps, *rises],
        TOLERANCE,
        f"At the REML estimate the explicit graph's flat integral has no slope{faces} (Newton step in se)",
        f"The REML estimate isn't where the graph's flat integral is highest ({', '.join(wrong[:5])}): "
        "another criterion, such as ML, or a fit that isn't at its optimum",
    )


@dataclass(frozen=True, eq=False)
class _Optimum:
    """The graph's integral about a fit, in (θ, φ, log σ)."""

    fit: "Fitted"
    integral: FlatIntegral

    def steps(self) -> Iterator[dict[str, Any]]:
        """The Newton step of each parameter."""
        root = self.fit.theta_sigma.x_root  # columns are a standard error long
        used = root[:, np.abs(root).max(axis=0, initial=0.0) > 0]
        slopes = np.array([self._slope(column) for column in used.T])
        sizes = np.linalg.norm(used, axis=1)
        design = self.fit.design
        names = [*design.covariance.names, *design.residual.names, "log sigma"]
        for name, step, size in zip(names, used @ slopes, sizes, strict=True):
            if size > 0:
                off = abs(step) / size / self._allowed
                yield {"parameter": name, "step": step, "se": size, "deviation": off}

    def rises(self) -> Iterator[dict[str, Any]]:
        """By how much the integral rises on the steepest way off each boundary; 0 where it falls."""
        from bayeslmm.likelihood.boundary import ways_off

        fit = self.fit
        phi = fit.design.residual.settled_phi
        here = self._value(fit.design.covariance.factors(fit.theta_values), fit.sigma, phi)
        for way in ways_off(fit.objective, fit.optimum.x):
            size = min(FARTHEST, np.sqrt(2 * FALL / max(abs(way.vanished.slope), 1e-12)))
            factors = [factor.copy() for factor in fit.design.covariance.factors(fit.theta_values)]
            factors[way.slot.block][way.slot.coefs, way.slot.coefs] = way.path(size)[0]
            rise = self._value(factors, fit.sigma, phi) - here
            counted = max(0.0, rise - ROUNDING * max(1.0, abs(here)))
            name = f"{way.vanished.group}: {way.vanished.what}"
            yield {"parameter": name, "step": rise, "se": np.nan, "deviation": counted}

    @property
    def _allowed(self) -> float:
        """1, or what rounding y may move the log density by, in tolerances."""
        return max(1.0, rounding(self.fit.design, self.fit.sigma) / TOLERANCE)

    def _slope(self, direction: Array) -> float:
        """Derivative along a direction, of the sixth order."""
        differences = (
            weight * (self._at(k * STEP * direction) - self._at(-k * STEP * direction))
            for k, weight in STENCIL
        )
        return float(sum(differences) / (60 * STEP))

    def _at(self, move: Array) -> float:
        """The integral at x + move."""
        fit, n_theta = self.fit, self.fit.design.n_theta
        factors = fit.design.covariance.factors(fit.theta_values + move[:n_theta])
        phi = fit.design.residual.settled_phi + move[n_theta:-1]
        return self._value(factors, fit.sigma * float(np.exp(move[-1])), phi)

    def _value(self, factors: Any, sigma: float, phi: Array) -> float:
        natural = self.fit.design.covariance.natural_of(factors, sigma)
        return self.integral(sigma, natural.sd, natural.cor, phi)
