"""What a certificate for anybody says."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from bayeslmm.markup import html_table, paragraph, sentences
from bayeslmm.parity.anybody.differences import Difference
from bayeslmm.printed import Page, Printed


@dataclass(frozen=True, eq=False)
class CertificateForAnybody(Printed):
    """A posterior density that somebody wrote, beside the model's.

    Attributes
    ----------
    differences : what theirs has in place of the model's, each with kind and sentence; empty if certified.
    points : one row a point: the variance parameters, ``theirs`` and ``ours``, the log integrals over β and b
        with what was declared as priors taken off, and their difference ``remainder``.
    precision_off, mean_off, density_off : largest relative differences of the precision and mean of (β, b)
        given the variance parameters, and of the log integrals.
    priors : the priors declared, by their variable or our label.
    uncompared : labels whose priors were given here and compared with nothing: no free variable of theirs is
        such a parameter itself, as where an sd is made of a free log sd.
    """

    differences: tuple[Difference, ...]
    points: pd.DataFrame
    precision_off: float
    mean_off: float
    density_off: float
    priors: Mapping[str, str]
    uncompared: tuple[str, ...] = ()

    @property
    def certified(self) -> bool:
        """Whether theirs is the model, under the priors it declares."""
        return not self.differences

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of the differences."""
        return tuple(dict.fromkeys(each.kind for each in self.differences))

    @property
    def sentence(self) -> str:
        """The finding in plain words."""
        measured = (
            f"over {len(self.points)} points, precision of (beta, b) {self.precision_off:.1e}, mean "
            f"{self.mean_off:.1e}, log density {self.density_off:.1e}"
        )
        if self.certified:
            return f"Certified: given its variance parameters theirs is the model ({measured}).{self._unseen}"
        found = "; ".join(f"{each.kind}: {each.sentence}" for each in self.differences)
        return f"Not certified. {found} ({measured}).{self._unseen}"

    @property
    def _unseen(self) -> str:
        """Which of the priors given weren't compared, and why."""
        if not self.uncompared:
            return ""
        return (
            f" The priors given for {', '.join(self.uncompared)} were compared with nothing: no free "
            "variable of theirs is that parameter itself."
        )

    def to_frame(self) -> pd.DataFrame:
        """One row a difference: kind and sentence."""
        rows = [(each.kind, each.sentence) for each in self.differences]
        return pd.DataFrame(rows, columns=["kind", "sentence"])

    @property
    def page(self) -> Page:
        """What is printed."""
        return Page(self.to_frame(), self.sentence)

    def __repr__(self) -> str:
        """Read as the sentence, then the priors."""
        priors = "\n".join(f"  {name} ~ {prior}" for name, prior in self.priors.items())
        return f"{self.sentence}\nPriors declared:\n{priors or '  none'}"

    def _repr_html_(self) -> str:
        """The finding, differences and priors in a notebook."""
        rows = ((each.kind, "", each.sentence) for each in self.differences)
        priors = ((name, "~", prior) for name, prior in self.priors.items())
        implied = html_table(self.points) if "prior" in self.kinds else ""
        return paragraph(self.sentence, strong=True) + sentences(rows) + sentences(priors) + implied
