"""What a rung of the ladder of location is."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from bayeslmm.parity.ladder.study import Study
from bayeslmm.registry import Registered

if TYPE_CHECKING:
    from bayeslmm.likelihood.fit import LikelihoodFit

type Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where every estimand is at a rung.

    Attributes
    ----------
    value, error : (L,), NaN where an estimand has no value. reasons : why not, by label.
    within : (L,) where the mode of the rung before leads to by itself, if another mode is higher; else None.
    """

    value: Array
    error: Array
    reasons: Mapping[str, str] = field(default_factory=dict)
    within: Array | None = None


class Rung(Registered, ABC):
    """One rung.

    Attributes
    ----------
    name : what the table prints. place : in the order, lowest first. cause : of the step that leads to it.
    """

    name: ClassVar[str]
    place: ClassVar[int]
    cause: ClassVar[str]

    def applies(self, study: Study) -> bool:
        """Whether a model like this has the rung at all."""
        return True

    @abstractmethod
    def stand(self, study: Study) -> Place | str:
        """Where every estimand is, or why the rung doesn't exist."""

    def named(self, label: str, study: Study) -> str:
        """The cause of one estimand's step."""
        return self.cause

    @classmethod
    def _word(cls) -> str | None:
        return vars(cls).get("name")


def place_of_fit(study: Study, fit: "LikelihoodFit | str") -> Place | str:
    """Where every estimand is at a fit, or why there is none."""
    if isinstance(fit, str):
        return fit
    value, reasons = study.at_fit(fit)
    return Place(value, np.zeros(len(value)), reasons)


def rungs() -> tuple[Rung, ...]:
    """Every rung in order."""
    return tuple(kind() for kind in sorted(Rung.kinds().values(), key=lambda kind: kind.place))
