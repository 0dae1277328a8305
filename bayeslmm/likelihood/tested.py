"""A fit as one tests it: hypotheses and intervals of its parameters, means and slopes."""

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd
from numpy.typing import ArrayLike

from bayeslmm.arguments import verbs_in_our_words
from bayeslmm.likelihood.looked_at import DdfWord, LookedAt
from bayeslmm.spec.grid import GridOptions, GridWeights, Names

if TYPE_CHECKING:
    from bayeslmm.likelihood.inference.confint.base import ConfintWord
    from bayeslmm.likelihood.inference.hypotheses import HypothesisTest
    from bayeslmm.likelihood.inference.means import MarginalMeans
    from bayeslmm.likelihood.inference.profile.profile import Profile
    from bayeslmm.likelihood.inference.table import InferenceTable


@verbs_in_our_words
class Tested(LookedAt):
    """The numbers of a fit, with the verbs that test them."""

    def coef_table(self, ddf: DdfWord = "satterthwaite", prob: float = 0.95) -> "InferenceTable":
        """Coefficients with se, df (eq. 13), t, p and interval.

        Parameters
        ----------
        ddf : "satterthwaite", "kenward-roger" (whose se are adjusted), "between-within", "residual" or
            "normal".
        prob : of the intervals.
        """
        from bayeslmm.likelihood.inference.coef_table import coef_table

        return coef_table(self, ddf, prob)

    @cached_property
    def vcov_kenward_roger(self) -> pd.DataFrame:
        """Covariance matrix of the fixed effects as Kenward & Roger adjust it (eq. 14); of REML fits."""
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
        ddf : {"satterthwaite", "kenward-roger", "kenward-roger-observed", "between-within", "residual",
            "normal"}
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
        ddf : {"satterthwaite", "kenward-roger", "kenward-roger-observed", "between-within", "residual",
            "normal"}
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
        ddf : {"kenward-roger", "satterthwaite", "between-within", "residual", "normal",
            "kenward-roger-observed"}
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

    def profile(self, labels: str | Iterable[str] | None = None, n_points: int = 8) -> "Profile":
        """The profile likelihood (ML) of the labelled parameters, all if None: curves, limits, plots."""
        from bayeslmm.likelihood.inference.profile.profile import profile

        return profile(self, labels, n_points)

    def confint(
        self, method: "ConfintWord" = "wald", prob: float = 0.95, n: int = 2000, seed: int | None = None
    ) -> "InferenceTable":
        """Intervals of all parameters: lower, upper by label.

        Parameters
        ----------
        method : "wald", "profile" (of the ML deviance) or "bootstrap" (percentiles). prob : of them.
        n, seed : of the bootstrap's replicates.
        """
        from bayeslmm.likelihood.inference.confint import confint

        return confint(self, method, prob, n, seed)

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
