"""A fit as one looks at it: what its rows do to it, what is left over, its plots, and tidy tables."""

from typing import TYPE_CHECKING, Literal

from bayeslmm.arguments import verbs_in_our_words
from bayeslmm.estimands.broom import Effects
from bayeslmm.likelihood.diagnostics.residuals import ResidualKind, ResidualLevel
from bayeslmm.likelihood.estimates import wald_table
from bayeslmm.likelihood.fitted import Fitted

if TYPE_CHECKING:
    import pandas as pd
    from plotly.graph_objects import Figure

    from bayeslmm.estimands.checkup import Checkup
    from bayeslmm.likelihood.diagnostics.influence import Influence
    from bayeslmm.likelihood.diagnostics.simulated import SimulatedResiduals
    from bayeslmm.likelihood.inference.table import InferenceTable

type DdfWord = Literal[
    "kenward-roger", "satterthwaite", "kenward-roger-observed", "between-within", "residual", "normal"
]


@verbs_in_our_words
class LookedAt(Fitted):
    """The numbers of a fit, with the verbs that look at them."""

    def influence(self, unit: str = "row", *, search: bool = True) -> "Influence":
        """What leaving out each row, or each level of a grouping factor, changes.

        Fixed effects and σ follow exactly at the fit's θ, from one factor (eq. 19); θ by a Newton step from
        there, and by a search where a step would be too rough, or R has parameters or joins rows.

        Parameters
        ----------
        unit : "row", or the name of a grouping factor or of any column, whose values are left out in turn.
        search : False to leave it at the Newton steps; where R has parameters or joins rows, at β̂ and σ̂ for
            the fit's θ and φ.

        Returns
        -------
        Influence
            `table`: Cook's distance, MDFFITS, covariance ratio, change of every parameter; `dfbeta`,
            `dfbetas`, `estimates`, ``plot()``.

        Raises
        ------
        OptionError
            For a unit that is neither.
        DataError
            When the rows aren't in memory, or the column has gaps.

        Examples
        --------
        >>> import bayeslmm as bl
        >>> model = bl.LinearMixedModel("Reaction ~ Days + (Days | Subject)", bl.load_dataset("sleepstudy"))
        >>> found = model.fit().influence("Subject")
        >>> found.cooks_distance.round(3).head(3).tolist()
        [0.092, 0.149, 0.111]
        """
        from bayeslmm.likelihood.diagnostics.influence import influence

        return influence(self, unit, search)

    def residuals_of(
        self, kind: ResidualKind = "response", *, level: ResidualLevel = "conditional"
    ) -> "pd.Series[float]":
        """Residuals of a kind, with the index of the data.

        Parameters
        ----------
        kind : "response", "pearson" (over their standard deviation under the model) or "standardized" (over
            that which is left after fitting).
        level : "conditional", y − Xβ̂ − Zb̂, or "marginal", y − Xβ̂.

        Raises
        ------
        OptionError
            For another kind or level.
        DataError
            When the rows aren't in memory.
        """
        from bayeslmm.likelihood.diagnostics.residuals import residuals

        return residuals(self, kind, level)

    def simulated_residuals(self, n: int = 250, seed: int | None = 0) -> "SimulatedResiduals":
        """Where each response lies among those of n simulations, new random effects included.

        Parameters
        ----------
        n, seed : simulations, and their seed.

        Returns
        -------
        SimulatedResiduals
            `scaled`, uniform where the model holds; `tests` of uniformity, dispersion, outliers; ``plot()``.

        Raises
        ------
        OptionError
            For fewer than 20 simulations.
        DataError
            When the rows aren't in memory.
        """
        from bayeslmm.likelihood.diagnostics.simulated import simulated_residuals

        return simulated_residuals(self, n, seed)

    def check(self, n: int = 250, seed: int | None = 0) -> "Checkup":
        """What diagnostics show, in sentences: of convergence, residuals, random effects, influence, and X.

        Parameters
        ----------
        n, seed : of the simulated residuals.

        Raises
        ------
        DataError
            When the rows aren't in memory.
        """
        from bayeslmm.likelihood.diagnostics.checks import check

        return check(self, n, seed)

    def plot_serial(self, max_lag: int = 10, bins: int = 10) -> "Figure":
        """Autocorrelation of normalized residuals by lag, and their variogram by distance.

        Where the residual's structure is right the one is near 0 beyond lag 0, the other near 1 everywhere.

        Parameters
        ----------
        max_lag : up to how many rows apart. bins : of distances.

        Raises
        ------
        DataError
            When the rows aren't in memory.

        Examples
        --------
        >>> import bayeslmm as bl
        >>> model = bl.LinearMixedModel(
        ...     "follicles ~ Time", bl.load_dataset("Ovary"), correlation=bl.correlation.AR1("1 | Mare")
        ... )
        >>> len(model.fit().plot_serial().data) > 1
        True
        """
        from bayeslmm.likelihood.diagnostics.panels import serial_panels
        from bayeslmm.render.diagnostics import plot_panels

        return plot_panels(serial_panels(self, max_lag, bins))

    def plot_residuals(self) -> "Figure":
        """Standardized residuals over fitted values, and the root of their size."""
        from bayeslmm.likelihood.diagnostics.panels import residual_panels
        from bayeslmm.render.diagnostics import plot_panels

        return plot_panels(residual_panels(self))

    def plot_qq(self) -> "Figure":
        """Standardized residuals, and BLUPs of every coef, against normal quantiles with a band of 95 %."""
        from bayeslmm.likelihood.diagnostics.panels import quantile_panels
        from bayeslmm.render.diagnostics import plot_panels

        return plot_panels(quantile_panels(self))

    def plot_ranef(self, *, prob: float = 0.95) -> "Figure":
        """Random effects of every coef in order of size, with intervals of b̂ − b."""
        from bayeslmm.render.caterpillar import effect_panels, plot_caterpillar

        table = wald_table(self, prob, ranef=True)
        return plot_caterpillar(effect_panels(self.design, table))

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
        from bayeslmm.likelihood.inference.means import marginal_means
        from bayeslmm.render.effects import grid_of, plot_effects
        from bayeslmm.spec.grid import GridOptions

        shown = grid_of(self.design, self.recipe, variable)
        means = marginal_means(self, GridOptions(variable, at=shown.at), "satterthwaite", prob)
        return plot_effects(shown, means.estimates())

    def tidy(
        self,
        effects: Effects = ("fixed", "ran_pars"),
        *,
        ddf: DdfWord = "satterthwaite",
        prob: float = 0.95,
    ) -> "InferenceTable":
        """One row a term, with the columns of R's broom.mixed.

        Parameters
        ----------
        effects : "fixed", "ran_pars" (standard deviations and correlations), "ran_vals" (random effects), or
            several.
        ddf : degrees of freedom of the fixed effects' tests, as for `coef_table`. prob : of the intervals.

        Returns
        -------
        effect, group, term, estimate, std.error, statistic, df, p.value, conf.low, conf.high.

        Raises
        ------
        OptionError
            For a misspelt option.
        """
        from bayeslmm.likelihood.inference.broom import tidy

        return tidy(self, effects, ddf, prob)

    def glance(self) -> "InferenceTable":
        """One row on the whole: nobs, sigma, logLik, AIC, BIC, REMLcrit or deviance, df.residual."""
        from bayeslmm.likelihood.inference.broom import glance

        return glance(self)

    def augment(self) -> "InferenceTable":
        """The fitted rows with .fitted, .resid, .hat, .cooksd, .fixed, .offset, .weights, as broom.mixed.

        Raises
        ------
        DataError
            When the rows aren't in memory.
        """
        from bayeslmm.likelihood.inference.broom import augment

        return augment(self)
