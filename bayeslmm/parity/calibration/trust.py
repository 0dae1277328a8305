"""How a method did for one estimand, and which of them is to be trusted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayeslmm.parity.calibration.methods.base import Said

type Array = NDArray[np.float64]

SURE = 2.5758  # Monte Carlo errors from the nominal probability, beyond which coverage is off
TELLING = 0.01  # Monte Carlo error of coverage with which methods can be told apart
WORSE = 2.0  # times the best mean score, from which on a method is worse whatever its error
USELESS = 10.0  # times the median width, beyond which an interval says nothing


@dataclass(frozen=True, slots=True)
class Share:
    """A share of n data sets, with its Monte Carlo error."""

    value: float
    n: int

    @classmethod
    def of(cls, hits: Array) -> "Share":
        """Of zeros and ones, NaN where nothing was said."""
        there = hits[np.isfinite(hits)]
        return cls(float(there.mean()) if len(there) else np.nan, len(there))

    @property
    def mcse(self) -> float:
        """Of the share with two hits and two misses added, which is never 0 (Agresti & Coull 1998)."""
        near = (self.value * self.n + 2) / (self.n + 4)
        return float(np.sqrt(near * (1 - near) / (self.n + 4)))


@dataclass(frozen=True, slots=True, eq=False)
class Performance:
    """How a method did for one estimand.

    Attributes
    ----------
    covers, rejects : shares of data sets. widths, errors : (·,) of the intervals and estimates there are.
    scores : (n,) of the intervals, NaN where there is none.
    """

    covers: Share
    rejects: Share
    widths: Array
    scores: Array
    errors: Array

    @classmethod
    def of(cls, said: Said, i: int, truth: Array, prob: float) -> "Performance":
        """Of what was said of the i-th estimand, whose truth is (n,)."""
        lower, upper = said.lower[:, i], said.upper[:, i]
        outside = np.maximum(lower - truth, 0.0) + np.maximum(truth - upper, 0.0)
        scores = upper - lower + 2 / (1 - prob) * outside
        shares = (Share.of(said.covers[:, i]), Share.of(said.rejects[:, i]))
        return cls(*shares, _there(upper - lower), scores, _there(said.point[:, i] - truth))

    @property
    def width(self) -> float:
        """Their median: a few intervals without end, of a t with hardly any df, make a mean of no use."""
        return float(np.median(self.widths)) if len(self.widths) else np.nan

    def row(self, fixed: bool) -> dict[str, float]:
        """Of the table; tests are those of fixed effects."""
        squares = self.errors**2
        rmse = float(np.sqrt(_mean(squares)))
        test = self.rejects if fixed else Share(np.nan, 0)
        return {
            "n": self.covers.n,
            "coverage": self.covers.value,
            "coverage_mcse": self.covers.mcse,
            "width": _mean(self.widths),
            "width_mcse": _mcse(self.widths),
            "width_median": self.width,
            "score": _mean(_there(self.scores)),
            "score_mcse": _mcse(_there(self.scores)),
            "bias": _mean(self.errors),
            "bias_mcse": _mcse(self.errors),
            "rmse": rmse,
            "rmse_mcse": _mcse(squares) / (2 * rmse) if rmse > 0 else np.nan,
            "type_1": 1 - self.covers.value if fixed else np.nan,
            "power": test.value,
            "power_mcse": test.mcse,
        }

    def distance(self, prob: float) -> float:
        """Of coverage from the nominal probability, in Monte Carlo errors."""
        return (self.covers.value - prob) / self.covers.mcse


def trusted(label: str, found: Mapping[str, Performance], prob: float) -> dict[str, Any]:
    """The interval to trust: of those whose coverage is nominal the best score, else the nearest to nominal.

    Where scores of the same data sets don't differ by more than their error the nearest to nominal is taken.
    """
    limits = {method: each for method, each in found.items() if len(each.widths) and each.covers.n}
    if not limits:
        return _said("", np.nan, np.nan, np.nan, f"{label}: no method gave an interval.")
    nominal = {method: each for method, each in limits.items() if abs(each.distance(prob)) < SURE}
    method = min(_best(nominal) or limits, key=lambda one: abs(limits[one].covers.value - prob))
    own = limits[method]
    sentence = f"{label}: {_verdict(method, own, prob, bool(nominal))}{_others(method, found, prob)}."
    return _said(method, own.covers.value, own.covers.mcse, own.width, sentence)


def _best(found: Mapping[str, Performance]) -> list[str]:
    """The methods whose score isn't worse than the best: by more than its error, or by far."""
    if not found:
        return []
    means = {method: _mean(_there(each.scores)) for method, each in found.items()}
    best = min(means, key=lambda method: means[method])
    apart = {method: _there(each.scores - found[best].scores) for method, each in found.items()}
    return [
        method
        for method, each in apart.items()
        if not (_mean(each) > SURE * _mcse(each) or means[method] > WORSE * means[best])
    ]


def _said(method: str, coverage: float, mcse: float, width: float, sentence: str) -> dict[str, Any]:
    columns = {"method": method, "coverage": coverage, "coverage_mcse": mcse, "width": width}
    return columns | {"sentence": sentence}


def _verdict(method: str, own: Performance, prob: float, nominal: bool) -> str:
    width = f"median width {own.width:.4g}{_useless(own)}"
    said = f"{_percent(own.covers)} of {own.covers.n} intervals held the truth, {width}"
    if nominal:
        why = f"none of those whose coverage is {100 * prob:g} % within error has a better interval score"
        return f"trust {method}; {said}, {why}{_too_few(own, prob)}"
    way = "too short" if own.covers.value < prob else "too long"
    return f"no interval has its nominal coverage; {method} comes nearest and is {way}: {said}"


def _useless(own: Performance) -> str:
    """How many intervals say nothing, where some do."""
    share = Share.of((own.widths > USELESS * own.width).astype(float))
    return f" ({_percent(share)} over {USELESS:g} times as wide)" if share.value > 0 else ""


def _too_few(own: Performance, prob: float) -> str:
    """What it would take to tell methods apart, where these data sets don't."""
    if own.covers.mcse < TELLING:
        return ""
    return f" (which is wide: about {int(np.ceil(prob * (1 - prob) / TELLING**2))} data sets tell more)"


def _others(method: str, found: Mapping[str, Performance], prob: float) -> str:
    """Those that were off, and by how much."""
    off = {
        other: each
        for other, each in found.items()
        if other != method and each.covers.n and abs(each.distance(prob)) >= SURE
    }
    return "".join(
        f"; {other} {'missed it too often' if each.covers.value < prob else 'is wider than it need be'} "
        f"({_percent(each.covers)})"
        for other, each in off.items()
    )


def _percent(share: Share) -> str:
    return f"{100 * share.value:.1f} ± {100 * share.mcse:.1f} %"


def _there(values: Array) -> Array:
    return values[np.isfinite(values)]


def _mean(values: Array) -> float:
    return float(values.mean()) if len(values) else np.nan


def _mcse(values: Array) -> float:
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else np.nan
