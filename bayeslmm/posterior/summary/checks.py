"""Checks of a posterior run: each a number, a threshold, and a sentence with the next step."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayeslmm.spec.priors import Priors

if TYPE_CHECKING:
    import pandas as pd
    from xarray import DataTree

type Array = NDArray[np.float64]

R_HAT = 1.01
ESS = 400
BFMI = 0.3
PARETO_K = 0.7
RULE_ERROR = 0.02
LEVELS_FOR_MEAN, LEVELS_FOR_VARIANCE = 4, 5  # under a flat prior an sd's density falls as sd^(1 - levels)


@dataclass(frozen=True, slots=True)
class Check:
    """One check.

    Attributes
    ----------
    name : what is looked at.
    value, threshold : the number and its limit.
    passed : whether it is within.
    sentence : what was found and, where it failed, what to do.
    """

    name: str
    value: float
    threshold: float
    passed: bool
    sentence: str

    def __str__(self) -> str:
        return f"{'ok  ' if self.passed else 'FAIL'} {self.sentence}"


def all_checks(data: "DataTree", table: "pd.DataFrame", pareto_k: float | None) -> tuple[Check, ...]:
    """Every check that applies; `table` as made by `estimates.summarize`."""
    statistics = data["sample_stats"]
    out = [_r_hat(table), _ess(table)]
    if "diverging" in statistics:
        out.append(_divergences(np.asarray(statistics["diverging"])))
    if "energy" in statistics:
        out.append(_bfmi(np.asarray(statistics["energy"])))
    if pareto_k is not None:
        out.append(_pareto(pareto_k))
    return tuple(out)


def quadrature_check(worst: str, value: float) -> Check:
    """The error of a rule: the largest change of a mean, in sds, as nodes are added."""
    said = f"two nodes less per parameter change the mean of {worst} by {value:.1g} sd"
    advice = f"{said}: the rule doesn't hold this posterior; ask for more nodes, or method='importance'"
    return _check("quadrature", value, RULE_ERROR, value < RULE_ERROR, said, advice)


def moment_checks(priors: Priors) -> tuple[Check, ...]:
    """Of every group whose standard deviations have flat priors: whether its levels suffice for moments."""
    return tuple(
        _moments(block.group, block.n_levels)
        for block in priors.blocks
        if any(not prior.proper for prior in priors.sd[block.group])
    )


def _moments(group: str, levels: int) -> Check:
    missing = "mean and no variance" if levels < LEVELS_FOR_MEAN else "variance"
    said = f"a flat prior on sd of {group}, which has {levels} levels"
    advice = (
        f"{said}: the posterior has no {missing}, whatever draws give; read median and quantiles, "
        "or use HalfNormal"
    )
    passed = levels >= LEVELS_FOR_VARIANCE
    return _check("moments", levels, LEVELS_FOR_VARIANCE, passed, said, advice)


def bfmi(energy: Array) -> Array:
    """Bayesian fraction of missing information of each chain, from energies (chains, draws)."""
    moves: Array = np.mean(np.diff(energy, axis=1) ** 2, axis=1)
    return moves / np.var(energy, axis=1)


def _r_hat(table: "pd.DataFrame") -> Check:
    worst = str(table["r_hat"].idxmax())
    value = float(table["r_hat"].max())
    said = f"largest R-hat {value:.3f} ({worst})"
    advice = f"{said}: the chains disagree; raise tune and draws, or look at {worst} in az.plot_trace_dist"
    return _check("r_hat", value, R_HAT, value < R_HAT, said, advice)


def _ess(table: "pd.DataFrame") -> Check:
    least = table[["ess_bulk", "ess_tail"]].min(axis=1)
    worst, value = str(least.idxmin()), float(least.min())
    said = f"smallest effective sample size {value:.0f} ({worst})"
    advice = (
        f"{said}, below {ESS}: tails and R-hat are unreliable; ask for about {_times(value)} times the draws"
    )
    return _check("ess", value, ESS, value >= ESS, said, advice)


def _times(value: float) -> int:
    return int(np.ceil(ESS / max(value, 1.0)))


def _divergences(diverging: Array) -> Check:
    value = int(diverging.sum())
    said = f"{value} divergent transitions" if value != 1 else "1 divergent transition"
    advice = f"{said}: part of the posterior is missed; use method='marginal', or target_accept=0.95"
    return _check("divergences", value, 0, value == 0, said, advice)


def _bfmi(energy: Array) -> Check:
    value = float(bfmi(energy).min())
    said = f"smallest BFMI {value:.2f}"
    advice = f"{said}, below {BFMI}: energies are explored slowly; use method='marginal', or more tune"
    return _check("bfmi", value, BFMI, value >= BFMI, said, advice)


def _pareto(value: float) -> Check:
    said = f"Pareto k of the importance weights {value:.2f}"
    advice = f"{said}, above {PARETO_K}: the weights can't be trusted; use method='marginal'"
    return _check("pareto_k", value, PARETO_K, value < PARETO_K, said, advice)


def _check(name: str, value: float, threshold: float, passed: bool, said: str, advice: str) -> Check:
    return Check(name, value, threshold, passed, f"{said}." if passed else f"{advice}.")
