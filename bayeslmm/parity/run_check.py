"""The run check: the sampled means against the deterministic ones, and what the sampler says of itself."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayeslmm.parity.verdicts.evidence import VerdictOptions

type Array = NDArray[np.float64]

PASSED, NOISY, DIFFERS = "passed", "too noisy", "disagree"


@dataclass(frozen=True, slots=True, eq=False)
class Expected:
    """Deterministic means (L,), their errors and the scale, by label."""

    labels: tuple[str, ...]
    mean: Array
    error: Array
    scale: Array


def run_checks(
    sampled: pd.DataFrame | None, expected: Expected, problem: str, options: VerdictOptions
) -> "pd.Series[str]":
    """By label: passed; disagree, where the sampled mean isn't the deterministic one; too noisy to tell; or
    why the run can't be trusted. Empty where there is no run.

    A difference counts beyond the normal quantile that all estimands together pass with probability
    1 − `familywise`.
    """
    if sampled is None:
        return pd.Series("", index=list(expected.labels))
    found = sampled.reindex(list(expected.labels))
    columns = (found[name].to_numpy(float) for name in ("mean", "mcse", "r_hat"))
    limit = _limit(options.familywise, len(found))
    said = [
        problem or _check(_Run(*numbers), limit, options)
        for numbers in zip(*columns, expected.mean, expected.error, expected.scale, strict=True)
    ]
    return pd.Series(said, index=list(expected.labels)).where(found["mean"].notna(), "")


def _limit(familywise: float, n: int) -> float:
    from scipy.special import ndtri

    return float(-ndtri(familywise / (2 * max(n, 1))))


class _Run(NamedTuple):
    """One estimand's draws beside what they should say."""

    mean: float
    mcse: float
    r_hat: float
    expected: float
    error: float
    scale: float


def _check(run: _Run, limit: float, options: VerdictOptions) -> str:
    if run.r_hat > options.max_r_hat:
        return f"chains disagree (R-hat {run.r_hat:.2f})"
    allowed = limit * np.nan_to_num(run.mcse) + np.nan_to_num(run.error)
    if np.isfinite(run.expected) and abs(run.mean - run.expected) > allowed:
        return DIFFERS
    if options.mcse_factor * run.mcse > options.tolerance * run.scale:
        return NOISY
    return PASSED
