"""What a posterior run brought."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from bayeslmm.arguments import verbs_in_our_words
from bayeslmm.errors import InputError
from bayeslmm.posterior.methods.mixture import NodeMixture
from bayeslmm.posterior.options import SampleOptions
from bayeslmm.posterior.predictive import posterior_predictive, predict, prior_predictive
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
from bayeslmm.spec.prediction import Prediction, PredictOptions, Random
from bayeslmm.spec.priors import Priors
from bayeslmm.spec.recipe import Recipe

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike
    from xarray import Dataset, DataTree

    from bayeslmm.estimands.table import EstimateTable


@verbs_in_our_words
@dataclass(frozen=True, eq=False)
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

    def ranef_table(self, prob: float = 0.95) -> "pd.DataFrame":
        """Random effects: group, level, coef, mean, median, sd, interval, diagnostics."""
        return ranef_table(self.estimates(prob, ranef=True), self.design)

    def predict(
        self,
        newdata: Any = None,
        random: Random = "all",
        new_levels: str = "error",
        interval: str | None = None,
        prob: float = 0.95,
        seed: int = 0,
        *,
        weights: "str | ArrayLike | None" = None,
        offset: "str | ArrayLike | None" = None,
    ) -> Prediction:
        """Predict the response for the fitted rows or new ones: the posterior mean of x'β + offset + z'b.

        Parameters
        ----------
        newdata : new rows, a table or the scalars of one row by name; None for the fitted rows.
        random : "all", "none" (the population), or names of groups ("Subject") and effects ("Subject: Days").
        new_levels : an unseen level is an "error", or its effect is the "population"'s 0 or a "draw".
        interval : None, "confidence" (of the mean) or "prediction" (of a new observation: random effects left
            out and the residual are added); both count the variance of an unseen level's effect.
        prob : of the interval. seed : of what is drawn.
        weights, offset : of new rows, a column or values; needed where the model's came as values (weights
            for interval="prediction" only).

        Returns
        -------
        Series with the rows' index; with an interval a DataFrame: prediction, se, lower, upper.

        Raises
        ------
        DataError
            When a column isn't there or of another kind, or a level is new and that is an error.
        OptionError
            For an unknown choice.
        """
        options = PredictOptions(random, new_levels, interval, prob, seed, weights, offset)
        return predict(self.design, self.recipe, self._draws, newdata, options)

    def posterior_predictive(self, seed: int = 0) -> "DataTree":
        """The data with a group ``posterior_predictive``: a new response of every row at every draw."""
        return self._with(posterior_predictive=posterior_predictive(self.design, self._draws, seed))

    def prior_predictive(self, draws: int = 500, seed: int = 0) -> "DataTree":
        """The data with the groups ``prior`` and ``prior_predictive``.

        Raises
        ------
        PriorError
            When a prior is flat, β's default among them: it has no draws.
        """
        made = prior_predictive(self.design, self.priors, draws, seed)
        return self._with(**{name: made[name].to_dataset() for name in made.children})

    def for_graph(self, kind: str = "explicit", *, centred: bool = False) -> "DataTree":
        """The data with ``posterior`` made of the variables that a graph samples, for PyMC's own functions.

        >>> with model.graph("explicit"):  # doctest: +SKIP
        ...     pm.sample_posterior_predictive(post.for_graph("explicit"))

        Parameters
        ----------
        kind, centred : as for ``model.graph``.
        """
        from bayeslmm.posterior.graph.free_variables import free_variables
        from bayeslmm.posterior.graph.graphs import build_graph

        graph = build_graph(self.design, self.priors, kind, centred)
        return self._with(posterior=free_variables(graph, self.design, self._draws))

    def by_group(self) -> "DataTree":
        """The data with ``log_likelihood`` by level of the first grouping factor, for leaving groups out.

        Raises
        ------
        InputError
            When there is no grouping factor, or too many rows and draws to have stored it.
        """
        if "log_likelihood_group" not in self.data:
            raise InputError(
                "there is no log likelihood by group: it needs a grouping factor, and it isn't stored where "
                "rows times draws are many; sample fewer draws"
            )
        return self._with(log_likelihood=self.data["log_likelihood_group"].to_dataset())

    @property
    def _draws(self) -> Draws:
        if self.draws is None:
            raise InputError("this result holds summaries only; predictions need its draws: sample again")
        return self.draws

    def _with(self, **groups: "Dataset") -> "DataTree":
        """A copy of the data with groups added or put in place of old ones."""
        from xarray import DataTree

        kept = {name: node.to_dataset() for name, node in self.data.children.items()}
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
        failed = [str(check) for check in self.checks if not check.passed]
        chains, draws = self._shape
        size = f"{chains} chains x {draws} draws, seed {self.seed}"
        head = f"Posterior by {self.method}: {size}"
        return "\n".join([head, self.reason, *failed, str(self.summary())])
