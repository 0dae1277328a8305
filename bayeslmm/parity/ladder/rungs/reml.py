"""The maximum of the restricted likelihood."""

from bayeslmm.parity.ladder.rungs.base import Place, Rung, place_of_fit
from bayeslmm.parity.ladder.study import Study


class REML(Rung):
    """β integrated over a flat prior."""

    name = "REML"
    place = 20
    cause = "beta integrated"

    def stand(self, study: Study) -> Place | str:
        return place_of_fit(study, study.reml)
