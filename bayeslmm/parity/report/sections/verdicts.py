"""Every estimand with its verdict, worst first."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd

from bayeslmm.parity.comparison import Comparison
from bayeslmm.parity.report.cells import badge, interval, two_places, with_error
from bayeslmm.parity.report.sections.base import ReportSection
from bayeslmm.parity.side_by_side import side_by_side
from bayeslmm.parity.verdicts.base import Verdict
from bayeslmm.render.numbers import percent
from bayeslmm.render.page.blocks import Block, Cell, Facts, Folded, Sentences, Table, Text

MOST = 400  # random effects of a group that are shown

INTERVALS = {
    "wald": "normal theory (on a log or atanh scale for variance parameters)",
    "t": "Student's t with Satterthwaite's degrees of freedom",
    "profile": "from the likelihood's profile",
    "percentile": "quantiles of the parametric bootstrap",
    "eti": "the posterior's equal-tailed interval",
    "hdi": "the posterior's highest-density interval",
}


class VerdictSection(ReportSection):
    """The table, the sentences behind it, the random effects."""

    name = "verdicts"
    place = 20
    title = "Both paradigms side by side"
    short = "Verdicts"

    def blocks(self, parity: Comparison) -> Iterator[Block]:
        parameters = worst_first(parity.verdicts.parameters)
        yield Text(_reading(parity), "soft")
        yield parameter_table(parity)
        if not parity.verdicts.uncompared:
            yield Sentences(tuple(_sentence(str(label), row) for label, row in parameters.iterrows()))
        yield from _effects(parity)
        yield Folded("What the verdicts mean, and their thresholds", _legend(parity))


def worst_first(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows of verdicts: what is not explained, what the run check stops at, then by size; agreement last."""
    verdict, check = frame["verdict"].map(str), frame["run_check"].map(str)
    good = verdict.map(lambda name: Verdict.kinds()[name].good)
    order = pd.DataFrame(
        {
            "good": good,
            "checked": check.isin(["", "passed"]),
            "agree": verdict == "agree",
            "size": -frame["size"].abs().fillna(0.0),
        }
    )
    return frame.loc[order.sort_values(["good", "checked", "agree", "size"], kind="stable").index]


def parameter_table(parity: Comparison) -> Table:
    """Parameters and what a user follows, worst first."""
    frame = worst_first(parity.verdicts.parameters)
    return _table(parity, "Parameters by verdict", frame)


def _table(parity: Comparison, name: str, frame: pd.DataFrame) -> Table:
    own = parity.table[parity.table["label"].isin(frame.index)]
    rows: dict[str, list[dict[Any, Any]]] = {
        str(label): part.to_dict("records") for label, part in own.groupby("label")
    }
    told = tuple(_row(parity, str(label), row, rows.get(str(label), [])) for label, row in frame.iterrows())
    choices = tuple(dict.fromkeys(map(str, frame["verdict"])))
    return Table(name, _columns(parity), told, tools=True, choices=choices if len(choices) > 1 else ())


def _columns(parity: Comparison) -> tuple[str, ...]:
    source = parity.sides.likelihood[0].source if parity.sides.likelihood else "Estimate"
    post = parity.sides.posterior.table.interval if parity.sides.posterior else "interval"
    prob = percent(parity.prob)
    return (
        "Estimand",
        "Verdict",
        f"{source} (se)",
        f"{prob} interval",
        "Posterior mean (sd)",
        f"{prob} {post}",
        "Δ / sd",
        "Width",
        "Run check",
    )


def _row(
    parity: Comparison, label: str, row: "pd.Series[Any]", intervals: list[dict[Any, Any]]
) -> tuple[Cell, ...]:
    e = parity.followed.get(label) or side_by_side(label, parity.sides)
    told = intervals or [{name: getattr(e, name) for name in ("interval", "lower", "upper", "width_ratio")}]
    known = [each for each in told if pd.notna(each["lower"]) and pd.notna(each["upper"])]
    ratios = tuple(two_places(each["width_ratio"]).lines[0] for each in known)
    return (
        Cell((label,)),
        Cell((), badge=badge(str(row["verdict"]))),
        with_error(e.estimate, e.se, e.scale),
        Cell(
            tuple(interval(each["lower"], each["upper"], e.scale) for each in known) or ("",),
            tuple(str(each["interval"]) for each in known),
        ),
        with_error(e.mean, e.sd, e.scale),
        Cell((interval(e.post_lower, e.post_upper, e.scale),)),
        two_places(row["size"]),
        Cell(ratios or ("",), value=known[0]["width_ratio"] if known else float("nan")),
        Cell((str(row["run_check"]),)),
    )


def _sentence(label: str, row: "pd.Series[Any]") -> tuple[str, Any, str]:
    advice = "" if row["verdict"] == "agree" or not row["next_step"] else f" Next: {row['next_step']}."
    return label, badge(str(row["verdict"])), f"{row['sentence']}{advice}"


def _effects(parity: Comparison) -> Iterator[Block]:
    """Random effects, a folded table a grouping factor."""
    frame = parity.verdicts.frame
    effects = worst_first(frame[frame["kind"] == "ranef"])
    groups = [str(label).removeprefix("ranef[").partition("=")[0] for label in effects.index]
    for group, part in effects.groupby(pd.Index(groups), sort=False):
        n, shown = len(part), part.iloc[:MOST]
        which = f"The {n}" if n <= MOST else f"{MOST} of the {n}, worst first,"
        yield Folded(
            f"{which} random effects of {group}", (_table(parity, f"Random effects of {group}", shown),)
        )


def _legend(parity: Comparison) -> tuple[Block, ...]:
    found: Sequence[str] = tuple(parity.verdicts.counts)
    meanings = tuple((name, badge(name), f"{Verdict.kinds()[name].meaning}.") for name in found)
    thresholds = tuple(
        (name.replace("_", " "), _plain(each)) for name, each in asdict(parity.options).items()
    )
    return Sentences(meanings), Facts(thresholds)


def _plain(value: Any) -> str:
    return " to ".join(f"{part:g}" for part in value) if isinstance(value, tuple) else f"{value:g}"


def _reading(parity: Comparison) -> str:
    kinds = {*parity.table["interval"].dropna(), *parity.table["post_interval"].dropna()}
    named = "; ".join(f"{kind} is {meaning}" for kind, meaning in INTERVALS.items() if kind in kinds)
    return (
        "Worst first. Δ / sd is posterior mean minus estimate in units of the larger of standard error and "
        "posterior sd; width is that of the posterior interval over each of the others. Of the intervals, "
        f"{named}."
    )
