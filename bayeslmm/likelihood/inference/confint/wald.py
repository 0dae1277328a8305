"""Wald intervals."""

from bayeslmm.likelihood.estimates import tell, wald_table
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.likelihood.inference.table import InferenceTable

from .base import ConfidenceMethod


class Wald(ConfidenceMethod):
    """Normal quantiles; symmetric for log sd and atanh cor."""

    keyword = "wald"

    def limits(self, fit: Fitted) -> InferenceTable:
        table = wald_table(fit, self.prob, ranef=False)
        tell(table)
        return self.headed(table.frame, f"Wald intervals ({fit.criterion})", table.notes)
