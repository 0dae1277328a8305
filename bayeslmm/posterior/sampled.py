"""What a posterior run brought: its draws, their summaries and checks, as a frozen record."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from bayeslmm.arguments import verbs_in_our_words
from bayeslmm.errors import InputError
from bayeslmm.posterior.methods.mixture import NodeMixture
from bayeslmm.posterior.options import SampleOptions
from bayeslmm.posterior.summary.checks import (
    Check,
    all_checks,
    moment_checks,
    origin_checks,
    quadrature_check,
)
from bayeslmm.posterior.summary.estimates import Interval, draws_by_label, estimates, ranef_table, summarize
from bayeslmm.posterior.summary.tree import Draws
from bayeslmm.spec.design import Design
from bayeslmm.spec.priors import Priors
from bayeslmm.spec.recipe import Recipe

if TYPE_CHECKING:
    from xarray import Dataset, DataTree

    from bayeslmm.estimands.headed import HeadedTable
    from bayeslmm.estimands.table import EstimateTable

OF_NO_ROW = ("posterior", "sample_stats", "log_prior")  # groups that say nothing of single rows


@verbs_in_our_words
@dataclass(frozen=True, eq=False)
class Sampled:
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
    draws : the draws as arrays. recipe : how new rows become a design.
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
    draws: Draws | None = field(default=None, repr=False)
    recipe: Recipe | None = field(default=None, repr=False)

    @property
    def n_draws(self) -> int:
        """Draws kept, all chains together."""
        return int(np.prod(self._shape))

    @property
    def _shape(self) -> tuple[int, int]:
        """Chains and draws; fewer than asked for after an interrupt."""
        sizes = self.data["posterior"].sizes
        return sizes["chain"], sizes["draw"]

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

    def ranef_table(self, prob: float = 0.95) -> "HeadedTable":
        """Random effects: group, level, coef, mean, median, sd, interval, diagnostics."""
        return ranef_table(self.estimates(prob, ranef=True), self.design)

    @property
    def _draws(self) -> Draws:
        if self.draws is None:
            raise InputError("this result holds summaries only; predictions need its draws: sample again")
        return self.draws

    def _with(self, of_other_rows: bool = False, /, **groups: "Dataset") -> "DataTree":
        """A copy of the data with groups added or put in place of old ones.

        Where they are of other rows, what speaks of the fitted ones is left out.
        """
        from xarray import DataTree

        names = OF_NO_ROW if of_other_rows else self.data.children
        kept = {name: self.data[name].to_dataset() for name in names}
        tree = DataTree.from_dict(kept | groups)
        tree.attrs.update(self.data.attrs)
        return tree

    @cached_property
    def checks(self) -> tuple[Check, ...]:
        """R-hat, effective size, divergences, BFMI, Pareto k, moments, error of a rule: what applies."""
        moments = (*moment_checks(self.priors), *origin_checks(self.design))
        if self.mixture is not None:
            return (quadrature_check(*self.mixture.worst), *moments)
        table = summarize(*draws_by_label(self.data, self.design), prob=0.95, interval="eti")
        return (*all_checks(self.data, table, self.pareto_k), *moments)

    def __repr__(self) -> str:
        return "\n".join([*self._told, str(self.summary())])

    @property
    def _told(self) -> list[str]:
        """How it was sampled, why so, and the checks that failed."""
        failed = [str(check) for check in self.checks if not check.passed]
        chains, draws = self._shape
        size = f"{chains} chains x {draws} draws, seed {self.seed}"
        return [f"Posterior by {self.method}: {size}", self.reason, *failed]
