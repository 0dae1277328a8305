"""The one thing engines hand to parity: a frozen table of estimates, one row per labelled estimand."""

from dataclasses import dataclass, replace
from typing import Any, Self

import pandas as pd

from bayeslmm.markup import paragraph
from bayeslmm.printed import Page, Printed, screen_html, screen_text

LIKELIHOOD_COLUMNS = ("kind", "estimate", "se", "lower", "upper")
POSTERIOR_COLUMNS = (
    "kind",
    "mean",
    "median",
    "sd",
    "lower",
    "upper",
    "mcse",
    "ess_bulk",
    "ess_tail",
    "r_hat",
)


@dataclass(frozen=True, eq=False)
class EstimateTable(Printed):
    """What an engine estimated, one row per estimand.

    Attributes
    ----------
    frame : DataFrame, index ``label``
        Likelihood side: ``kind, estimate, se, lower, upper`` (a bootstrap adds ``bias, n_ok``).
        Posterior side: ``kind, mean, median, sd, lower, upper, mcse, ess_bulk, ess_tail, r_hat``.
        Further columns are carried along. NaN means that the engine has no value.
    source : str
        ``"REML"``, ``"ML"``, ``"bootstrap"`` or ``"posterior"``.
    interval : str
        Of ``lower`` and ``upper``: ``"wald"``, ``"profile"``, ``"percentile"``, ``"eti"``, ... or ``"none"``.
    prob : float
        Probability of the interval.
    notes : tuple of str
        What the numbers don't say, as why a limit is missing; shown below them.

    Raises
    ------
    ValueError
        If a label repeats, a column is missing or ``prob`` is not inside (0, 1).
    """

    frame: pd.DataFrame
    source: str
    interval: str
    prob: float
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check the columns and keep a copy of the frame."""
        required = POSTERIOR_COLUMNS if self.is_posterior else LIKELIHOOD_COLUMNS
        missing = [column for column in required if column not in self.frame.columns]
        repeated = self.frame.index[self.frame.index.duplicated()].tolist()
        if missing or repeated:
            raise ValueError(f"a {self.source} table lacks {missing} or repeats {repeated[:3]}")
        if not 0 < self.prob < 1:
            raise ValueError(f"an interval's probability lies between 0 and 1, got {self.prob}")
        object.__setattr__(self, "frame", self.frame.rename_axis("label").copy())

    @property
    def is_posterior(self) -> bool:
        """Whether rows are posterior summaries (else estimates)."""
        return self.source == "posterior"

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of the rows, in order."""
        return tuple(self.frame.index)

    def row(self, label: str) -> dict[str, Any]:
        """Give one estimand's values by column."""
        return dict(zip(self.frame.columns, self.frame.loc[[label]].to_numpy(dtype=object)[0], strict=True))

    def __contains__(self, label: str) -> bool:
        """Whether the engine has this estimand."""
        return label in self.frame.index

    def to_frame(self) -> pd.DataFrame:
        """Copy the rows, with ``source``, ``interval`` and ``prob`` as columns."""
        return self.frame.assign(source=self.source, interval=self.interval, prob=self.prob)

    @property
    def page(self) -> Page:
        """What is printed."""
        return Page(self.frame.drop(columns="kind"), self._caption(), self.notes)

    def select(self, *kinds: str) -> Self:
        """Keep the rows of these kinds (``"beta"``, ``"sd"``, ``"cor"``, ``"sigma"``, ``"ranef"``)."""
        return self._keep(self.frame["kind"].isin(kinds))

    def relabel(self, names: dict[str, str]) -> Self:
        """Show the same rows under other labels: ``{label here: label there}``."""
        return replace(self, frame=self.frame.rename(index=names))

    def __len__(self) -> int:
        """Count the estimands."""
        return len(self.frame)

    def __repr__(self) -> str:
        """Read as text."""
        body = screen_text(self.frame, na_rep="NaN")
        return "\n".join([self._caption(), body, *self.notes])

    def _repr_html_(self) -> str:
        """Read as a table in a notebook."""
        return "".join([paragraph(self._caption()), screen_html(self.frame), *map(paragraph, self.notes)])

    def _caption(self) -> str:
        intervals = "" if self.interval == "none" else f", {100 * self.prob:g} % {self.interval} intervals"
        return f"{self.source}: {len(self)} estimands{intervals}"

    def _keep(self, mask: "pd.Series[bool]") -> Self:
        return replace(self, frame=self.frame.loc[mask])
