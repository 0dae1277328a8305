"""What a verdict looks at: one estimand seen from both sides, and the thresholds."""

from dataclasses import dataclass
from math import isfinite, nan


@dataclass(frozen=True, slots=True)
class VerdictOptions:
    """Every threshold of every verdict. Distances are in standard errors of the estimate.

    Attributes
    ----------
    tolerance : float
        Posterior mean and estimate agree within this many standard errors. At 0.25 two equally wide normal
        95 % intervals still share 88 % of their union.
    width_range : (float, float)
        Ratios of widths (posterior over likelihood interval) within which location decides. A posterior
        averages over the variance parameters; with a handful of levels it is rightly twice as wide.
    skew_tolerance : float
        A skewed posterior explains a difference if what remains beyond the distance from mean to mode
        (Pearson: three times mean minus median) is within this many standard errors.
    min_skew : float
        Least (mean - median) / sd of a posterior that is called skewed. A gamma distribution of skewness 0.3
        reaches it.
    prior_tolerance : float
        As ``skew_tolerance``, for what remains beyond the prior's pull.
    boundary_zero : float
        A standard deviation below this fraction of its posterior mean, or a correlation this close to -1
        or 1, is on the boundary.
    boundary_reach : float
        The boundary must lie within this many posterior sds of the posterior mean.
    mcse_factor : float
        Monte Carlo error is bounded by this many MCSEs.
    max_r_hat : float
        Chains with a larger R-hat are not compared.
    max_divergent : float
        Nor is a posterior with a larger share of divergent transitions.
    """

    tolerance: float = 0.25
    width_range: tuple[float, float] = (0.6, 3.0)
    skew_tolerance: float = 0.5
    min_skew: float = 0.05
    prior_tolerance: float = 0.5
    boundary_zero: float = 1e-3
    boundary_reach: float = 2.5
    mcse_factor: float = 4.0
    max_r_hat: float = 1.05
    max_divergent: float = 0.005


@dataclass(frozen=True, slots=True)
class Evidence:
    """One estimand from both sides; NaN where a side says nothing.

    Attributes
    ----------
    label, kind : str
    source, interval : str
        Where the estimate comes from (``"REML"``) and what its interval is (``"wald"``).
    estimate, se, lower, upper : float
        The likelihood side.
    mean, median, sd, post_lower, post_upper, mcse, r_hat : float
        The posterior side.
    prior_pull : float
        First-order shift of the posterior by its priors, in the estimand's units.
    problem : str
        Why one side's own checks failed; empty if they passed.
    """

    label: str
    kind: str
    source: str
    interval: str
    estimate: float
    se: float
    lower: float
    upper: float
    mean: float
    median: float
    sd: float
    post_lower: float
    post_upper: float
    mcse: float
    r_hat: float
    prior_pull: float = nan
    problem: str = ""

    @property
    def difference(self) -> float:
        """Posterior mean minus estimate."""
        return self.mean - self.estimate

    @property
    def scale(self) -> float:
        """Standard error of the estimate; the posterior sd where there is none."""
        return self.se if isfinite(self.se) and self.se > 0 else self.sd

    @property
    def std_diff(self) -> float:
        """Posterior mean minus estimate, in standard errors."""
        return ratio(self.difference, self.scale)

    @property
    def mode(self) -> float:
        """Pearson's rule for the mode of a unimodal posterior: 3 median - 2 mean."""
        return 3 * self.median - 2 * self.mean

    @property
    def skew(self) -> float:
        """(mean - median) / sd: positive for a long upper tail; at most 1 in absolute value."""
        return ratio(self.mean - self.median, self.sd)

    @property
    def width_ratio(self) -> float:
        """Width of the posterior interval over that of the likelihood interval."""
        return ratio(self.post_upper - self.post_lower, self.upper - self.lower)

    @property
    def overlap(self) -> float:
        """Intersection of the two intervals over their union."""
        return overlap(self.lower, self.upper, self.post_lower, self.post_upper)


def ratio(a: float, b: float) -> float:
    """Divide; NaN for a zero or missing denominator."""
    return a / b if b and isfinite(b) else nan


def overlap(lower: float, upper: float, post_lower: float, post_upper: float) -> float:
    """Intersection over union of two intervals: 1 if equal, 0 if disjoint."""
    shared = max(0.0, min(upper, post_upper) - max(lower, post_lower))
    return ratio(shared, max(upper, post_upper) - min(lower, post_lower))
