"""Balanced data: sums of squares in strata, whose expectations are ordered, and the variances they estimate.

In a balanced design the covariance has few eigenvalues δ₀ ≤ δ₁ ≤ ..., one a stratum, with δ₀ = σ²_E and
δⱼ = δⱼ₋₁ + nⱼσ²ⱼ, where nⱼ counts the observations that share an effect. Up to constants

    −2ℓ = Σ mⱼ log δⱼ + SSⱼ/δⱼ,

mⱼ the degrees of freedom for REML, the multiplicity of δⱼ for ML. Without the order its minimum is SSⱼ/mⱼ;
with it, neighbours out of order share their pooled mean.

Sources: Searle, Casella & McCulloch (1992), chapters 3, 4 and 6; W. A. Thompson (1962), Annals of
Mathematical Statistics 33, 273-289, for the order.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bayeslmm.textbook.inputs import Array


@dataclass(frozen=True)
class Stratum:
    """One stratum of a balanced analysis of variance.

    Attributes
    ----------
    name : of its random effect, ``"E"`` for the error.
    SS : sum of squares. df : its degrees of freedom. multiplicity : of δ as an eigenvalue of V.
    size : observations that share one effect.
    """

    name: str
    SS: float
    df: int
    multiplicity: int
    size: int

    @property
    def MS(self) -> float:
        """Mean square SS/df."""
        return self.SS / self.df


def anova_variances(strata: Sequence[Stratum]) -> dict[str, float]:
    """ANOVA estimates (MSⱼ − MSⱼ₋₁)/nⱼ by name: unbiased, negative where mean squares are out of order."""
    return _variances(strata, np.array([stratum.MS for stratum in strata]))


def reml_variances(strata: Sequence[Stratum]) -> dict[str, float]:
    """REML estimates by name: the ANOVA estimates where none is negative."""
    return _variances(strata, ordered(_sums(strata), _df(strata)))


def ml_variances(strata: Sequence[Stratum]) -> dict[str, float]:
    """ML estimates by name."""
    return _variances(strata, ordered(_sums(strata), _multiplicities(strata)))


def ratio_statistic(SS: Array, counts: Array) -> Array:
    """Likelihood ratio of two strata with one δ: M log(ΣSS/M) − Σ mⱼ log δ̂ⱼ, M = Σ mⱼ.

    Parameters
    ----------
    SS : (..., 2) sums of squares, error first. counts : (2,) degrees of freedom (REML) or multiplicities
    (ML).
    """
    means, pooled = SS / counts, SS.sum(axis=-1, keepdims=True) / counts.sum()
    delta = np.where(means[..., 1:] > means[..., :1], means, pooled)
    return np.asarray(np.log(pooled / delta) @ counts)


def ordered(SS: Array, counts: Array) -> Array:
    """Means SSⱼ/mⱼ, neighbours out of order pooled until they increase.

    Examples
    --------
    >>> ordered(np.array([30.0, 10.0]), np.array([10.0, 10.0]))
    array([2., 2.])
    """
    pools: list[tuple[float, float, int]] = []
    for total, count in zip(SS, counts, strict=True):
        pool = (float(total), float(count), 1)
        while pools and pools[-1][0] / pools[-1][1] > pool[0] / pool[1]:
            pool = tuple(map(sum, zip(pools.pop(), pool, strict=True)))  # type: ignore[assignment]
        pools.append(pool)
    return np.repeat([total / count for total, count, _ in pools], [width for *_, width in pools])


def _variances(strata: Sequence[Stratum], delta: Array) -> dict[str, float]:
    steps = np.diff(delta, prepend=0.0) / [1, *(stratum.size for stratum in strata[1:])]
    return {stratum.name: float(step) for stratum, step in zip(strata, steps, strict=True)}


def _sums(strata: Sequence[Stratum]) -> Array:
    return np.array([stratum.SS for stratum in strata])


def _df(strata: Sequence[Stratum]) -> Array:
    return np.array([float(stratum.df) for stratum in strata])


def _multiplicities(strata: Sequence[Stratum]) -> Array:
    return np.array([float(stratum.multiplicity) for stratum in strata])
