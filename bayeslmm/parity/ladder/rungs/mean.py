"""The posterior mean, without draws."""

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
        infinite = study.no_mean()
        value = study.means(study.averages.components)
        for label in infinite:
            value[study.estimands.labels.index(label)] = float("nan")
        return Place(value, study.averages.error(study.means), infinite)

    def named(self, label: str, study: Study) -> str:
        """Averaging is all that moves an effect; of a variance the distribution is skewed, too."""
        return AVERAGING if study.estimands.is_linear(label) else INTEGRATION
