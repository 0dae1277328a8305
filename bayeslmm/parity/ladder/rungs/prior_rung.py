"""What rungs that bring in the priors of one kind have in common."""

from typing import ClassVar

from bayeslmm.parity.ladder.rungs.base import Place, Rung
from bayeslmm.parity.ladder.study import Study


class PriorRung(Rung):
    """The mode with the priors of the rungs before and those of one kind more.

    Attributes
    ----------
    of : kind of the parameters whose priors come in.
    """

    of: ClassVar[str]

    def applies(self, study: Study) -> bool:
        return self.of in study.kinds

    def stand(self, study: Study) -> Place | str:
        before = study.kinds[: study.kinds.index(self.of)]
        kinds = (*before, self.of)
        if reason := study.no_mode(kinds):
            return reason
        mode = study.mode(kinds)
        followed = None if study.no_mode(before) else study.followed(study.mode(before), kinds, mode)
        within = None if followed is None else study.at(followed, kinds)[0]
        value, reasons = study.at(mode, kinds)
        return Place(value, study.error_of(mode), reasons, within)


def kinds_in_order() -> tuple[str, ...]:
    """Kinds of parameters, in the order in which their priors come in."""
    found = [kind for kind in Rung.kinds().values() if issubclass(kind, PriorRung)]
    return tuple(each.of for each in sorted(found, key=lambda kind: kind.place))
