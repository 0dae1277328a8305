"""The maximum of the restricted likelihood."""

import numpy as np

from bayeslmm.parity.ladder.rungs.base import Place, Rung
from bayeslmm.parity.ladder.study import Study


class REML(Rung):
    """β integrated over a flat prior."""

    name = "REML"
    place = 20
    cause = "beta integrated"

    def stand(self, study: Study) -> Place | str:
        if isinstance(study.reml, str):
            return study.reml
        value, reasons = study.at_fit(study.reml)
        return Place(value, np.zeros(len(value)), reasons)
