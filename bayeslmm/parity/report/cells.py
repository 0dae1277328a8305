"""Numbers of the report, rounded for reading to what their error makes worth printing."""

from math import isfinite

from bayeslmm.parity.verdicts.base import Verdict
from bayeslmm.render.numbers import fixed, rounded
from bayeslmm.render.page.blocks import Badge, Cell


def number(value: float, scale: float) -> Cell:
    """A value to the digits of its scale."""
    return Cell((rounded(value, scale),), value=value)


def with_error(value: float, error: float, scale: float) -> Cell:
    """A value and, in brackets, its error."""
    told = f"{rounded(value, scale)} ({rounded(error, scale)})" if isfinite(error) else rounded(value, scale)
    return Cell((told,), value=value)


def two_places(value: float) -> Cell:
    """A ratio, or a distance in sds."""
    return Cell((fixed(value, 2) if isfinite(value) else "",), value=value)


def interval(lower: float, upper: float, scale: float) -> str:
    """Both ends; nothing where one is missing."""
    if not (isfinite(lower) and isfinite(upper)):
        return ""
    return f"{rounded(lower, scale)} to {rounded(upper, scale)}"


def p_value(p: float) -> str:
    """To three places, "< 0.001" below."""
    return "< 0.001" if p < 0.001 else fixed(p, 3)


def badge(verdict: str) -> Badge:
    """A verdict in its colour."""
    if verdict in ("agree", "disagree"):
        return Badge(verdict, "good" if verdict == "agree" else "bad")
    return Badge(verdict, "explained" if Verdict.kinds()[verdict].good else "open")
