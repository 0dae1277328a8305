"""Phrases that sentences of verdicts share."""

from math import isfinite

from bayeslmm.parity.verdicts.evidence import Evidence
from bayeslmm.render.numbers import rounded, signed


def values(e: Evidence) -> str:
    """Both values and how far they are apart."""
    both = f"{e.source} {rounded(e.estimate, e.scale)}, posterior mean {rounded(e.mean, e.scale)}"
    return f"{both} ({signed(e.total)} sd)" if isfinite(e.total) else both


def steps(e: Evidence) -> str:
    """The steps that can be seen, in order."""
    seen = [f"{step.cause} {signed(step.size)}" for step in e.steps if abs(step.size) >= 0.005]
    return ", ".join(seen) or "no step to be seen"


def widths(e: Evidence) -> str:
    """How wide the posterior interval is."""
    if not isfinite(e.width_ratio):
        return ""
    return f"; the posterior interval is {e.width_ratio:.2f} times as wide as the {e.best} one"
