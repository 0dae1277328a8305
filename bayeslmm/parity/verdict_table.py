"""The verdicts as a reader meets them: a table that counts, explains and prints itself."""

from collections.abc import Iterator
from dataclasses import dataclass
from textwrap import indent

import pandas as pd

from bayeslmm.markup import paragraph, sentences
from bayeslmm.parity.verdicts.base import Verdict
from bayeslmm.parity.verdicts.evidence import VerdictOptions
from bayeslmm.parity.verdicts.precedence import precedence
from bayeslmm.parity.verdicts.unresolved import NOT_COMPARED
from bayeslmm.printed import Page, Printed

DIFFERS = "disagree"


@dataclass(frozen=True, eq=False)
class Verdicts(Printed):
    """Verdict, sentence and run check by estimand.

    Attributes
    ----------
    frame : DataFrame, index ``label``
        ``kind, verdict, sentence, size, cause, term, run_check, next_step``.
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

    def run_check(self, label: str) -> str:
        """Give what the run check says of one estimand: passed, disagree, too noisy, or why it can't tell."""
        return str(self.frame["run_check"][label])

    def to_frame(self) -> pd.DataFrame:
        """Copy the rows."""
        return self.frame.copy()

    @property
    def page(self) -> Page:
        """What is printed."""
        return Page(self._shown[["verdict", "sentence"]], self.headline)

    @property
    def counts(self) -> dict[str, int]:
        """Number of estimands by verdict, in order of precedence; absent ones left out."""
        found = self.frame["verdict"].value_counts()
        return {each.name: int(found[each.name]) for each in precedence() if each.name in found}

    @property
    def explained(self) -> bool:
        """Whether every estimand agrees or differs for a known reason, and no run check found a fault."""
        good = all(Verdict.kinds()[name].good for name in self.counts)
        return good and not (self.frame["run_check"] == DIFFERS).any()

    @property
    def checked(self) -> bool:
        """Whether every run check passed."""
        return bool(self.frame["run_check"].isin(["", "passed"]).all())

    @property
    def headline(self) -> str:
        """One sentence over all: how many agree, how many differ and why."""
        n, counts = len(self.frame), self.counts
        agree = counts.get("agree", 0)
        if self.uncompared:
            return f"None of {n} estimands is compared: {self.uncompared}"
        if agree == n:
            return f"All {n} estimands agree{self._runs}."
        rest = ", ".join(f"{count} {name}" for name, count in counts.items() if name != "agree")
        end = "every difference has a known cause" if self.explained else "not every difference is explained"
        return f"{agree} of {n} estimands agree; {rest}: {end}{self._runs}."

    @property
    def uncompared(self) -> str:
        """The one reason why nothing is compared; empty where something is."""
        told = self.frame["sentence"].unique().tolist() if "unresolved" in self.counts else []
        return str(told[0]).removeprefix(NOT_COMPARED) if len(told) == 1 else ""

    @property
    def parameters(self) -> pd.DataFrame:
        """The rows that are not random effects."""
        return self.frame[self.frame["kind"] != "ranef"]

    @property
    def noteworthy(self) -> pd.DataFrame:
        """Random effects that do not simply agree."""
        return self.frame[(self.frame["kind"] == "ranef") & (self.frame["verdict"] != "agree")]

    @property
    def _runs(self) -> str:
        """What is wrong with the draws, in a few words; empty where nothing is."""
        if self.checked:
            return ""
        found = self.frame["run_check"]
        wrong = found[~found.isin(["", "passed"])]
        return f"; run check: {', '.join(f'{n} {what}' for what, n in wrong.value_counts().items())}"

    @property
    def _shown(self) -> pd.DataFrame:
        """Parameters and noteworthy effects; of a singular term the first row stands for all."""
        shown = pd.concat([self.parameters, self.noteworthy])
        alone = (shown["verdict"] != "boundary") | (shown["term"] == "")
        return shown[alone | ~shown["term"].duplicated()]

    def __repr__(self) -> str:
        """Read as text: every parameter, and the random effects that do not agree; or why there are none."""
        return self.headline if self.uncompared else "\n".join([self.headline, "", *self._lines()])

    def _repr_html_(self) -> str:
        """Read as a table in a notebook."""
        return paragraph(self.headline) + ("" if self.uncompared else sentences(_triples(self._shown)))

    def _lines(self) -> Iterator[str]:
        width = max(map(len, self._shown.index), default=0)
        for label, verdict, text in _triples(self._shown):
            yield f"{label:<{width}}  {verdict}"
            yield indent(text, "    ")


def _triples(frame: pd.DataFrame) -> Iterator[tuple[str, str, str]]:
    return zip(map(str, frame.index), map(str, frame["verdict"]), map(str, frame["sentence"]), strict=True)
