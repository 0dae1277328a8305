"""Akaike's criterion for the groups at hand: of the likelihood given their random effects."""

from typing import ClassVar

import numpy as np

from bayeslmm.likelihood.fitted import Fitted

from .base import Folds, Score, Scored


class ConditionalAIC(Score):
    """−2 log p(y | b̂) + 2k, k the trace of the hat matrix and 1 for σ (Vaida & Blanchard 2005)."""

    keyword: ClassVar[str] = "caic"
    caution: ClassVar[str] = (
        "caic's k is the trace of the hat matrix + 1 and takes the variances as known, which favours the "
        "larger random part (Greven & Kneib 2010)"
    )

    def of(self, fit: Fitted, folds: Folds) -> Scored:
        design = fit.design
        white = design.residual.whiten(np.asarray(fit.residuals, dtype=np.float64))
        logs = design.n * np.log(2 * np.pi * fit.sigma**2) + design.residual.log_det()
        k = float(fit.hat_values.sum()) + design.residual.sigma_free
        return Scored(float(logs + white @ white / fit.sigma**2) + 2 * k, k)
