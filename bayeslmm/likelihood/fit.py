"""The fit as its user meets it: a record of numbers, and verbs that are answered elsewhere."""

from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from bayeslmm.arguments import verbs_in_our_words
from bayeslmm.errors import check_whole
from bayeslmm.likelihood.estimates import tell, wald_table
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.likelihood.prediction import predict
from bayeslmm.likelihood.simulation import simulate
from bayeslmm.likelihood.summary import Summary, summarize
from bayeslmm.spec.prediction import Prediction, PredictOptions, Random

if TYPE_CHECKING:
    from bayeslmm.estimands.table import EstimateTable
    from bayeslmm.likelihood.bootstrap.kinds.base import BootstrapKind
    from bayeslmm.likelihood.bootstrap.result import Bootstrap
    from bayeslmm.likelihood.inference.hypotheses import HypothesisTest
    from bayeslmm.likelihood.inference.profile.profile import Profile
    from bayeslmm.likelihood.inference.table import InferenceTable
    from bayeslmm.likelihood.refit_many import RefitArrays


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
        new_levels: str = "error",
        interval: str | None = None,
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
