"""Every interval that both paradigms offer, side by side, each against the likelihood's best."""

from collections.abc import Iterator
from inspect import signature
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from bayeslmm.errors import BayesLMMError
from bayeslmm.likelihood.fit import LikelihoodFit
from bayeslmm.likelihood.looked_at import DdfWord
from bayeslmm.parity.side_by_side import overlap, ratio
from bayeslmm.parity.sides import Side, Sides
from bayeslmm.spec.labels import kind_of

COLUMNS = ("label", "side", "method", "lower", "upper", "overlap", "width_ratio", "reason")
T, Z = "satterthwaite", "z"
PROFILE: Final = "profile"
BEST = {"beta": (T, Z), "ranef": (Z,)}  # of other kinds the profile


class Limits(NamedTuple):
    """One method's intervals: a frame of lower and upper by label, or why it has none."""

    side: str
    method: str
    frame: pd.DataFrame
    reason: str = ""


def interval_table(sides: Sides, fit: LikelihoodFit | str, prob: float) -> pd.DataFrame:
    """One row an estimand and method.

    Columns: `label, side, method, lower, upper`; `overlap` (intersection over union) with the likelihood's
    best interval and `width_ratio` to it: t for β, the profile's for sd, cor and sigma, z for random effects;
    `reason`, why a method has none, in a row without a label.
    """
    rows = pd.concat([_rows(limits) for limits in _all(sides, fit, prob)], ignore_index=True)
    best = _best(rows)
    ends = rows[["lower", "upper"]].to_numpy(float)
    against = rows["label"].map(best)
    compared = [
        (overlap(*own, *other), ratio(own[1] - own[0], other[1] - other[0]))
        if isinstance(other, tuple) and np.isfinite(own).all()
        else (np.nan, np.nan)
        for own, other in zip(ends, against, strict=True)
    ]
    rows[["overlap", "width_ratio"]] = np.array(compared).reshape(-1, 2)
    return rows[list(COLUMNS)]


def _all(sides: Sides, fit: LikelihoodFit | str, prob: float) -> Iterator[Limits]:
    if not isinstance(fit, str):
        yield Limits("likelihood", Z, fit.estimates(prob, ranef=True).frame)
        yield _of_beta(fit, "satterthwaite", prob)
        yield _of_beta(fit, "kenward-roger", prob)
        yield _profile(fit, prob)
    if sides.bootstrap:
        yield from _bootstraps(sides.bootstrap, prob)
    if sides.posterior:
        yield from _posteriors(sides.posterior, prob)


def _of_beta(fit: LikelihoodFit, method: DdfWord, prob: float) -> Limits:
    try:
        frame = fit.coef_table(method, prob)
    except BayesLMMError as error:
        return Limits("likelihood", method, _none(), str(error))
    return Limits("likelihood", method, frame.set_axis([f"beta[{name}]" for name in frame.index]))


def _profile(fit: LikelihoodFit, prob: float) -> Limits:
    if not fit.design.kernel.small:
        return Limits("likelihood", PROFILE, _none(), "left out: an evaluation is dear; see fit.confint")
    try:
        return Limits("likelihood", PROFILE, fit.confint(PROFILE, prob))
    except BayesLMMError as error:
        return Limits("likelihood", PROFILE, _none(), str(error))


def _bootstraps(side: Side, prob: float) -> Iterator[Limits]:
    """All kinds that the replicates allow; of a bare table the one it has."""
    from bayeslmm.likelihood.bootstrap.intervals.base import IntervalMethod

    if not hasattr(side.result, "confint"):
        yield Limits("bootstrap", side.table.interval, side.table.frame)
        return
    for method in IntervalMethod.kinds():
        try:
            yield Limits("bootstrap", method, side.result.confint(method, prob))
        except BayesLMMError as error:
            yield Limits("bootstrap", method, _none(), str(error))


def _posteriors(side: Side, prob: float) -> Iterator[Limits]:
    asked = getattr(side.result, "estimates", None)
    if asked is None or "interval" not in signature(asked).parameters:
        yield Limits("posterior", side.table.interval, side.table.frame)
        return
    for interval in ("eti", "hdi"):
        known = side.table if side.table.interval == interval else asked(prob, ranef=True, interval=interval)
        yield Limits("posterior", interval, known.frame)


def _rows(limits: Limits) -> pd.DataFrame:
    frame = limits.frame[["lower", "upper"]].astype(float).rename_axis("label").reset_index()
    told = frame if len(frame) else pd.DataFrame({"label": [""], "lower": np.nan, "upper": np.nan})
    return told.assign(side=limits.side, method=limits.method, reason=limits.reason)


def _best(rows: pd.DataFrame) -> dict[str, tuple[float, float]]:
    """The likelihood's best interval by label, where there is one."""
    own = rows[(rows["side"] == "likelihood") & rows["lower"].notna() & rows["upper"].notna()]
    out: dict[str, tuple[float, float]] = {}
    for label, part in own.groupby("label"):
        ends = part.set_index("method")[["lower", "upper"]]
        known = [method for method in BEST.get(kind_of(str(label)), (PROFILE,)) if method in ends.index]
        if known:
            lower, upper = ends.loc[[known[0]]].to_numpy(float)[0]
            out[str(label)] = (float(lower), float(upper))
    return out


def _none() -> pd.DataFrame:
    return pd.DataFrame({"lower": [], "upper": []}, dtype=float)
