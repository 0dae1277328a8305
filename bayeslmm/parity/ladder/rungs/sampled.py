"""The mean of the draws compared."""

from bayeslmm.parity.ladder.rungs.base import Place, Rung
from bayeslmm.parity.ladder.study import Study

UNKNOWN = "total difference, prior unknown"


class Sampled(Rung):
    """The posterior mean as it was sampled, Monte Carlo error included."""

    name = "sampled"
    place = 100
    cause = "Monte Carlo"

    def applies(self, study: Study) -> bool:
        return study.sampled is not None

    def stand(self, study: Study) -> Place | str:
        assert study.sampled is not None
        found = study.sampled.reindex(list(study.estimands.labels))
        reasons = dict.fromkeys(found.index[found["mean"].isna()], "not among the draws compared")
        return Place(found["mean"].to_numpy(float), found["mcse"].to_numpy(float), reasons)

    def named(self, label: str, study: Study) -> str:
        """Where the priors aren't known nothing can be said of the way."""
        return self.cause if study.known else UNKNOWN
