"""The posterior mean, without draws."""

import numpy as np

from bayeslmm.parity.ladder.rungs.base import Place, Rung
from bayeslmm.parity.ladder.study import Study

AVERAGING = "averaging over the variances"
INTEGRATION = "integration"


class Mean(Rung):
    """β, b and what is linear in them averaged over ω; of other estimands the mean of their distribution."""

    name = "mean"
    place = 90
    cause = INTEGRATION

    def applies(self, study: Study) -> bool:
        return study.known

    def stand(self, study: Study) -> Place | str:
        if isinstance(study.averages, str):
            return study.averages
        missing = study.no_mean()
        known = np.array([label not in missing for label in study.estimands.labels])
        value, error = study.means(study.averages.components), study.averages.error(study.means)
        return Place(np.where(known, value, np.nan), np.where(known, error, np.nan), missing)

    def named(self, label: str, study: Study) -> str:
        """Averaging is all that moves an effect; of a variance the distribution is skewed, too."""
        return AVERAGING if study.estimands.is_linear(label) else INTEGRATION
