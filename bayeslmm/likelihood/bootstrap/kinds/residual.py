"""Residual bootstrap: predicted effects and residuals, reflated and resampled."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from bayeslmm.likelihood.bootstrap.kinds.base import ResponseKind
from bayeslmm.likelihood.bootstrap.reflate import reflated_effects, reflated_residuals
from bayeslmm.likelihood.bootstrap.responses import Rows
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.spec.design import Design

type Array = NDArray[np.float64]


@dataclass(frozen=True)
class Residual(ResponseKind):
    """y* = Xβ̂ + Zb* + e*, levels of b* and rows of e* drawn with replacement from those of the fit.

    BLUPs and residuals are shrunken, so both are centred and reflated first: whole levels of each factor by
    the Cholesky factors of their own and of the fitted covariance, whitened residuals to mean square σ̂².

    References
    ----------
    Carpenter, Goldstein & Rasbash (2003), Applied Statistics 52, 431-443. lmeresampler's "residual" reflates
    each resample instead of the sample resampled.
    """

    keyword: ClassVar[str] = "residual"

    def rows(self, fit: Fitted) -> "ResidualRows":
        """What draws the rows."""
        design = fit.design
        effects = reflated_effects(design, fit.theta_values, fit.sigma, fit.b)
        e = design.residual.whiten(np.asarray(fit.residuals))
        return ResidualRows(design, effects, reflated_residuals(e, fit.sigma))


@dataclass(frozen=True, slots=True, eq=False)
class ResidualRows:
    """Draws levels of `effects`, (J, k) a block, and of `noise` (n,), whitened residuals."""

    design: Design
    effects: list[Array]
    noise: Array

    def __call__(self, generator: np.random.Generator) -> Rows:
        """The response of one generator."""
        drawn = [generator.choice(effects, len(effects)).ravel() for effects in self.effects]
        b = np.concatenate([np.zeros(0), *drawn])
        e = generator.choice(self.noise, len(self.noise))
        return Rows(self.design.Z @ b + self.design.residual.unwhiten(e), b)
