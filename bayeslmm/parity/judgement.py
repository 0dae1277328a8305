"""From tables to verdicts: evidence is gathered estimand by estimand and judged."""

from collections.abc import Mapping
from math import isfinite, nan
from typing import Any

import pandas as pd

from bayeslmm.parity.sides import Sides
from bayeslmm.parity.table import all_labels
from bayeslmm.parity.verdicts.evidence import Evidence, VerdictOptions
from bayeslmm.parity.verdicts.precedence import judge

# Wald intervals of variance parameters are crude: the bootstrap's come first where there are any.
BOOTSTRAP_FIRST = ("sd", "cor", "sigma")


def judged(sides: Sides, options: VerdictOptions, pull: Mapping[str, float], problem: str) -> pd.DataFrame:
    """Judge every estimand.

    Parameters
    ----------
    sides : Sides
    options : VerdictOptions
    pull : mapping
        First-order pull of the priors by label.
    problem : str
        Why one side failed its own checks; empty if none did.

    Returns
    -------
    DataFrame, index ``label``
        ``kind, verdict, sentence``.
    """
    gathered = [gather(label, sides, pull.get(label, nan), problem) for label in all_labels(sides)]
    verdicts = [judge(evidence, options) for evidence in gathered]
    rows = {
        "kind": [evidence.kind for evidence in gathered],
        "verdict": [verdict.name for verdict in verdicts],
        "sentence": [v.sentence(e, options) for v, e in zip(verdicts, gathered, strict=True)],
    }
    return pd.DataFrame(rows, index=pd.Index([evidence.label for evidence in gathered], name="label"))


def gather(label: str, sides: Sides, pull: float = nan, problem: str = "") -> Evidence:
    """Collect what both sides say of one estimand."""
    estimate = _likelihood_side(label, sides)
    posterior = _posterior_side(label, sides)
    kind = estimate.pop("kind", None) or posterior.pop("kind", None)
    posterior.pop("kind", None)
    missing = "" if estimate else "the likelihood side has no value for it"
    empty = {"source": "REML", "interval": "", **dict.fromkeys(("estimate", "se", "lower", "upper"), nan)}
    return Evidence(
        label=label,
        kind=str(kind),
        **{**empty, **estimate},
        **posterior,
        prior_pull=pull,
        problem=missing or problem,
    )


def _likelihood_side(label: str, sides: Sides) -> dict[str, Any]:
    tables = [table for table in sides.likelihood if label in table]
    if not tables:
        return {}
    rows = [table.row(label) for table in tables]
    shown = _best_interval(rows)
    ses = (float(row["se"]) for row in rows)
    return {
        "kind": rows[0]["kind"],
        "source": tables[0].source,
        "interval": tables[shown].interval,
        "estimate": float(rows[0]["estimate"]),
        "se": next((se for se in ses if isfinite(se)), nan),
        "lower": float(rows[shown]["lower"]),
        "upper": float(rows[shown]["upper"]),
    }


def _best_interval(rows: list[dict[str, Any]]) -> int:
    order = list(range(len(rows)))
    if rows[0]["kind"] in BOOTSTRAP_FIRST:
        order.reverse()
    return next((i for i in order if isfinite(rows[i]["lower"]) and isfinite(rows[i]["upper"])), 0)


def _posterior_side(label: str, sides: Sides) -> dict[str, Any]:
    fields = ("mean", "median", "sd", "lower", "upper", "mcse", "r_hat")
    names = {"lower": "post_lower", "upper": "post_upper"}
    if sides.posterior is None or label not in sides.posterior.table:
        return {names.get(field, field): nan for field in fields}
    row = sides.posterior.table.row(label)
    return {"kind": row["kind"]} | {names.get(field, field): float(row[field]) for field in fields}
