"""The maximum of the likelihood."""

import numpy as np

from bayeslmm.parity.ladder.rungs.base import Place, Rung
from bayeslmm.parity.ladder.study import Study


class ML(Rung):
    """The estimate by maximum likelihood; where the ladder begins."""

    name = "ML"
    place = 10
    cause = ""

    def stand(self, study: Study) -> Place | str:
        if isinstance(study.ml, str):
            return study.ml
        value, reasons = study.at_fit(study.ml)
        return Place(value, np.zeros(len(value)), reasons)
