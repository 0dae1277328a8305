"""The fit as its user meets it: a record of numbers, and verbs that are answered elsewhere."""

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from bayeslmm.arguments import verbs_in_our_words
from bayeslmm.errors import check_choice, check_whole
from bayeslmm.likelihood.estimates import residual_rows, tell, wald_table
from bayeslmm.likelihood.looked_at import DdfWord, LookedAt
from bayeslmm.likelihood.prediction import predict
from bayeslmm.likelihood.quantities import blup, coef, point_table, variance_parts
from bayeslmm.likelihood.serial import autocorrelation, variogram
from bayeslmm.likelihood.simulation import simulate
from bayeslmm.likelihood.summary import Summary, summarize
from bayeslmm.spec import variance_parts as shares
from bayeslmm.spec.combine import Weights
from bayeslmm.spec.grid import GridOptions, GridWeights, Names
from bayeslmm.spec.prediction import NewLevels, PredictInterval, Prediction, PredictOptions, Random

if TYPE_CHECKING:
    from bayeslmm.estimands.table import EstimateTable
    from bayeslmm.likelihood.bootstrap.kinds.base import BootstrapKind
    from bayeslmm.likelihood.bootstrap.result import Bootstrap
    from bayeslmm.likelihood.inference.hypotheses import HypothesisTest
    from bayeslmm.likelihood.inference.means import MarginalMeans
    from bayeslmm.likelihood.inference.profile.profile import Profile
    from bayeslmm.likelihood.inference.table import InferenceTable
    from bayeslmm.likelihood.refit_many import RefitArrays

# what other rooms ask of a fit and dir() leaves out
INNER: tuple[str, ...] = (
    "conditional",
    "delta",
    "kept",
    "lam",
    "natural_errors",
    "objective",
    "optimum",
    "options",
    "pwrss",
    "residual_errors",
    "residual_natural",
)
INNER += ("recipe", "sd_conditional", "sd_prediction", "solved", "theta_sigma", "theta_sigma_vcov")


@verbs_in_our_words
class LikelihoodFit(LookedAt):
    """A linear mixed model fitted by ML or REML: the numbers found, and what can be asked of them.

    Attributes
    ----------
    design : the model's matrices. options : how it was fitted. optimum : θ, the criterion there, and the
        evidence of convergence. formula : as written. recipe : how new rows become a design, for predictions.
    """

    def estimates(self, prob: float = 0.95, ranef: bool = False) -> "EstimateTable":
        """Estimates, Wald standard errors and intervals by label; `notes` say why some are missing.

        Warns
        -----
        IntervalWarning
            Of errors and limits that aren't numbers, but for those on a boundary that the fit has told.
        """
        table = wald_table(self, prob, ranef)
        tell(table)
        return table

    @property
    def residual_parameters(self) -> pd.DataFrame:
        """Parameters of the residual's correlation and variance: name, value, se, lower, upper.

        Values are in nlme's definitions, but standard deviations by level absolute; limits are Wald's of
        95 %,
        on the scale on which the parameter's range has no end.

        Examples
        --------
        >>> import bayeslmm as bl
        >>> ovary = bl.load_dataset("Ovary")
        >>> model = bl.LinearMixedModel("follicles ~ Time", ovary, correlation=bl.correlation.AR1("1 | Mare"))
        >>> model.fit().residual_parameters["name"].tolist()
        ['phi[AR1]']
        """
        rows = residual_rows(self, 0.95).rename_axis("name").reset_index()
        return rows.rename(columns={"estimate": "value"}).drop(columns="kind")

    def residual_acf(self, max_lag: int = 10, kind: str = "normalized") -> pd.DataFrame:
        """Autocorrelation of residuals by rows of one group: lag, acf, n_pairs.

        Near 0 beyond lag 0 where normalized residuals are of the right model.

        Parameters
        ----------
        max_lag : int
            Up to how many rows apart.
        kind : {"normalized", "pearson", "response"}
        """
        return autocorrelation(self, max_lag, kind)

    def residual_variogram(self, bins: int = 10, kind: str = "normalized") -> pd.DataFrame:
        """Half the squared difference of residuals of one group by distance: distance, variogram, n_pairs.

        Parameters
        ----------
        bins : int
            Of about as many pairs each; single distances where there are fewer.
        kind : {"normalized", "pearson", "response"}
        """
        return variogram(self, bins, kind)

    def coef_table(self, ddf: DdfWord = "satterthwaite", prob: float = 0.95) -> "InferenceTable":
        """Coefficients with se, df, t, p and interval.

        Parameters
        ----------
        ddf : "satterthwaite", "kenward-roger" (whose se are adjusted), "residual" or "normal".
        prob : of the intervals.
        """
        from bayeslmm.likelihood.inference.coef_table import coef_table

        return coef_table(self, ddf, prob)

    @cached_property
    def vcov_kenward_roger(self) -> pd.DataFrame:
        """Covariance matrix of the fixed effects as Kenward & Roger adjust it; of REML fits."""
        from bayeslmm.likelihood.inference.ddf.kenward_roger import KenwardRoger

        names = list(self.design.coefs)
        return pd.DataFrame(KenwardRoger(self).vcov, index=names, columns=names)

    def anova(
        self,
        type: Literal[1, 2, 3] = 3,  # noqa: A002 (R's name)
        ddf: DdfWord = "satterthwaite",
    ) -> "InferenceTable":
        """An F test for each term of the fixed part, as in lmerTest.

        Parameters
        ----------
        type : {3, 2, 1}
            What a term is tested beside: all others (3), all that don't contain it (2), those before it (1).
        ddf : {"satterthwaite", "kenward-roger", "kenward-roger-observed", "residual", "normal"}
            Denominator degrees of freedom; Kenward-Roger's, for REML, also adjust Var(β̂) and scale F.

        Returns
        -------
        InferenceTable
            By term: sum_sq, mean_sq, num_df, den_df, F, p.

        Raises
        ------
        OptionError
            For another type, a misspelt method, or a fit without a formula.
        """
        from bayeslmm.likelihood.inference.anova import anova

        return anova(self, type, ddf)

    def test(
        self,
        hypothesis: "str | ArrayLike | pd.DataFrame",
        value: ArrayLike = 0.0,
        ddf: DdfWord = "satterthwaite",
        prob: float = 0.95,
    ) -> "HypothesisTest":
        """Test equations in the coefficients, together and one by one.

        Parameters
        ----------
        hypothesis : str, array_like or DataFrame
            Equations, ``"a - b = 0, 2*c = 1"``, without "=" compared with 0; or a matrix L, one column a
            coefficient, by name where it is a DataFrame.
        value : float or array_like
            What Lβ is compared with; equations say it themselves.
        ddf : {"satterthwaite", "kenward-roger", "kenward-roger-observed", "residual", "normal"}
            Denominator degrees of freedom.
        prob : float
            Of the intervals of each row.

        Returns
        -------
        HypothesisTest
            F, num_df, den_df, p of all together; ``rows``, a t test and interval of each.

        Raises
        ------
        OptionError
            For what can't be read, has the wrong length or isn't estimable; a misspelt method.
        """
        from bayeslmm.likelihood.inference.hypotheses import hypothesis_test

        return hypothesis_test(self, hypothesis, value, ddf, prob)

    def marginal_means(
        self,
        names: Names,
        *,
        by: Names | None = None,
        at: Mapping[str, Any] | None = None,
        grid_weights: GridWeights = "equal",
        ddf: DdfWord = "kenward-roger",
        prob: float = 0.95,
    ) -> "MarginalMeans":
        """Means of the response at combinations of variables of the fixed part, averaged over the others.

        Parameters
        ----------
        names : str or list of str
            Whose combinations are compared: factors by level, numbers at their mean or as `at` says. A number
            with two values, and one in ``C()``, counts as a factor.
        by : str or list of str, optional
            Contrasts stay within its combinations.
        at : mapping, optional
            Values, or levels, of some variables: ``{"Days": [0, 9]}``.
        grid_weights : {"equal", "proportional"}
            Of what is averaged over: every combination alike, or as often as the fitted rows have it.
        ddf : {"kenward-roger", "satterthwaite", "residual", "normal", "kenward-roger-observed"}
            Degrees of freedom; Kenward-Roger's is for REML.
        prob : float
            Of the intervals.

        Returns
        -------
        MarginalMeans
            ``table`` holds estimate, se, df, t, p, lower, upper; ``contrasts("pairwise" | "reference" |
            weights, adjust=...)`` compares. A mean that the data can't tell is NaN, with a note why.

        Raises
        ------
        OptionError
            For a name that isn't a variable of the fixed part, or an unknown choice.

        Examples
        --------
        >>> import bayeslmm as bl
        >>> oats = bl.load_dataset("Oats")
        >>> model = bl.LinearMixedModel("yield ~ nitro + Variety + (1 | Block/Variety)", oats)
        >>> means = model.fit().marginal_means("Variety")
        >>> means.table["estimate"].round(2).tolist()
        [104.5, 109.79, 97.62]
        """
        from bayeslmm.likelihood.inference.means import marginal_means

        return marginal_means(self, GridOptions(names, by, at or {}, grid_weights), ddf, prob)

    def slopes(
        self,
        variable: str,
        *,
        by: Names | None = None,
        at: Mapping[str, Any] | None = None,
        grid_weights: GridWeights = "equal",
        ddf: DdfWord = "kenward-roger",
        prob: float = 0.95,
    ) -> "MarginalMeans":
        """The change of the mean per unit of a number, at combinations of `by`, averaged over the rest.

        Options and result are those of `marginal_means`; contrasts compare the combinations of `by`.

        Raises
        ------
        OptionError
            For a factor, a name that isn't a variable of the fixed part, or an unknown choice.
        """
        from bayeslmm.likelihood.inference.means import slopes

        return slopes(self, variable, GridOptions(by or (), None, at or {}, grid_weights), ddf, prob)

    def ranova(
        self,
        reduce_terms: bool = True,
        exact: bool = False,
        n: int = 100_000,
        seed: int | None = 0,
        bootstrap: int = 0,
    ) -> "InferenceTable":
        """Likelihood-ratio tests of the random terms, each against the model without it.

        Parameters
        ----------
        reduce_terms : bool
            Take coefs away from a term that has several, one at a time, and not the whole term.
        exact : bool
            Simulate the exact null distribution where one variance is tested in a REML fit.
        n, seed : int
            Simulations of the exact distribution, and their seed.
        bootstrap : int
            Replicates of a parametric bootstrap of each ratio; 0 for none.

        Returns
        -------
        InferenceTable
            Without each term: n_params, loglik, aic; lrt, df, and p by χ², boundary, exact and bootstrap.

        Raises
        ------
        OptionError
            For a fit without random terms or without a formula.
        """
        from bayeslmm.likelihood.inference.ranova import RanovaOptions, ranova

        return ranova(self, RanovaOptions(reduce_terms, exact, n, seed, bootstrap))

    def profile(self, labels: Iterable[str] | None = None, n_points: int = 8) -> "Profile":
        """The profile likelihood (ML) of the labelled parameters, all if None: curves, limits, plots."""
        from bayeslmm.likelihood.inference.profile.profile import profile

        return profile(self, labels, n_points)

    def confint(
        self, method: str = "wald", prob: float = 0.95, n: int = 2000, seed: int | None = None
    ) -> "InferenceTable":
        """Intervals of all parameters: lower, upper by label.

        Parameters
        ----------
        method : "wald", "profile" (of the ML deviance) or "bootstrap" (percentiles). prob : of them.
        n, seed : of the bootstrap's replicates.
        """
        from bayeslmm.likelihood.inference.confint import confint

        return confint(self, method, prob, n, seed)

    def predict(
        self,
        newdata: Any = None,
        random: Random = "all",
        new_levels: NewLevels = "error",
        interval: PredictInterval = None,
        prob: float = 0.95,
        seed: int = 0,
        *,
        interval_method: Literal["analytic", "bootstrap"] = "analytic",
        n: int = 1000,
        weights: str | ArrayLike | None = None,
        offset: str | ArrayLike | None = None,
    ) -> Prediction:
        """Predict the response for the fitted rows or new ones: x'β̂ + offset + z'b̂.

        Parameters
        ----------
        newdata : table, mapping or Series, optional
            New rows, or the scalars of one row by name; None for the fitted rows.
        random : "all", "none", or names
            "none" is the population; names are of groups, ``["Subject"]``, or effects,
            ``["Subject: Days"]``.
        new_levels : {"error", "population", "draw"}
            An unseen level is an error, its effect is 0, or a draw; an interval counts its variance.
        interval : {None, "confidence", "prediction"}
            Of the mean, or of a new observation: random effects left out and the residual are added.
        prob : float
            Of the interval.
        seed : int
            Of what is drawn.
        interval_method : {"analytic", "bootstrap"}
            By Var(β̂, b̂ − b) at the estimated θ, or by the errors of refits to simulated data, which count the
            estimation of θ, too.
        n : int
            Of the bootstrap's data sets.
        weights, offset : str or array_like, optional
            Of new rows, a column or values; needed where the model's came as values (weights for
            ``interval="prediction"`` only).

        Returns
        -------
        Series or DataFrame
            With the rows' index; with an interval the columns prediction, se, lower, upper.

        Raises
        ------
        DataError
            When a column isn't there or of another kind, or a level is new and that is an error.
        OptionError
            For an unknown choice.
        """
        options = PredictOptions(random, new_levels, interval, prob, seed, weights, offset)
        check_choice("interval_method", interval_method, ("analytic", "bootstrap"))
        if interval is None or interval_method == "analytic":
            return predict(self, newdata, options)
        from bayeslmm.likelihood.bootstrap.prediction import predict_by_bootstrap

        return predict_by_bootstrap(self, newdata, options, n)

    def for_marginaleffects(self, ddf: DdfWord = "normal") -> Any:
        """The fit as the package marginaleffects takes models, for its predictions, comparisons and slopes.

        They are of the population, without random effects, with normal quantiles.

        Parameters
        ----------
        ddf : {"normal", "kenward-roger", ...}
            Whose covariance of β̂ counts; Kenward-Roger's is adjusted.

        Raises
        ------
        OptionError
            When the package isn't installed: ``pip install 'bayeslmm[marginaleffects]'``.

        Examples
        --------
        >>> import marginaleffects  # doctest: +SKIP
        >>> marginaleffects.avg_slopes(fit.for_marginaleffects())  # doctest: +SKIP
        """
        from bayeslmm.likelihood.inference.marginaleffects import for_marginaleffects

        return for_marginaleffects(self, ddf)

    def coef(self) -> dict[str, pd.DataFrame]:
        """Coefficients by level, fixed effects plus BLUPs: by grouping factor, levels × coefs."""
        return coef(self)

    def blup(self, c: Weights = None, d: Weights = None, *, prob: float = 0.95) -> "EstimateTable":
        """c'β̂ + d'b̂ with the root of its prediction error variance as se, θ taken as known.

        Parameters
        ----------
        c, d : mapping or array_like, optional
            Weights of fixed effects by coefficient, ``{"Days": 1}``, and of random effects by label,
            ``{"ranef[Subject=308: Days]": 1}``; or one or several rows of weights of all.
        prob : float
            Of the interval.

        Raises
        ------
        OptionError
            For an unknown name or the wrong number of weights.

        Examples
        --------
        >>> import bayeslmm as bl
        >>> model = bl.LinearMixedModel("Reaction ~ Days + (Days | Subject)", bl.load_dataset("sleepstudy"))
        >>> fit = model.fit()
        >>> slope = fit.blup({"Days": 1}, {"ranef[Subject=308: Days]": 1})
        >>> slope.frame[["estimate", "se"]].round(3).to_numpy().tolist()
        [[19.666, 2.437]]
        """
        return blup(self, c, d, prob)

    def variance_decomposition(self) -> "EstimateTable":
        """Var(y) = Var(Xβ) + Var(Zb) + Var(e): variance[...] and share[...] by source.

        Var(Xβ̂) is the sample's, without the offset; a grouping factor's is the mean over rows of zᵀTz; the
        residual's is σ̂², of an observation with weight 1.
        """
        return point_table(self, shares.decomposition(variance_parts(self)))

    def r2(self) -> "EstimateTable":
        """r2[marginal], the fixed part's share of the variance, and r2[conditional], with random effects.

        Nakagawa & Schielzeth (2013), with random slopes as in Johnson (2014).
        """
        return point_table(self, shares.r2(variance_parts(self)))

    def icc(self) -> "EstimateTable":
        """icc[adjusted] (beside the fixed part), icc[unadjusted] (of all variance), and each factor's."""
        return point_table(self, shares.icc(variance_parts(self)))

    def simulate(self, n: int = 1, seed: int | np.random.Generator | None = None) -> pd.DataFrame:
        """New responses from the fitted model, new random effects included: rows × n."""
        check_whole("n", n, 1)
        values = simulate(self, n, np.random.default_rng(seed))
        return pd.DataFrame(
            values, index=self.fitted.index, columns=pd.RangeIndex(1, n + 1, name="simulation")
        )

    def refit_many(self, responses: ArrayLike) -> "RefitArrays":
        """The same model fitted to m responses (m, n): arrays of theta, beta, sigma and the criterion."""
        from bayeslmm.likelihood.refit_many import refit_many

        return refit_many(self, responses)

    def bootstrap(
        self,
        n: int = 2000,
        kind: "str | BootstrapKind" = "parametric",
        seed: int | None = None,
        n_jobs: int = 1,
        ranef: bool = False,
        progress: bool = True,
        *,
        se: bool = False,
        store: str | Path | None = None,
        statistic: "Callable[[LikelihoodFit], Any] | None" = None,
        client: Any = None,
        statistic_name: str | None = None,
        **of_kind: Any,
    ) -> "Bootstrap":
        """Make replicates and refit them.

        Parameters
        ----------
        n : int
            Replicates.
        kind : {"parametric", "residual", "cases", "wild", "random-effects block"} or a record
            What makes them; `of_kind` are its own options.
        seed : int, optional
            Same seed, same numbers for any number of processes; None draws one, which the result records.
        n_jobs : int
            Processes.
        ranef : bool
            Keep the random effects of every refit, too.
        progress : bool
            Show how far it is.
        se : bool
            Keep standard errors, which studentized intervals need.
        store : path, optional
            Where finished replicates are kept, to go on from after a stop.
        statistic : callable, optional
            From a refit to numbers, in place of the parameters.
        client : optional
            A Dask client, in place of processes.
        statistic_name : str, optional
            Of a statistic that has no name, for the store.
        **of_kind
            The kind's own options.

        Returns
        -------
        Bootstrap
            Its draws, with intervals of several kinds.

        Raises
        ------
        OptionError
            For an unknown kind or option, before any work.
        """
        from bayeslmm.likelihood.bootstrap.run import BootstrapOptions, bootstrap

        common = (n, kind, seed, n_jobs, ranef, progress, se, store, statistic, client, statistic_name)
        return bootstrap(self, BootstrapOptions(*common), **of_kind)

    def summary(self, ddf: DdfWord | Literal["auto"] | None = "auto") -> Summary:
        """The fit as a page of tables.

        Parameters
        ----------
        ddf : degrees of freedom of the fixed effects' tests, as for `coef_table`; "auto" for Satterthwaite's,
            or normal ones for large models and rows that aren't in memory; None for t alone.

        Raises
        ------
        OptionError
            For a misspelt method.
        """
        if ddf == "auto":
            ddf = "satterthwaite" if self.design.in_memory and self.design.kernel.small else "normal"
        return summarize(self, None if ddf is None else self.coef_table(ddf))

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if name not in INNER]

    def _repr_html_(self) -> str:
        return self.summary()._repr_html_()


fit = LikelihoodFit.of
