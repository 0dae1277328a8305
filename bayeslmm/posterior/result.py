"""What a posterior run brought."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from bayeslmm.posterior.checks import Check, all_checks, quadrature_check
from bayeslmm.posterior.estimates import Interval, draws_by_label, estimates, ranef_table, summarize
from bayeslmm.posterior.mixture import NodeMixture
from bayeslmm.posterior.options import SampleOptions
from bayeslmm.spec.design import Design
from bayeslmm.spec.priors import Priors

if TYPE_CHECKING:
    import pandas as pd
    from xarray import DataTree

    from bayeslmm.estimands.table import EstimateTable


@dataclass(frozen=True)
class PosteriorResult:
    """Posterior draws with their provenance.

    Attributes
    ----------
    data : DataTree with ArviZ's groups posterior, sample_stats, log_likelihood, log_prior, observed_data,
        constant_data.
    method : ``"marginal"``, ``"explicit"``, ``"importance"`` or ``"quadrature"``, as used.
    reason : why this one.
    design, priors, options : what was sampled, under which priors, as asked for.
    seed : the seed used, also where none was given.
    timings : seconds by step.
    pareto_k : of the importance weights, None where there were none.
    mixture : quadrature's nodes; estimates come from them, not from the draws.
    """

    data: "DataTree"
    method: str
    reason: str
    design: Design
    priors: Priors
    options: SampleOptions
    seed: int
    timings: Mapping[str, float]
    pareto_k: float | None = None
    mixture: NodeMixture | None = None

    @property
    def n_draws(self) -> int:
        """Draws kept, all chains together."""
        return self.options.chains * self.options.draws

    def estimates(
        self, prob: float = 0.95, ranef: bool = False, interval: Interval = "eti"
    ) -> "EstimateTable":
        """Posterior summaries: mean, median, sd, interval, mcse, ess_bulk, ess_tail, r_hat."""
        if self.mixture is not None:
            return self.mixture.estimates(prob, ranef, interval)
        return estimates(self.data, self.design, prob, ranef, interval)

    def summary(self, prob: float = 0.95, interval: Interval = "eti") -> "EstimateTable":
        """The estimates of beta, sd, cor and sigma."""
        return self.estimates(prob, interval=interval)

    def ranef_table(self, prob: float = 0.95) -> "pd.DataFrame":
        """Random effects: group, level, coef, mean, median, sd, interval, diagnostics."""
        return ranef_table(self.estimates(prob, ranef=True), self.design)

    @cached_property
    def checks(self) -> tuple[Check, ...]:
        """R-hat, effective sample size, divergences, BFMI, Pareto k, error of a rule: those that apply."""
        if self.mixture is not None:
            return (quadrature_check(*self.mixture.worst),)
        table = summarize(*draws_by_label(self.data, self.design), prob=0.95, interval="eti")
        return all_checks(self.data, table, self.pareto_k)

    def __repr__(self) -> str:
        failed = [str(check) for check in self.checks if not check.passed]
        size = f"{self.options.chains} chains x {self.options.draws} draws, seed {self.seed}"
        head = f"Posterior by {self.method}: {size}"
        return "\n".join([head, self.reason, *failed, str(self.summary())])
