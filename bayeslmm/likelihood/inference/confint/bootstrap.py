"""Bootstrap intervals."""

from bayeslmm.likelihood.bootstrap.run import BootstrapOptions, bootstrap
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.likelihood.inference.table import InferenceTable

from .base import ConfidenceMethod


class Bootstrap(ConfidenceMethod):
    """Percentiles of a parametric bootstrap."""

    keyword = "bootstrap"

    def limits(self, fit: Fitted) -> InferenceTable:
        boot = bootstrap(fit, BootstrapOptions(self.n, seed=self.seed, progress=False))
        heading = f"percentile intervals of {self.n} parametric bootstrap replicates, seed {boot.seed}"
        return self.headed(boot.confint(prob=self.prob), heading, boot.notes)
