"""The maximum of the likelihood."""

from bayeslmm.parity.ladder.rungs.base import Place, Rung, place_of_fit
from bayeslmm.parity.ladder.study import Study


class ML(Rung):
    """The estimate by maximum likelihood; where the ladder begins."""

    name = "ML"
    place = 10
    cause = ""

    def stand(self, study: Study) -> Place | str:
        return place_of_fit(study, study.ml)
