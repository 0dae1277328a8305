"""What a verdict looks at: one estimand's way from the estimate to the posterior mean, and the thresholds."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import isfinite, nan
from typing import Self

ESTIMATE, PRIOR, AVERAGING, SHAPE, MERGED, UNKNOWN = (
    "estimate",
    "prior",
    "averaging",
    "shape",
    "merged",
    "unknown",
)


@dataclass(frozen=True, slots=True)
class VerdictOptions:
    """Every threshold of every verdict. Distances are in units of the larger of se and posterior sd.

    Attributes
    ----------
    tolerance : float
        A difference, and a step, within it don't matter. At 0.25 two equally wide normal 95 % intervals
        still share 88 % of their union.
    width_range : (float, float)
        Ratios of widths, posterior over the likelihood's best interval, that don't matter.
    theorem : float
        Two computations of one quantity, as REML and the mode under flat priors, agree within it.
    twice : float
        So do an estimate given in a table, which may be rounded, and the model's own.
    familywise : float
        Probability that a run check finds a difference, over all estimands together, where there is none.
    mcse_factor : float
        Monte Carlo error is bounded by this many MCSEs.
    max_r_hat : float
        Chains with a larger R-hat haven't run long enough.
    max_divergent : float
        Nor has a sampler with a larger share of divergent transitions found the posterior.
    """

    tolerance: float = 0.25
    width_range: tuple[float, float] = (0.8, 1.25)
    theorem: float = 1e-4
    twice: float = 0.05
    familywise: float = 1e-3
    mcse_factor: float = 4.0
    max_r_hat: float = 1.05
    max_divergent: float = 0.005


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the ladder.

    Attributes
    ----------
    cause : as the ladder names it. size : with its sign, in units of the evidence's scale.
    kind : ESTIMATE (ML to REML), PRIOR, AVERAGING, SHAPE, MERGED (of rungs that don't exist) or UNKNOWN.
    alone, away : of a prior, added alone and taken away alone; NaN where that isn't known.
    through : the parameter with this kind of prior that its step moves most.
    """

    cause: str
    size: float
    kind: str
    alone: float = nan
    away: float = nan
    through: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One estimand; NaN where nothing is known.

    Attributes
    ----------
    label, kind, source : what it is, and whose estimate (``"REML"``).
    estimate, mean : where the way begins and ends. scale : the larger of se and posterior sd.
    steps : between them. error : of the mean, in units of the scale.
    width_ratio : posterior interval over the likelihood's best. width_error : relative.
    best : which interval that is.
    apart : between two computations of one quantity, in units of what is allowed. twice : which quantity.
    term, boundary : the singular term it belongs to, and what has vanished; empty where there is none.
    problem : why one side can't be compared; empty if both are sound.
    """

    label: str
    kind: str
    source: str
    estimate: float
    mean: float
    scale: float
    steps: tuple[Step, ...] = ()
    error: float = 0.0
    width_ratio: float = nan
    width_error: float = 0.0
    best: str = ""
    apart: float = 0.0
    twice: str = ""
    term: str = ""
    boundary: str = ""
    problem: str = ""

    @property
    def total(self) -> float:
        """Posterior mean minus estimate, in units of the scale; 0 where both are the same."""
        return (self.mean - self.estimate) / self.scale if self.mean != self.estimate else 0.0

    @property
    def leading(self) -> tuple[Step, ...]:
        """The steps of the kind that moves the estimate most in the direction it goes, largest first."""
        sign = 1.0 if self.total >= 0 else -1.0
        kinds = dict.fromkeys(step.kind for step in self.steps)
        together = {kind: sign * sum(s.size for s in self.steps if s.kind == kind) for kind in kinds}
        if not together:
            return ()
        kind = max(together, key=lambda each: together[each])
        own = [step for step in self.steps if step.kind == kind]
        return tuple(sorted(own, key=lambda step: -sign * step.size))

    @property
    def upwards(self) -> float:
        """Sum of the steps up."""
        return sum(step.size for step in self.steps if step.size > 0)

    @property
    def downwards(self) -> float:
        """Sum of the steps down, a positive number."""
        return -sum(step.size for step in self.steps if step.size < 0)

    def around(self) -> Iterator[Self]:
        """The same with mean and width moved as far as their errors allow."""
        for towards in (-1.0, 1.0):
            for wider in (-1.0, 1.0):
                yield self._moved(towards * self.error, 1 + wider * self.width_error)

    def _moved(self, by: float, wider: float) -> Self:
        steps = self.steps
        if steps:
            steps = (*steps[:-1], replace(steps[-1], size=steps[-1].size + by))
        mean = self.mean + by * self.scale if isfinite(self.scale) else self.mean
        return replace(self, mean=mean, steps=steps, width_ratio=self.width_ratio * wider)
