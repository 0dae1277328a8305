"""The verdicts as a reader meets them: a table that counts, explains and prints itself."""

from collections.abc import Iterator
from dataclasses import dataclass
from textwrap import indent

import pandas as pd

from bayeslmm.markup import paragraph, sentences
from bayeslmm.parity.verdicts.base import Verdict
from bayeslmm.parity.verdicts.evidence import VerdictOptions
from bayeslmm.parity.verdicts.precedence import precedence


@dataclass(frozen=True, eq=False)
class Verdicts:
    """Verdict and sentence by estimand.

    Attributes
    ----------
    frame : DataFrame, index ``label``
        ``kind, verdict, sentence``.
    options : VerdictOptions
        The thresholds used.
    """

    frame: pd.DataFrame
    options: VerdictOptions

    def __getitem__(self, label: str) -> str:
        """Give the verdict on one estimand."""
        return str(self.frame["verdict"][label])

    def sentence(self, label: str) -> str:
        """Give the evidence on one estimand."""
        return str(self.frame["sentence"][label])

    def to_frame(self) -> pd.DataFrame:
        """Copy the rows."""
        return self.frame.copy()

    @property
    def counts(self) -> dict[str, int]:
        """Number of estimands by verdict, in order of precedence; absent ones left out."""
        found = self.frame["verdict"].value_counts()
        return {each.name: int(found[each.name]) for each in precedence() if each.name in found}

    @property
    def explained(self) -> bool:
        """Whether every estimand agrees or differs for a known reason."""
        return all(Verdict.kinds()[name].good for name in self.counts)

    @property
    def headline(self) -> str:
        """One sentence over all: how many agree, how many differ and why."""
        n, counts = len(self.frame), self.counts
        agree = counts.get("agree", 0)
        if agree == n:
            return f"All {n} estimands agree."
        rest = ", ".join(f"{count} {name}" for name, count in counts.items() if name != "agree")
        end = "every difference has a known cause" if self.explained else "not every difference is explained"
        return f"{agree} of {n} estimands agree; {rest}: {end}."

    @property
    def parameters(self) -> pd.DataFrame:
        """The rows that are not random effects."""
        return self.frame[self.frame["kind"] != "ranef"]

    @property
    def noteworthy(self) -> pd.DataFrame:
        """Random effects that do not simply agree."""
        return self.frame[(self.frame["kind"] == "ranef") & (self.frame["verdict"] != "agree")]

    def __repr__(self) -> str:
        """Read as text: every parameter, and the random effects that do not agree."""
        return "\n".join([self.headline, "", *self._lines()])

    def _repr_html_(self) -> str:
        """Read as a table in a notebook."""
        shown = pd.concat([self.parameters, self.noteworthy])
        return paragraph(self.headline) + sentences(_triples(shown))

    def _lines(self) -> Iterator[str]:
        shown = pd.concat([self.parameters, self.noteworthy])
        width = max(map(len, shown.index), default=0)
        for label, verdict, text in _triples(shown):
            yield f"{label:<{width}}  {verdict}"
            yield indent(text, "    ")


def _triples(frame: pd.DataFrame) -> Iterator[tuple[str, str, str]]:
    return zip(map(str, frame.index), map(str, frame["verdict"]), map(str, frame["sentence"]), strict=True)
