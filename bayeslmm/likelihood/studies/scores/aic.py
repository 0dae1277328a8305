"""Akaike's criterion, of the marginal likelihood."""

from typing import ClassVar

from bayeslmm.likelihood.fitted import Fitted

from .base import Folds, Score, Scored


class AIC(Score):
    """−2ℓ + 2k, k = p + n_theta + 1 (σ, where it is estimated)."""

    keyword: ClassVar[str] = "aic"
    random_counts: ClassVar[bool] = False

    def of(self, fit: Fitted, folds: Folds) -> Scored:
        return Scored(fit.aic, fit.n_params)
