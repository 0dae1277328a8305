"""The mode under flat priors."""

from bayeslmm.parity.ladder.rungs.base import Place, Rung
from bayeslmm.parity.ladder.study import Study


class FlatMode(Rung):
    """The posterior's mode under flat priors: by Harville's theorem REML, so that its step is a residual."""

    name = "flat mode"
    place = 30
    cause = "theorem (a residual)"

    def stand(self, study: Study) -> Place | str:
        if reason := study.no_mode(()):
            return reason
        mode = study.mode(())
        value, reasons = study.at(mode, ())
        return Place(value, study.error_of(mode), reasons)
