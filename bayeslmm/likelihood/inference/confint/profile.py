"""Profile likelihood intervals."""

from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.likelihood.inference.profile.profile import profile
from bayeslmm.likelihood.inference.table import InferenceTable

from .base import ConfidenceMethod


class Profile(ConfidenceMethod):
    """Of the ML deviance."""

    keyword = "profile"

    def limits(self, fit: Fitted) -> InferenceTable:
        return profile(fit).confint(self.prob)
