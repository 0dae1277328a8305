"""Schwarz's criterion."""

from typing import ClassVar

from bayeslmm.likelihood.fitted import Fitted

from .base import Folds, Score, Scored


class BIC(Score):
    """−2ℓ + k log n, n the rows, as lme4 has it."""

    keyword: ClassVar[str] = "bic"
    random_counts: ClassVar[bool] = False
    caution: ClassVar[str] = "bic counts rows; for what varies between groups their number is nearer the mark"

    def of(self, fit: Fitted, folds: Folds) -> Scored:
        return Scored(fit.bic, fit.n_params)
