"""What each side says of itself: convergence of the optimizer, health of the sampler."""

from typing import Any

import numpy as np

from bayeslmm.parity.sides import Sides
from bayeslmm.render.numbers import significant


def problem(sides: Sides) -> str:
    """Why the fit cannot be compared; empty if its optimizer converged (or says nothing)."""
    convergence = getattr(sides.fit.result, "convergence", None) if sides.fit else None
    if convergence is None or convergence.converged:
        return ""
    return f"the fit is not at its optimum ({convergence.status.value})"


def likelihood_facts(sides: Sides) -> list[tuple[str, str]]:
    """Facts about the fit and the bootstrap for the report."""
    facts: list[tuple[str, str]] = []
    fit = sides.fit.result if sides.fit else None
    convergence = getattr(fit, "convergence", None)
    if convergence is not None:
        facts += _fit_facts(fit, convergence)
    if sides.bootstrap is not None:
        facts += _bootstrap_facts(sides)
    return facts


def posterior_facts(sides: Sides) -> list[tuple[str, str]]:
    """Facts about the draws for the report."""
    if sides.posterior is None:
        return []
    result, frame = sides.posterior.result, sides.posterior.table.frame
    told = [("Method", getattr(result, "method", "")), ("Why", getattr(result, "reason", ""))]
    least = frame[["ess_bulk", "ess_tail"]].min().min()
    measured = [
        (
            "Smallest effective sample size",
            f"{least:.0f} (over {len(frame)} estimands)" if np.isfinite(least) else "",
        ),
        ("Largest R-hat", significant(float(frame["r_hat"].max()), 5)),
        ("Checks", _plain(getattr(result, "checks", ""))),
    ]
    return [(name, str(value)) for name, value in told + measured if value]


def _fit_facts(fit: Any, convergence: Any) -> list[tuple[str, str]]:
    return [
        ("Criterion", f"{fit.criterion} = {fit.criterion_value:.4f}"),
        ("Optimizer", f"{convergence.status.value}, {convergence.n_evaluations} evaluations"),
        ("Decrease still promised", f"{convergence.decrement / 2:.1e}"),
        ("Singular", "; ".join(map(str, convergence.vanished)) or "no"),
    ]


def _bootstrap_facts(sides: Sides) -> list[tuple[str, str]]:
    if sides.bootstrap is None or "n_ok" not in sides.bootstrap.table.frame:
        return []
    n_ok = sides.bootstrap.table.frame["n_ok"]
    return [
        (
            "Bootstrap replicates used",
            f"{n_ok.min():.0f}" if n_ok.min() == n_ok.max() else f"{n_ok.min():.0f}–{n_ok.max():.0f}",
        )
    ]


def _plain(checks: Any) -> str:
    return str(checks) if checks else ""
