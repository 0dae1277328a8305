"""A posterior as one looks at it: how it predicts, its checks and plots, and tidy tables."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bayeslmm.arguments import verbs_in_our_words
from bayeslmm.errors import check_choice
from bayeslmm.estimands.broom import Effects, wanted
from bayeslmm.estimands.headed import HeadedTable
from bayeslmm.posterior.broom import augment, glance, tidy
from bayeslmm.posterior.sampled import Sampled
from bayeslmm.posterior.summary.estimates import Interval, draws_by_label

if TYPE_CHECKING:
    import pandas as pd
    from plotly.graph_objects import Figure

    from bayeslmm.estimands.checkup import Checkup
    from bayeslmm.posterior.loo import Loo


@verbs_in_our_words
class LookedAt(Sampled):
    """The draws of a run, with the verbs that look at them."""

    def loo(self, unit: str = "row", *, refit: bool = True) -> "Loo":
        """How well each row, or each level of a grouping factor, is predicted by all others.

        Random effects and β are integrated out exactly (β where its prior is normal or flat), so that only
        the variance parameters are reweighted, by Pareto-smoothed importance sampling (eq. 18, 19).

        Parameters
        ----------
        unit : "row", or the name of a grouping factor or of any column, whose values are left out in turn.
        refit : sample the variance parameters without a unit where Pareto k is above 0.7.

        Returns
        -------
        Loo
            `elpd`, `se`, `p`, `looic`; `frame` by unit: elpd, p, pareto_k, refitted.

        Raises
        ------
        OptionError
            For a unit that is neither, or a design too large.
        DataError
            When the rows aren't in memory, or the column has gaps.

        Examples
        --------
        >>> post.loo("Subject").elpd  # doctest: +SKIP
        -886.1
        """
        from bayeslmm.posterior.loo import loo

        chains = self._draws.parameters
        return loo(self.design, self.priors, chains, self.options, self.seed, unit, refit, self.recipe)

    def tidy(
        self,
        effects: Effects = ("fixed", "ran_pars"),
        *,
        prob: float = 0.95,
        interval: Interval = "eti",
    ) -> HeadedTable:
        """One row a term, with the columns of R's broom.mixed.

        Parameters
        ----------
        effects : "fixed", "ran_pars" (standard deviations and correlations), "ran_vals" (random effects), or
            several.
        prob : of the intervals. interval : "eti" or "hdi".

        Returns
        -------
        effect, group, term, estimate (posterior mean), std.error (sd), conf.low, conf.high, ess, rhat.

        Raises
        ------
        OptionError
            For a misspelt option.
        """
        asked = wanted(effects)
        return tidy(self.estimates(prob, "ran_vals" in asked, interval), self.design, asked)

    def glance(self) -> HeadedTable:
        """One row on the whole: algorithm, pss (draws), nobs, sigma (posterior mean)."""
        return glance(self.design, self._draws, self.method)

    def augment(self, *, prob: float = 0.95) -> HeadedTable:
        """The fitted rows with .fitted (posterior mean), .se.fit, .lower, .upper, .resid."""
        return augment(self.design, self.recipe, self._draws, prob)

    def draws_frame(self, labels: str | Sequence[str] | None = None) -> "pd.DataFrame":
        """Draws by label: one row a draw, index (chain, draw).

        Parameters
        ----------
        labels : str or list of str, optional
            Parameters, ``"beta[Days]"``, and random effects, ``"ranef[Subject=308: Days]"``; all parameters
            if None.

        Raises
        ------
        OptionError
            For an unknown label.
        """
        import pandas as pd

        names, draws = draws_by_label(self.data, self.design, ranef=labels is not None)
        wanted = names if labels is None else (labels,) if isinstance(labels, str) else tuple(labels)
        place = {name: number for number, name in enumerate(names)}
        own = [place[check_choice("label", label, names)] for label in wanted]
        index = pd.MultiIndex.from_product([range(size) for size in self._shape], names=["chain", "draw"])
        return pd.DataFrame(draws[..., own].reshape(-1, len(own)), index=index, columns=list(wanted))

    def check(self, seed: int | None = 0) -> "Checkup":
        """What the run's checks and its replicated data show, in sentences.

        Parameters
        ----------
        seed : of the replicated data.
        """
        from bayeslmm.posterior.checkup import checkup

        return checkup(self.design, self._draws, self.checks, seed)

    def plot_ppc(self, *, n: int = 50, seed: int | None = 0) -> "Figure":
        """The density of the data over those of n replicated data sets.

        Parameters
        ----------
        n, seed : data sets, and of what is drawn.

        Raises
        ------
        OptionError
            For fewer than one data set.
        """
        from bayeslmm.posterior.checkup import replicated
        from bayeslmm.render.chains import plot_ppc

        return plot_ppc(self.design.response, self.design.y, replicated(self.design, self._draws, n, seed))

    def plot_trace(self, labels: str | Sequence[str] | None = None) -> "Figure":
        """Density and trace of parameters by chain.

        Parameters
        ----------
        labels : of parameters or random effects; all parameters if None.

        Raises
        ------
        OptionError
            For an unknown label.
        """
        from bayeslmm.render.chains import Trace, plot_traces

        found = self.draws_frame(labels)
        shape = self._shape
        return plot_traces([Trace(str(name), found[name].to_numpy().reshape(shape)) for name in found])

    def plot_weights(self) -> "Figure":
        """How often importance sampling's proposals are repeated, which is what their weights become.

        Raises
        ------
        OptionError
            When the run has no importance weights.
        """
        from bayeslmm.posterior.checkup import repeats
        from bayeslmm.render.chains import plot_repeats

        return plot_repeats(repeats(self.data, self.method))

    def plot_ranef(self, *, prob: float = 0.95) -> "Figure":
        """Random effects of every coef in order of size, with posterior intervals."""
        from bayeslmm.render.caterpillar import effect_panels, plot_caterpillar

        return plot_caterpillar(effect_panels(self.design, self.estimates(prob, ranef=True)))

    def plot_effects(self, variable: str, *, prob: float = 0.95) -> "Figure":
        """The mean over a variable of the fixed part, the others averaged over, with the data behind.

        Parameters
        ----------
        variable : a number or a factor of the fixed part. prob : of the interval of the mean.

        Raises
        ------
        OptionError
            For a name that isn't a variable of the fixed part.
        """
        from bayeslmm.posterior.means import PosteriorMeans
        from bayeslmm.render.effects import grid_of, plot_effects
        from bayeslmm.spec.grid import Grid, GridOptions

        shown = grid_of(self.design, self.recipe, variable)
        functions = Grid(self.design, self.recipe, GridOptions(variable, at=shown.at)).means()
        return plot_effects(shown, PosteriorMeans(functions, self._draws.beta, "mean", prob, "eti").table)
