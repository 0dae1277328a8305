"""Variance components of the one-way random model: ANOVA, REML and ML, balanced or not.

Source: Searle, Casella & McCulloch (1992), chapters 3 and 6.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import log, pi

import numpy as np

from bayeslmm.errors import check_choice
from bayeslmm.textbook.inputs import Array, check_probability, check_variance
from bayeslmm.textbook.one_way import OneWay
from bayeslmm.textbook.strata import ml_variances, reml_variances

LOG_RATIOS = np.linspace(-20, 60, 321)  # of σ²_A/σ²_E times the mean size: where the search begins
NEAR_BOUND, FAR = -25.0, 80.0  # log of 1 + λ max nᵢ


@dataclass(frozen=True)
class Components:
    """The two variances of a one-way model.

    Attributes
    ----------
    var_A, var_E : between and within groups; an ANOVA estimate of the first may be negative.
    """

    var_A: float
    var_E: float

    @property
    def icc(self) -> float:
        """Intraclass correlation σ²_A/(σ²_A + σ²_E)."""
        return self.var_A / (self.var_A + self.var_E)

    @property
    def theta(self) -> float:
        """σ_A/σ_E, the element of the relative factor; NaN for a negative variance."""
        return float(np.sqrt(self.var_A / self.var_E)) if self.var_A >= 0 else np.nan


@dataclass(frozen=True)
class Profiled:
    """Where μ and σ²_E maximize the likelihood for one ratio λ = σ²_A/σ²_E.

    Attributes
    ----------
    ratio : λ. mu, var_E : the maximizers. deviance : −2 log-likelihood there, restricted for REML.
    """

    ratio: float
    mu: float
    var_E: float
    deviance: float


def anova_estimates(layout: OneWay) -> Components:
    """σ̂²_E = MSE, σ̂²_A = (MSA − MSE)/n₀: the mean squares equated to their expectations.

    Unbiased; σ̂²_A is negative where MSA < MSE.

    Examples
    --------
    >>> import bayeslmm as bl
    >>> dyes = bl.load_dataset("Dyestuff2")
    >>> round(anova_estimates(bl.textbook.one_way(dyes["Yield"], dyes["Batch"])).var_A, 6)
    -1.321913
    """
    return Components((layout.MSA - layout.MSE) / layout.n0, layout.MSE)


def reml_estimates(layout: OneWay) -> Components:
    """Restricted maximum likelihood estimates.

    Balanced: the ANOVA estimates, or (0, SST/(N − 1)) where MSA < MSE. Otherwise `profile` is maximized over
    λ.

    Examples
    --------
    >>> import bayeslmm as bl
    >>> dyes = bl.load_dataset("Dyestuff2")
    >>> reml_estimates(bl.textbook.one_way(dyes["Yield"], dyes["Batch"])).var_A
    0.0
    """
    return _balanced(layout, reml_variances) if layout.balanced else _unbalanced(layout, "REML")


def ml_estimates(layout: OneWay) -> Components:
    """Maximum likelihood estimates.

    Balanced: σ̂²_E = MSE, σ̂²_A = (SSA/k − MSE)/n, or (0, SST/N) where SSA/k < MSE. Otherwise `profile` is
    maximized.

    Examples
    --------
    >>> import bayeslmm as bl
    >>> dyes = bl.load_dataset("Dyestuff")
    >>> round(ml_estimates(bl.textbook.one_way(dyes["Yield"], dyes["Batch"])).var_A, 4)
    1388.3333
    """
    return _balanced(layout, ml_variances) if layout.balanced else _unbalanced(layout, "ML")


def profile(layout: OneWay, ratio: float, criterion: str = "ML") -> Profiled:
    """The first of the two steps of a profile likelihood: μ and σ²_E given λ = σ²_A/σ²_E.

    With wᵢ = nᵢ/(1 + nᵢλ): μ̂ = Σwᵢȳᵢ/Σwᵢ, r² = SSE + Σwᵢ(ȳᵢ − μ̂)², σ̂²_E = r²/N, and

        −2ℓ = Σ log(1 + nᵢλ) + N(1 + log 2πσ̂²_E).

    REML adds log Σwᵢ and counts N − 1 for N. The second step is a maximum over one number, λ ≥ 0.

    Parameters
    ----------
    ratio : λ. criterion : ``"ML"`` or ``"REML"``.

    Raises
    ------
    OptionError
        For a negative ratio or a misspelt criterion.

    Examples
    --------
    >>> import bayeslmm as bl
    >>> dyes = bl.load_dataset("Dyestuff")
    >>> layout = bl.textbook.one_way(dyes["Yield"], dyes["Batch"])
    >>> best = bl.textbook.ml_estimates(layout)
    >>> profile(layout, best.theta**2).deviance < profile(layout, 1.1 * best.theta**2).deviance
    True
    """
    check_choice("criterion", criterion, ("ML", "REML"))
    mu, rss, log_det = _first_step(layout, check_variance("ratio", ratio), criterion)
    count = layout.N - (criterion == "REML")
    return Profiled(ratio, mu, rss / count, log_det + count * (1 + log(2 * pi * rss / count)))


def icc_interval(layout: OneWay, prob: float = 0.95) -> tuple[float, float]:
    """An exact interval of the intraclass correlation, from the law of the weighted mean square.

    Under λ = σ²_A/σ²_E, Σwᵢ(ȳᵢ − μ̂)²/((k − 1)MSE) is F(k − 1, N − k), wᵢ as in `profile`, and falls as λ
    grows: λ where it meets the two quantiles, as λ/(1 + λ). Balanced: λ = (F/F_q − 1)/n. Limits may be
    negative.

    Source: Wald (1940), Annals of Mathematical Statistics 11, 96-100.

    Examples
    --------
    >>> import bayeslmm as bl
    >>> dyes = bl.load_dataset("Dyestuff")
    >>> [round(limit, 4) for limit in icc_interval(bl.textbook.one_way(dyes["Yield"], dyes["Batch"]))]
    [0.0838, 0.8479]
    """
    from scipy.stats import f

    tail = (1 - check_probability("prob", prob)) / 2
    quantiles = (float(f.ppf(each, layout.df_A, layout.df_E)) for each in (1 - tail, tail))
    lower, upper = (_ratio_at(layout, quantile) for quantile in quantiles)
    return lower / (1 + lower), upper / (1 + upper)


def _balanced(layout: OneWay, variances: Callable[..., dict[str, float]]) -> Components:
    found = variances(layout.strata)
    return Components(found["A"], found["E"])


def _unbalanced(layout: OneWay, criterion: str) -> Components:
    """The second step: λ = 0 or a root of the score, whichever has the smallest deviance."""
    candidates = [profile(layout, ratio, criterion) for ratio in (0.0, *_minima(layout, criterion))]
    best = min(candidates, key=lambda each: each.deviance)
    return Components(best.ratio * best.var_E, best.var_E)


def _minima(layout: OneWay, criterion: str) -> list[float]:
    """Where the derivative of the profiled deviance by log λ rises through 0."""
    from scipy.optimize import brentq

    def slope(log_ratio: float) -> float:
        return _slope(layout, float(np.exp(log_ratio)), criterion)

    grid = LOG_RATIOS - np.log(layout.n0)
    slopes = np.array([slope(point) for point in grid])
    rising = np.flatnonzero((slopes[:-1] < 0) & (slopes[1:] >= 0))
    return [float(np.exp(brentq(slope, grid[at], grid[at + 1], xtol=1e-13, rtol=1e-14))) for at in rising]


def _slope(layout: OneWay, ratio: float, criterion: str) -> float:
    """d(−2ℓ)/dλ = Σwᵢ − M Σwᵢ²(ȳᵢ − μ̂)²/r², for REML − Σwᵢ²/Σwᵢ, M = N or N − 1."""
    weights, centre, between = _weighted(layout, ratio)
    squares = weights**2
    restricted = criterion == "REML"
    fall = (layout.N - restricted) * (squares @ (layout.shifts - centre) ** 2) / (layout.SSE + between)
    return float(weights.sum() - fall - restricted * squares.sum() / weights.sum())


def _first_step(layout: OneWay, ratio: float, criterion: str) -> tuple[float, float, float]:
    """μ̂, r² and the log-determinants, given λ."""
    weights, centre, between = _weighted(layout, ratio)
    log_det = float(np.sum(np.log1p(layout.sizes * ratio)) + (criterion == "REML") * log(weights.sum()))
    return layout.origin + centre, layout.SSE + between, log_det


def _weighted(layout: OneWay, ratio: float) -> tuple[Array, float, float]:
    """wᵢ, the weighted mean μ̂ from the origin and the weighted sum of squares about it."""
    weights = layout.sizes / (1 + layout.sizes * ratio)
    centre = float(np.average(layout.shifts, weights=weights))
    return weights, centre, float(weights @ (layout.shifts - centre) ** 2)


def _ratio_at(layout: OneWay, quantile: float) -> float:
    """λ where the weighted mean square over MSE is a quantile; −1/max nᵢ, its bound, where it stays below."""
    from scipy.optimize import brentq

    largest, target = float(layout.sizes.max()), quantile * layout.df_A * layout.MSE

    def ratio(reach: float) -> float:
        return (float(np.exp(reach)) - 1) / largest

    def excess(reach: float) -> float:
        return _weighted(layout, ratio(reach))[2] - target

    if excess(NEAR_BOUND) < 0:
        return -1 / largest
    return ratio(float(brentq(excess, NEAR_BOUND, FAR, xtol=1e-14, rtol=1e-14)))
