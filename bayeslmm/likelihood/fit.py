"""The fit as its user meets it: a record of numbers, and verbs that are answered elsewhere."""

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from bayeslmm.arguments import verbs_in_our_words
from bayeslmm.errors import check_whole
from bayeslmm.likelihood.estimates import tell, wald_table
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.likelihood.prediction import predict
from bayeslmm.likelihood.quantities import blup, coef, point_table, variance_parts
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

type DdfWord = Literal["kenward-roger", "satterthwaite", "kenward-roger-observed", "residual", "normal"]


@verbs_in_our_words
class LikelihoodFit(Fitted):
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

    def coef_table(self, ddf: str = "satterthwaite", prob: float = 0.95) -> "InferenceTable":
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

    def anova(self, type: int = 3, ddf: str = "satterthwaite") -> "InferenceTable":  # noqa: A002 (R's name)
        """An F test for each term of the fixed part, of type 1, 2 or 3 as in lmerTest."""
        from bayeslmm.likelihood.inference.anova import anova

        return anova(self, type, ddf)

    def test(
        self,
        hypothesis: "str | ArrayLike | pd.DataFrame",
        value: ArrayLike = 0.0,
        ddf: str = "satterthwaite",
        prob: float = 0.95,
    ) -> "HypothesisTest":
        """Test equations in the coefficients, "a - b = 0, c = 2" or a matrix L with Lβ = value."""
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
        """Likelihood-ratio tests of the random terms; the options are those of `RanovaOptions`."""
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
        weights: str | ArrayLike | None = None,
        offset: str | ArrayLike | None = None,
    ) -> Prediction:
        """Predict the response for the fitted rows or new ones: x'β̂ + offset + z'b̂.

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
        return predict(self, newdata, options)

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
        """Make replicates and refit them; the options are those of `BootstrapOptions`, others the kind's."""
        from bayeslmm.likelihood.bootstrap.run import BootstrapOptions, bootstrap

        common = (n, kind, seed, n_jobs, ranef, progress, se, store, statistic, client, statistic_name)
        return bootstrap(self, BootstrapOptions(*common), **of_kind)

    def summary(self) -> Summary:
        """The fit as a page of tables."""
        return summarize(self)

    def _repr_html_(self) -> str:
        return self.summary()._repr_html_()


fit = LikelihoodFit.of
