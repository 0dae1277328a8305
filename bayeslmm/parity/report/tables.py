"""The report's words and numbers, rounded for reading."""

from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from bayeslmm.parity.checks import likelihood_facts, posterior_facts
from bayeslmm.parity.comparison import Comparison
from bayeslmm.parity.side_by_side import side_by_side
from bayeslmm.parity.table import all_labels
from bayeslmm.parity.verdicts.base import Verdict
from bayeslmm.render.numbers import fixed, percent, rounded, significant
from bayeslmm.render.style import KIND_TITLES

type Facts = list[tuple[str, str]]

INTERVALS = {
    "wald": "normal theory (on a log or atanh scale for variance parameters)",
    "t": "Student's t with Satterthwaite's degrees of freedom",
    "profile": "from the likelihood's profile",
    "percentile": "quantiles of the parametric bootstrap",
    "eti": "the posterior's equal-tailed interval",
    "hdi": "the posterior's highest-density interval",
}

MOST_EFFECTS = 500  # beyond which the certificate is computed only when asked for

SAMPLING_COLUMNS = ("Estimand", "MCSE", "MCSE / sd", "ESS bulk", "ESS tail", "R-hat")
RANEF_COLUMNS = ("Random effect", "BLUP", "Interval", "Posterior mean", "Interval", "Δ / se", "Verdict")


def tables_of(parity: Comparison) -> dict[str, Any]:
    """Give everything on the page that is not a figure."""
    return {
        "formula": parity.formula,
        "headline": parity.verdicts.headline,
        "verdicts": _verdicts(parity),
        "data_facts": _data_facts(parity),
        "reading": _reading(parity),
        "columns": _columns(parity),
        "estimates": _estimates(parity),
        "thresholds": [(name.replace("_", " "), _plain(x)) for name, x in asdict(parity.options).items()],
        "ranef": _ranef(parity),
        "ranef_columns": RANEF_COLUMNS,
        "certificate": _certificate(parity),
        "no_certificate": _no_certificate(parity),
        "likelihood_facts": likelihood_facts(parity.sides),
        "posterior_facts": posterior_facts(parity.sides),
        "sampling": _sampling(parity),
        "sampling_columns": SAMPLING_COLUMNS,
        "priors": _priors(parity),
        "manifest_facts": _manifest(parity),
        "manifest_json": parity.manifest.to_json(),
    }


def tone(verdict: str) -> str:
    """Colour class of a verdict: good, explained, open or bad."""
    if verdict in ("agree", "disagree"):
        return "good" if verdict == "agree" else "bad"
    return "explained" if Verdict.kinds()[verdict].good else "open"


def _badge(verdict: str) -> dict[str, str]:
    return {"name": verdict, "tone": tone(verdict)}


def _verdicts(parity: Comparison) -> list[dict[str, Any]]:
    frame = parity.verdicts.frame
    return [
        {
            **_badge(name),
            "count": count,
            "meaning": Verdict.kinds()[name].meaning,
            "shown": _pairs(frame[(frame["verdict"] == name) & (frame["kind"] != "ranef")]),
            "folded": _pairs(frame[(frame["verdict"] == name) & (frame["kind"] == "ranef")]),
        }
        for name, count in parity.verdicts.counts.items()
    ]


def _pairs(frame: pd.DataFrame) -> Facts:
    return list(zip(map(str, frame.index), map(str, frame["sentence"]), strict=True))


def _data_facts(parity: Comparison) -> Facts:
    design = parity.sides.find("design")
    if design is None:
        return [("Formula", parity.formula)]
    facts = [
        ("Response", design.response),
        (
            "Rows",
            f"{design.n}" + (f" ({design.n_missing} dropped for missing values)" if design.n_missing else ""),
        ),
        ("Fixed effects", f"{design.p}: {', '.join(design.coefs)}"),
        ("Random effects", f"{design.q}"),
    ]
    groups = [
        (f"Group {block.group}", f"{block.n_levels} levels; {', '.join(block.coefs)}")
        for block in design.blocks
    ]
    dropped = [("Dropped columns", ", ".join(design.dropped))] if design.dropped else []
    weighted = [] if design.residual.is_identity else [("Residual", design.residual.description)]
    offset = [("Offset", "yes")] if np.any(design.offset) else []
    return [*facts, *groups, *dropped, *weighted, *offset]


def _reading(parity: Comparison) -> str:
    kinds = {*parity.table["interval"].dropna(), *parity.table["post_interval"].dropna()}
    named = "; ".join(f"{kind} is {meaning}" for kind, meaning in INTERVALS.items() if kind in kinds)
    return (
        "Δ / se is posterior mean minus estimate, in standard errors of the estimate. Overlap is the "
        "intervals' intersection over their union; width is posterior over likelihood. "
        f"Of the intervals, {named}."
    )


def _columns(parity: Comparison) -> tuple[str, ...]:
    source = parity.sides.likelihood[0].source if parity.sides.likelihood else "Estimate"
    interval = f"{percent(parity.prob)} interval"
    post = parity.sides.posterior.table.interval if parity.sides.posterior else ""
    return (
        "Estimand",
        f"{source} (se)",
        interval,
        "Posterior mean (sd)",
        "Median",
        f"{percent(parity.prob)} {post or 'interval'}",
        "Δ / se",
        "Overlap",
        "Width",
        "Verdict",
    )


def _estimates(parity: Comparison) -> list[dict[str, Any]]:
    labels = [label for label in all_labels(parity.sides) if not label.startswith("ranef[")]
    rows = [_row(parity, label) for label in labels]
    kinds = dict.fromkeys(row["kind"] for row in rows)
    return [
        {"title": KIND_TITLES.get(kind, kind), "rows": [row for row in rows if row["kind"] == kind]}
        for kind in kinds
    ]


def _row(parity: Comparison, label: str) -> dict[str, Any]:
    e = side_by_side(label, parity.sides)
    intervals = _intervals(parity, label)
    texts = [
        [_with_error(e.estimate, e.se, e.scale)],
        [_interval(row["lower"], row["upper"], e.scale) for row in intervals],
        [_with_error(e.mean, e.sd, e.scale)],
        [rounded(e.median, e.scale)],
        [_interval(e.post_lower, e.post_upper, e.scale)],
        [_two_places(e.std_diff)],
        [percent(row["overlap"]) for row in intervals],
        [_two_places(row["width_ratio"]) for row in intervals],
    ]
    cells = [[(text, "") for text in texts_of_cell] for texts_of_cell in texts]
    cells[1] = [(text, row["interval"]) for text, row in zip(texts[1], intervals, strict=True)]
    return {"label": label, "kind": e.kind, "cells": cells, "verdict": _badge(parity.verdicts[label])}


def _intervals(parity: Comparison, label: str) -> list[dict[Any, Any]]:
    """The likelihood's intervals of one estimand, those it has."""
    rows = parity.table[parity.table["label"] == label]
    records: list[dict[Any, Any]] = rows.dropna(subset=["lower", "upper"]).to_dict("records")
    return records


def _two_places(value: float) -> str:
    return fixed(value, 2) if np.isfinite(value) else ""


def _ranef(parity: Comparison) -> list[dict[str, Any]]:
    frame = parity.verdicts.frame
    labels = [str(label) for label in frame.index[frame["kind"] == "ranef"]]
    groups = dict.fromkeys(map(_group, labels))
    return [
        {"name": group, "rows": [_ranef_row(parity, label) for label in labels if _group(label) == group]}
        for group in groups
    ]


def _group(label: str) -> str:
    return label.removeprefix("ranef[").partition("=")[0]


def _ranef_row(parity: Comparison, label: str) -> dict[str, Any]:
    e = side_by_side(label, parity.sides)
    cells = [
        rounded(e.estimate, e.scale),
        _interval(e.lower, e.upper, e.scale),
        rounded(e.mean, e.scale),
        _interval(e.post_lower, e.post_upper, e.scale),
        _two_places(e.std_diff),
    ]
    return {"label": label, "cells": cells, "verdict": _badge(parity.verdicts[label])}


def _no_certificate(parity: Comparison) -> str:
    """Why the page has no certificate; empty if it has one."""
    design = parity.sides.find("design")
    if design is None:
        return "None: only tables were compared, without their model."
    if design.p + design.q > MOST_EFFECTS and "certificate" not in vars(parity):
        return (
            f"Not computed: with {design.p + design.q} effects the graph's dense integral takes long. "
            "Ask for par.certificate before the report to have it here."
        )
    return ""


def _certificate(parity: Comparison) -> dict[str, Any] | None:
    if _no_certificate(parity):
        return None
    certificate = parity.certificate
    return {
        "verdict": {"name": "passed", "tone": "good"}
        if certificate.passed
        else {"name": "failed", "tone": "bad"},
        "sentence": certificate.sentence,
        "columns": [name.replace("_", " ") for name in certificate.points.columns],
        "rows": [
            [_exact(name, x) for name, x in row.items()] for row in certificate.points.to_dict("records")
        ],
    }


def _exact(column: object, value: float) -> str:
    if str(column) == "deviation":
        return f"{value:.1e}"
    return fixed(value, 6) if str(column).startswith(("graph", "kernel")) else significant(value, 4)


def _sampling(parity: Comparison) -> list[list[str]]:
    if parity.sides.posterior is None:
        return []
    frame = parity.sides.posterior.table.frame
    return [_sampling_row(str(label), row) for label, row in frame[frame["kind"] != "ranef"].iterrows()]


def _sampling_row(label: str, row: Any) -> list[str]:
    ess = [fixed(row[name], 0) if np.isfinite(row[name]) else "–" for name in ("ess_bulk", "ess_tail")]
    ratio = percent(row["mcse"] / row["sd"]) if row["sd"] > 0 else "–"
    return [label, significant(row["mcse"], 2), ratio, *ess, significant(row["r_hat"], 4)]


def _priors(parity: Comparison) -> Facts:
    priors = parity.sides.find("priors")
    if priors is None:
        return []
    frame = priors.to_frame()
    last = frame.columns[-1]
    return [(str(label), str(row[last])) for label, row in frame.iterrows()]


def _manifest(parity: Comparison) -> Facts:
    manifest = parity.manifest.to_dict()
    packages = ", ".join(f"{name} {version}" for name, version in manifest["versions"].items())
    seeds = ", ".join(f"{role} {seed}" for role, seed in manifest["seeds"].items())
    return [
        ("Formula", manifest["formula"]),
        ("Data hash", manifest["data_hash"]),
        ("Seeds", seeds or "none"),
        ("Versions", packages),
        ("Python", manifest["python"]),
        ("Platform", manifest["platform"]),
        ("Written", manifest["created"]),
    ]


def _plain(value: Any) -> str:
    return " to ".join(f"{part:g}" for part in value) if isinstance(value, tuple) else f"{value:g}"


def _with_error(value: float, error: float, scale: float) -> str:
    return (
        f"{rounded(value, scale)} ({rounded(error, scale)})" if np.isfinite(error) else rounded(value, scale)
    )


def _interval(lower: float, upper: float, scale: float) -> str:
    if not (np.isfinite(lower) and np.isfinite(upper)):
        return ""
    return f"{rounded(lower, scale)} to {rounded(upper, scale)}"
