"""One estimand as the tables compared have it: the values that a reader sees in one row."""

from dataclasses import dataclass
from math import isfinite, nan
from typing import Any

from bayeslmm.parity.sides import Sides

# Wald intervals of variance parameters are crude: the bootstrap's come first where there are any.
BOOTSTRAP_FIRST = ("sd", "cor", "sigma")


@dataclass(frozen=True, slots=True)
class SideBySide:
    """One estimand from both sides; NaN where a side says nothing.

    Attributes
    ----------
    label, kind : str
    source, interval : str
        Where the estimate comes from (``"REML"``) and what its interval is (``"wald"``).
    estimate, se, lower, upper : float
        The likelihood side.
    mean, median, sd, post_lower, post_upper, mcse, r_hat : float
        The posterior side.
    """

    label: str
    kind: str
    source: str
    interval: str
    estimate: float
    se: float
    lower: float
    upper: float
    mean: float
    median: float
    sd: float
    post_lower: float
    post_upper: float
    mcse: float
    r_hat: float

    @property
    def difference(self) -> float:
        """Posterior mean minus estimate."""
        return self.mean - self.estimate

    @property
    def scale(self) -> float:
        """Standard error of the estimate; the posterior sd where there is none."""
        return self.se if isfinite(self.se) and self.se > 0 else self.sd

    @property
    def std_diff(self) -> float:
        """Posterior mean minus estimate, in standard errors."""
        return ratio(self.difference, self.scale)

    @property
    def width_ratio(self) -> float:
        """Width of the posterior interval over that of the likelihood interval."""
        return ratio(self.post_upper - self.post_lower, self.upper - self.lower)


def ratio(a: float, b: float) -> float:
    """Divide; NaN for a zero or missing denominator."""
    return a / b if b and isfinite(b) else nan


def overlap(lower: float, upper: float, post_lower: float, post_upper: float) -> float:
    """Intersection over union of two intervals: 1 if equal, 0 if disjoint."""
    shared = max(0.0, min(upper, post_upper) - max(lower, post_lower))
    return ratio(shared, max(upper, post_upper) - min(lower, post_lower))


def side_by_side(label: str, sides: Sides) -> SideBySide:
    """What both sides say of one estimand."""
    estimate, posterior = _likelihood_side(label, sides), _posterior_side(label, sides)
    kind = estimate.pop("kind", None) or posterior.get("kind")
    posterior.pop("kind", None)
    empty = {"source": "REML", "interval": "", **dict.fromkeys(("estimate", "se", "lower", "upper"), nan)}
    return SideBySide(label=label, kind=str(kind), **{**empty, **estimate}, **posterior)


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
