"""The long table: one row per estimand and likelihood interval, the posterior beside it."""

from math import isfinite, nan
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayeslmm.estimands.headed import HeadedTable
from bayeslmm.estimands.table import EstimateTable
from bayeslmm.markup import html_table, paragraph
from bayeslmm.parity.side_by_side import overlap, ratio
from bayeslmm.parity.sides import Sides
from bayeslmm.printed import Page
from bayeslmm.render.numbers import fixed, rounded
from bayeslmm.spec.labels import KINDS, beta_labels

if TYPE_CHECKING:
    from collections.abc import Sequence

LIKELIHOOD = ("estimate", "se", "interval", "prob", "lower", "upper")
POSTERIOR = (
    "mean",
    "median",
    "sd",
    "post_interval",
    "post_lower",
    "post_upper",
    "mcse",
    "ess_bulk",
    "ess_tail",
    "r_hat",
)
COMPARED = ("std_diff", "std_diff_mcse", "overlap", "width_ratio", "verdict")
MOST_SHOWN = 60  # rows in a notebook
COLUMNS = ("label", "kind", *LIKELIHOOD, *POSTERIOR, *COMPARED)


class LongTable(HeadedTable):
    """The long table; printed, and in a notebook, as wide as a page and rounded to what errors are worth."""

    @property
    def page(self) -> Page:
        """What is printed: six columns, all rows."""
        return Page(_short(self), self.attrs.get("heading", ""))

    __repr__ = __str__ = pd.DataFrame.__repr__

    def _repr_html_(self) -> str:
        if not set(COLUMNS) <= set(self.columns):
            return html_table(pd.DataFrame(self))
        n, shown = len(self), _short(self.head(MOST_SHOWN))
        more = f"{MOST_SHOWN} of {n} rows, " if n > MOST_SHOWN else ""
        note = f"{more}{len(self.columns)} columns; all of them with to_csv() or by name."
        return html_table(shown) + paragraph(note)


def _short(frame: pd.DataFrame) -> pd.DataFrame:
    shown = pd.DataFrame([_told(row) for row in frame.to_dict("records")])
    return shown.set_index("label") if len(shown) else shown


def _told(row: dict[Any, Any]) -> dict[str, str]:
    """One row in six columns."""
    scale = max(filter(isfinite, (row["se"], row["sd"])), default=nan)
    kind = row["interval"] if isinstance(row["interval"], str) else ""
    return {
        "label": str(row["label"]),
        "verdict": str(row["verdict"]),
        "estimate (se)": _both(row["estimate"], row["se"], scale),
        "interval": f"{_ends(row['lower'], row['upper'], scale)} {kind}".strip(),
        "mean (sd)": _both(row["mean"], row["sd"], scale),
        "posterior interval": _ends(row["post_lower"], row["post_upper"], scale),
        "width": fixed(row["width_ratio"], 2) if isfinite(row["width_ratio"]) else "",
    }


def _both(value: float, error: float, scale: float) -> str:
    if not isfinite(value):
        return ""
    return f"{rounded(value, scale)} ({rounded(error, scale)})" if isfinite(error) else rounded(value, scale)


def _ends(lower: float, upper: float, scale: float) -> str:
    return f"{rounded(lower, scale)} to {rounded(upper, scale)}" if isfinite(lower + upper) else ""


def long_table(sides: Sides, verdicts: "pd.Series[str]") -> LongTable:
    """Lay the sides beside each other.

    Parameters
    ----------
    sides : Sides
    verdicts : Series
        Verdict by label.

    Returns
    -------
    LongTable
        A DataFrame with the columns ``COLUMNS``. Estimands in the order beta, sd, cor, sigma, ranef, each
        with one row per likelihood interval, or one row if only the posterior knows it.
    """
    labels = all_labels(sides)
    tables: Sequence[EstimateTable] = sides.likelihood or (_nothing(sides),)
    rows = pd.concat([_likelihood_rows(table, number) for number, table in enumerate(tables)])
    rows = _with_t(rows, sides)
    rows = pd.concat([rows, _unmatched(labels, rows)])
    rows = rows.join(posterior_columns(sides)).rename_axis("label").reset_index()
    rows["verdict"] = rows["label"].map(verdicts)
    order = pd.Index(labels).get_indexer(pd.Index(rows["label"]))
    rows = rows.iloc[np.lexsort((rows["number"], order))].reset_index(drop=True)
    return LongTable.of(_with_differences(rows)[list(COLUMNS)], "Both paradigms side by side")


def all_labels(sides: Sides) -> list[str]:
    """Labels on either side, in the order of kinds and, within a kind, of appearance."""
    kinds = pd.concat([side.table.frame["kind"] for side in sides.present()])
    kinds = kinds[~kinds.index.duplicated()]
    rank = kinds.map({kind: number for number, kind in enumerate(KINDS)}).fillna(len(KINDS))
    return list(kinds.index[np.argsort(rank.to_numpy(), kind="stable")])


def posterior_columns(sides: Sides) -> pd.DataFrame:
    """Posterior summaries under the names they have beside the likelihood's; empty without a posterior."""
    if sides.posterior is None:
        return pd.DataFrame(columns=[*POSTERIOR, "post_kind"])
    table = sides.posterior.table
    ends = {"lower": "post_lower", "upper": "post_upper", "kind": "post_kind"}
    frame = table.frame.rename(columns=ends).assign(post_interval=table.interval)
    return frame[[*POSTERIOR, "post_kind"]]


def _nothing(sides: Sides) -> EstimateTable:
    frame = pd.DataFrame({"kind": [], "estimate": [], "se": [], "lower": [], "upper": []}, dtype=float)
    prob = next(side.table.prob for side in sides.present())
    return EstimateTable(frame, "none", "none", prob)


def _likelihood_rows(table: EstimateTable, number: int) -> pd.DataFrame:
    columns = ["kind", "estimate", "se", "lower", "upper"]
    return table.frame[columns].assign(interval=table.interval, prob=table.prob, number=number)


def _with_t(rows: pd.DataFrame, sides: Sides) -> pd.DataFrame:
    """Fixed effects with Satterthwaite's t intervals, where the fit is at hand and they cost little."""
    from bayeslmm.likelihood.fit import LikelihoodFit

    fit = sides.fit.result if sides.fit else None
    if not isinstance(fit, LikelihoodFit) or not fit.design.kernel.small:
        return rows
    t = fit.coef_table(prob=rows["prob"].iloc[0]).set_axis(list(beta_labels(fit.design)))
    own = rows.index.isin(t.index) & (rows["number"] == 0)
    found = t.loc[rows.index[own], ["lower", "upper"]].to_numpy()
    rows.loc[own, ["lower", "upper"]] = found
    rows.loc[own, "interval"] = "t"
    return rows


def _unmatched(labels: list[str], rows: pd.DataFrame) -> pd.DataFrame:
    only_posterior = [label for label in labels if label not in rows.index]
    return pd.DataFrame({"number": 0.0, "estimate": nan}, index=only_posterior)


def _with_differences(rows: pd.DataFrame) -> pd.DataFrame:
    se = rows["se"].where(rows["se"] > 0)
    ends = rows[["lower", "upper", "post_lower", "post_upper"]].astype(float).to_numpy()
    return rows.assign(
        kind=rows["kind"].astype(object).fillna(rows["post_kind"].astype(object)),
        std_diff=(rows["mean"] - rows["estimate"]) / se,
        std_diff_mcse=rows["mcse"] / se,
        overlap=[overlap(*row) if np.isfinite(row).all() else nan for row in ends],
        width_ratio=[ratio(row[3] - row[2], row[1] - row[0]) for row in ends],
    )
