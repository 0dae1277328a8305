"""Checks of a posterior run: each a number, a threshold, and a sentence with the next step."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayeslmm.spec.block import Block
from bayeslmm.spec.design import Design, MeanSd
from bayeslmm.spec.labels import kind_of
from bayeslmm.spec.priors import Priors, Tail

if TYPE_CHECKING:
    import pandas as pd
    from xarray import DataTree

type Array = NDArray[np.float64]

R_HAT = 1.01
ESS = 400
BFMI = 0.3
PARETO_K = 0.7
RULE_ERROR = 0.02
LARGE = 10.0  # times what the data call large: there an sd's prior should be falling
IN_SIGHT = 3.5  # power there, clear of the 3 at which a variance begins to depend on where a prior ends
FAR_ORIGIN = 10.0  # standard deviations from a covariate's mean to 0


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
    out = [*_r_hat(table), _ess(table)]
    if "diverging" in statistics:
        out.append(_divergences(np.asarray(statistics["diverging"])))
    if "energy" in statistics:
        out.append(_bfmi(np.asarray(statistics["energy"])))
    if pareto_k is not None:
        out.append(_pareto(pareto_k))
    return tuple(out)


def quadrature_check(worst: str, value: float) -> Check:
    """The error of a rule: the largest change of a mean or an sd, in sds, by fewer or wider nodes."""
    said = f"fewer or wider nodes change mean or sd of {worst} by {value:.1g} sd"
    advice = f"{said}: the rule doesn't hold this posterior; ask for more nodes, or method='importance'"
    return _check("quadrature", value, RULE_ERROR, value < RULE_ERROR, said, advice)


def moment_checks(priors: Priors) -> tuple[Check, ...]:
    """Of every sd with a flat prior, and of those whose moments hang on the prior alone."""
    falls = priors.falls(), priors.falls({label: LARGE * size for label, size in priors.sizes.items()})
    found = {
        label: _moments(priors, label, *(priors.tail(label, each) for each in falls)) for label in falls[0]
    }
    return tuple(check for label, check in found.items() if not (priors.table[label].proper and check.passed))


def tail_powers(priors: Priors) -> dict[str, float]:
    """The power by which the posterior density of each sd falls in the end, by label.

    Its mean needs more than 2, its variance, and that of whatever hangs on the variance itself, more than 3.
    """
    falls = priors.falls()
    return {label: priors.tail(label, falls).power for label in falls if kind_of(label) == "sd"}


def _moments(priors: Priors, label: str, end: Tail, seen: Tail) -> Check:
    in_the_end, in_sight, told = end.power, seen.power, end if end.power <= 3 else seen
    size = priors.sizes[label]
    named = " and ".join(f"{priors.table[each]} on {each}" for each in told.sds)
    said = f"{named}, which the data tell from {told.rank} independent levels"
    if in_the_end <= 3:
        missing = "mean and no variance" if in_the_end <= 2 else "variance"
        advice = f"{said}: {label} has no {missing}, whatever draws give; use HalfNormal({size:.3g})"
        return _check("moments", in_the_end, 3, False, said, advice)
    advice = (
        f"{said}: mean and sd hang on how far the prior reaches, not on the data; give one of the data's "
        f"size, such as HalfNormal({size:.3g})"
    )
    return _check("moments", in_sight, IN_SIGHT, in_sight > IN_SIGHT, said, advice)


def origin_checks(design: Design) -> tuple[Check, ...]:
    """Of every slope with an intercept beside it in its term whose origin is far from the data."""
    return tuple(
        _origin(block.group, name, distance)
        for block, sizes in zip(design.blocks, design.scales.columns, strict=True)
        for name, distance in _origins(block, sizes)
        if distance >= FAR_ORIGIN
    )


def _origins(block: Block, sizes: MeanSd) -> Iterator[tuple[str, float]]:
    """Coefs beside an intercept in one term, and how many sds the column's 0 is from its mean."""
    first = 0
    for structure in block.structures:
        own = range(first, first := first + structure.k)
        if any(sizes.sd[i] == 0 for i in own):
            yield from ((block.coefs[i], abs(sizes.mean[i]) / sizes.sd[i]) for i in own if sizes.sd[i] > 0)


def _origin(group: str, coef: str, distance: float) -> Check:
    said = (
        f"0 of {coef!r} is {distance:.3g} standard deviations from its mean, and there the intercepts of "
        f"{group!r} are: their sd, its prior and the correlation tell of that far place; centre {coef!r} "
        "where they should tell of the data"
    )
    return _check("origin", distance, FAR_ORIGIN, False, said, said)


def bfmi(energy: Array) -> Array:
    """Bayesian fraction of missing information of each chain, from energies (chains, draws)."""
    moves: Array = np.mean(np.diff(energy, axis=1) ** 2, axis=1)
    return moves / np.var(energy, axis=1)


def _r_hat(table: "pd.DataFrame") -> Iterator[Check]:
    """Nothing where a single chain, or one too short, can't disagree with itself."""
    known = table["r_hat"].dropna()
    if known.empty:
        return
    worst, value = str(known.idxmax()), float(known.max())
    said = f"largest R-hat {value:.3f} ({worst})"
    advice = f"{said}: the chains disagree; raise tune and draws, or look at {worst} in az.plot_trace_dist"
    yield _check("r_hat", value, R_HAT, value < R_HAT, said, advice)


def _ess(table: "pd.DataFrame") -> Check:
    least = table[["ess_bulk", "ess_tail"]].min(axis=1, skipna=False).fillna(0.0)
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
