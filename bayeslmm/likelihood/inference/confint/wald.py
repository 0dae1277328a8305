"""Wald intervals."""

from bayeslmm.likelihood.estimates import wald_table
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.likelihood.inference.table import InferenceTable

from .base import ConfidenceMethod


class Wald(ConfidenceMethod):
    """Normal quantiles; symmetric for log sd and atanh cor."""

    keyword = "wald"

    def limits(self, fit: Fitted) -> InferenceTable:
        frame = wald_table(fit, self.prob, ranef=False).frame
        return self.headed(frame, f"Wald intervals ({fit.criterion})")
