"""What a verdict is: a name, what it means, when it holds, the sentence that says why, and what to do."""

from abc import ABC, abstractmethod
from typing import ClassVar

from bayeslmm.parity.verdicts.evidence import Evidence, VerdictOptions
from bayeslmm.registry import Registered


class Verdict(Registered, ABC):
    """One way in which two results may relate.

    Attributes
    ----------
    name : str
        What the table prints.
    place : int
        In the order of precedence, lowest first (see `precedence`).
    meaning : str
        One line for the legend.
    good : bool
        Whether nothing is left to explain.
    next_step : str
        What a reader may do now.
    """

    name: ClassVar[str]
    place: ClassVar[int]
    meaning: ClassVar[str]
    good: ClassVar[bool]
    next_step: ClassVar[str] = ""

    @abstractmethod
    def holds(self, e: Evidence, o: VerdictOptions) -> bool:
        """Decide from the evidence alone."""

    @abstractmethod
    def sentence(self, e: Evidence, o: VerdictOptions) -> str:
        """Give the evidence in one plain sentence."""

    @classmethod
    def _word(cls) -> str | None:
        return vars(cls).get("name")
