"""What diagnostics show, in sentences."""

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from bayeslmm.markup import paragraph, sentences
from bayeslmm.printed import Page, Printed


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes
    ----------
    name : of it. fine : whether nothing stands out.
    sentence : what was found and, where it isn't fine, what to do.
    """

    name: str
    fine: bool
    sentence: str

    @property
    def word(self) -> str:
        return "fine" if self.fine else "look"


@dataclass(frozen=True)
class Checkup(Printed):
    """All that was looked at.

    Attributes
    ----------
    findings : in order.
    """

    findings: tuple[Finding, ...]

    @property
    def fine(self) -> bool:
        """Does nothing stand out?"""
        return all(each.fine for each in self.findings)

    @property
    def headline(self) -> str:
        """One sentence over all."""
        standing = [each.name for each in self.findings if not each.fine]
        if not standing:
            return f"Nothing stands out in {len(self.findings)} checks."
        return f"Look at {', '.join(standing)}: {len(standing)} of {len(self.findings)} checks."

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __getitem__(self, name: str) -> Finding:
        return next(each for each in self.findings if each.name == name)

    def to_frame(self) -> pd.DataFrame:
        """One row a check: fine, sentence."""
        rows = {each.name: (each.fine, each.sentence) for each in self.findings}
        return pd.DataFrame.from_dict(rows, orient="index", columns=["fine", "sentence"]).rename_axis("check")

    @property
    def page(self) -> Page:
        """What is printed."""
        return Page(self.to_frame().drop(columns="fine"), self.headline)

    def __repr__(self) -> str:
        width = max((len(each.name) for each in self.findings), default=0)
        lines = (f"{each.word}  {each.name:<{width}}  {each.sentence}" for each in self.findings)
        return "\n".join([self.headline, *lines])

    def _repr_html_(self) -> str:
        rows = ((each.name, each.word, each.sentence) for each in self.findings)
        return paragraph(self.headline, strong=True) + sentences(rows)
