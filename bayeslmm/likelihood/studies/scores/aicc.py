"""Akaike's criterion, corrected for few rows."""

from typing import ClassVar

from bayeslmm.likelihood.fitted import Fitted

from .base import Folds, Score, Scored


class AICc(Score):
    """AIC + 2k(k + 1)/(n − k − 1) (Hurvich & Tsai 1989), n the rows."""

    keyword: ClassVar[str] = "aicc"
    random_counts: ClassVar[bool] = False
    caution: ClassVar[str] = "aicc counts rows; where rows of a group are alike there are fewer of them"

    def of(self, fit: Fitted, folds: Folds) -> Scored:
        k = fit.n_params
        left = fit.design.n - k - 1
        return Scored(fit.aic + 2 * k * (k + 1) / left if left > 0 else float("inf"), k)
