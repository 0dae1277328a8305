"""What each side says of itself: convergence of the optimizer, health of the sampler."""

from typing import Any

import numpy as np

from bayeslmm.parity.sides import Sides
from bayeslmm.parity.verdicts.evidence import VerdictOptions
from bayeslmm.render.numbers import significant


def one_sided(sides: Sides) -> str:
    """Which side is missing, with no model that could make it; empty if none is."""
    if sides.posterior is None:
        return "there is no posterior; give one beside the fit, bl.compare(fit, post)"
    if not sides.likelihood and sides.find("design") is None:
        return "there is no estimate; give a fit beside the posterior, bl.compare(fit, post)"
    return ""


def fit_problem(sides: Sides) -> str:
    """Why the fit can't be compared; empty if it is sound, or says nothing."""
    convergence = getattr(sides.fit.result, "convergence", None) if sides.fit else None
    if convergence is None or convergence.converged:
        return ""
    return f"the fit is not at its optimum ({convergence.status.value})"


def posterior_problem(sides: Sides, options: VerdictOptions) -> str:
    """Why the run can't be trusted; empty if it is sound. R-hat is judged estimand by estimand instead."""
    failed = {check.name: check for check in _checks(sides) if not check.passed}
    n_draws = sides.posterior.result.n_draws if sides.posterior and failed else 0
    if "divergences" in failed and failed["divergences"].value > options.max_divergent * n_draws:
        return f"{failed['divergences'].value:.0f} of {n_draws} transitions diverged"
    if "pareto_k" in failed:
        return f"the importance weights cannot be trusted (Pareto k {failed['pareto_k'].value:.2f})"
    return ""


def _checks(sides: Sides) -> tuple[Any, ...]:
    return tuple(getattr(sides.posterior.result, "checks", ())) if sides.posterior else ()


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
    told = [("Method", getattr(result, "method", "")), ("Chosen because", getattr(result, "reason", ""))]
    least = frame[["ess_bulk", "ess_tail"]].min().min()
    measured = [
        ("Smallest effective sample size", f"{least:.0f}" if np.isfinite(least) else ""),
        ("Largest R-hat", significant(float(frame["r_hat"].max()), 5)),
    ]
    checked = [
        (_name(check), check.sentence) for check in _checks(sides) if check.name not in ("r_hat", "ess")
    ]
    failed = [(f"{name}, failed", text) for name, text in _failed(sides)]
    return [(name, str(value)) for name, value in [*told, *measured, *checked, *failed] if value]


def _name(check: Any) -> str:
    return str(check.name).replace("_", " ").capitalize()


def _failed(sides: Sides) -> list[tuple[str, str]]:
    """R-hat and effective sample size where they failed: they carry advice."""
    short = {"r_hat": "R-hat", "ess": "Effective sample size"}
    return [(short[c.name], c.sentence) for c in _checks(sides) if c.name in short and not c.passed]


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
    n_ok = sides.bootstrap.table.frame["n_ok"].max()
    notes = getattr(sides.bootstrap.result, "notes", ())
    return [("Bootstrap replicates", f"{n_ok:.0f}"), *(("Bootstrap", note) for note in notes)]
