"""The certificate: its lines, and what they say together."""

from dataclasses import dataclass

import pandas as pd

from bayeslmm.markup import paragraph, sentences
from bayeslmm.parity.certificate.line import Line
from bayeslmm.printed import Page, Printed


@dataclass(frozen=True, eq=False)
class Certificate(Printed):
    """That both engines hold the model as it was written: witnesses that could have disagreed, line by line.

    Attributes
    ----------
    lines : tuple of Line
        ``explicit graph``: its own integral against the kernel's marginal likelihood. ``priors``: the log
        prior of each free variable of both graphs against SciPy's density. ``marginal graph``: its log
        density, as it is sampled, against kernel, priors and Jacobian. ``theorem``: the explicit graph's flat
        integral at the REML optimum. ``design``: the rows rebuilt from the data by other code. Each has a
        name, its points, the largest difference, what is allowed, whether it passed, a sentence, a frame.
    about : what was certified where it isn't the whole model, such as a part of its levels; empty otherwise.
    """

    lines: tuple[Line, ...]
    about: str = ""

    def __getitem__(self, name: str) -> Line:
        """One line by its name."""
        return next(line for line in self.lines if line.name == name)

    @property
    def passed(self) -> bool:
        """Whether every line that could be computed passed."""
        return all(line.ok is not False for line in self.lines)

    @property
    def points(self) -> pd.DataFrame:
        """The first line's points: coordinates, both sides' log densities, deviations."""
        return self.lines[0].frame

    @property
    def max_deviation(self) -> float:
        """Largest ``|graph − kernel| / max(1, |kernel|)`` of the explicit graph's integrals."""
        return float(self.points["density_deviation"].max(skipna=False))

    @property
    def max_effect_deviation(self) -> float:
        """Largest difference of their random effects and beta, in units of the largest of them."""
        return float(self.points["effect_deviation"].max(skipna=False))

    @property
    def tolerance(self) -> float:
        """Of the first line."""
        return self.lines[0].tolerance

    @property
    def sentence(self) -> str:
        """One plain sentence for the report, then those of the lines that failed."""
        failed = [line for line in self.lines if line.ok is False]
        if failed:
            names = ", ".join(line.name for line in failed)
            found = " ".join(line.sentence for line in failed)
            return f"The two engines do not hold the same model ({names}). {found}"
        computed = [line for line in self.lines if line.ok]
        worst = ", ".join(f"{line.name} {line.worst:.1e}" for line in computed)
        n = sum(line.points for line in computed)
        about = f" ({self.about})" if self.about else ""
        return (
            f"The PyMC graphs as they are sampled and the likelihood engine agree{about}: {n} comparisons, "
            f"largest differences: {worst}."
        )

    def to_frame(self) -> pd.DataFrame:
        """One row a line: result, points, largest difference, what is allowed, sentence."""
        rows = [
            (line.name, line.word, line.points, line.worst, line.tolerance, line.sentence)
            for line in self.lines
        ]
        columns = ["line", "result", "points", "worst", "tolerance", "sentence"]
        return pd.DataFrame(rows, columns=columns).set_index("line")

    @property
    def _head(self) -> str:
        return f"Certificate: {'passed' if self.passed else 'FAILED'}"

    @property
    def page(self) -> Page:
        """What is printed."""
        return Page(self.to_frame(), self._head, (self.about,) if self.about else ())

    def __repr__(self) -> str:
        """Read as the sentence."""
        return f"Certificate({'passed' if self.passed else 'FAILED'}: {self.sentence})"

    def _repr_html_(self) -> str:
        """A table of the lines in a notebook."""
        rows = ((line.name, line.word, line.sentence) for line in self.lines)
        return paragraph(self._head, strong=True) + paragraph(self.about) + sentences(rows)
