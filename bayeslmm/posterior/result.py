"""A posterior run as its user meets it: a record of draws, and verbs that are answered elsewhere."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from bayeslmm.arguments import Face, verbs_in_our_words
from bayeslmm.errors import InputError
from bayeslmm.markup import paragraph
from bayeslmm.posterior.looked_at import LookedAt
from bayeslmm.posterior.means import PosteriorMeans
from bayeslmm.posterior.options import GraphWord
from bayeslmm.posterior.predictive import (
    epred,
    log_likelihood,
    posterior_predictive,
    predict,
    prior_predictive,
)
from bayeslmm.posterior.quantities import blup, draws_table, variance_parts
from bayeslmm.posterior.summary.estimates import Interval, draws_by_label
from bayeslmm.spec import variance_parts as shares
from bayeslmm.spec.combine import Weights
from bayeslmm.spec.grid import Grid, GridOptions, GridWeights, Names
from bayeslmm.spec.labels import beta_labels
from bayeslmm.spec.prediction import NewLevels, PredictInterval, Prediction, PredictOptions, Random
from bayeslmm.spec.priors import Preset, preset

if TYPE_CHECKING:
    from numpy.typing import ArrayLike
    from xarray import DataArray, DataTree

    from bayeslmm.estimands.table import EstimateTable
    from bayeslmm.posterior.hypotheses import PosteriorHypothesis


@verbs_in_our_words
class PosteriorResult(LookedAt, Face):
    """A posterior run: its draws, their summaries, and what can be asked of them.

    Attributes
    ----------
    data : DataTree with ArviZ's groups. method, reason : how it was sampled, and why so.
    design, priors, options, seed : what was sampled. n_draws, checks : of the run. See `Sampled`.
    """

    INNER = ("draws", "mixture", "recipe")

    def _repr_html_(self) -> str:
        head, *others = self._told
        said = "".join(map(paragraph, others))
        return paragraph(head, strong=True) + said + self.summary()._repr_html_()

    def predict(
        self,
        newdata: Any = None,
        random: Random = "all",
        new_levels: NewLevels = "error",
        interval: PredictInterval = None,
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

    def epred(
        self,
        newdata: Any = None,
        *,
        random: Random = "all",
        new_levels: NewLevels = "error",
        seed: int = 0,
        offset: "str | ArrayLike | None" = None,
    ) -> "DataArray":
        """Draws of the mean x'β + offset + z'b of the fitted rows or new ones, (chain, draw, row).

        Parameters
        ----------
        newdata, random, offset
            As for `predict`.
        new_levels : {"error", "population", "draw"}
            An unseen level is an error, has effect 0, or an effect drawn at every draw of its variance.
        seed : int
            Of what is drawn.

        Raises
        ------
        DataError, OptionError
            As for `predict`.
        """
        options = PredictOptions(random, new_levels, None, 0.95, seed, None, offset)
        return epred(self.design, self.recipe, self._draws, newdata, options)

    def posterior_predictive(
        self,
        seed: int | None = None,
        *,
        newdata: Any = None,
        random: Random = "all",
        new_levels: NewLevels = "error",
        weights: "str | ArrayLike | None" = None,
        offset: "str | ArrayLike | None" = None,
    ) -> "DataTree":
        """The data with a group ``posterior_predictive``: a new response of every row at every draw.

        Of new rows the groups that speak of the fitted ones are left out. Effects that the data don't tell,
        of unseen levels and of groups left out of `random`, are drawn: one a level at every draw, so that
        rows of one level go together.

        Parameters
        ----------
        seed : int, optional
            None for the run's own.
        newdata, random, new_levels, weights, offset
            As for `predict`; "population" and "draw" are the same for a new observation.

        Raises
        ------
        DataError, OptionError
            As for `predict`.
        """
        own = self.seed if seed is None else seed
        options = PredictOptions(random, new_levels, "prediction", 0.95, own, weights, offset)
        made = posterior_predictive(self.design, self.recipe, self._draws, newdata, options)
        return self._with(newdata is not None, posterior_predictive=made)

    def log_likelihood(
        self,
        newdata: Any = None,
        *,
        random: Random = "all",
        new_levels: NewLevels = "error",
        weights: "str | ArrayLike | None" = None,
        offset: "str | ArrayLike | None" = None,
    ) -> "DataArray":
        """log p(y_i | β, b, σ) of the fitted rows or of new ones with their responses, (chain, draw, row).

        Effects of unseen levels, and those left out of `random`, are integrated out, row by row.

        Parameters
        ----------
        newdata, random, new_levels, weights, offset
            As for `predict`.

        Raises
        ------
        DataError, OptionError
            As for `predict`; when the response isn't there.
        """
        options = PredictOptions(random, new_levels, "prediction", 0.95, 0, weights, offset)
        return log_likelihood(self.design, self.recipe, self._draws, newdata, options)

    def prior_predictive(
        self, draws: int = 500, seed: int = 0, *, priors: "Preset | None" = None
    ) -> "DataTree":
        """The data with the groups ``prior`` and ``prior_predictive``; as ``model.prior_predictive``.

        Parameters
        ----------
        draws, seed : int
            How many, and of what is drawn.
        priors : "weak", optional
            Put weakly informative priors in place of flat ones, β's defaults among them.

        Raises
        ------
        PriorError
            When a prior is flat: it has no draws.
        """
        made = prior_predictive(self.design, preset(self.design, self.priors, priors), draws, seed)
        return self._with(**{name: made[name].to_dataset() for name in ("prior", "prior_predictive")})

    def marginal_means(
        self,
        names: Names,
        *,
        by: "Names | None" = None,
        at: Mapping[str, Any] | None = None,
        grid_weights: GridWeights = "equal",
        prob: float = 0.95,
        interval: Interval = "eti",
    ) -> "PosteriorMeans":
        """Means of the response at combinations of variables of the fixed part, averaged over the others.

        The grid is that of a fit's `marginal_means`; each draw of β is put into it.

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
        prob : float
            Of the intervals.
        interval : {"eti", "hdi"}
            With equal tails, or of highest density.

        Returns
        -------
        PosteriorMeans
            ``table`` holds mean, median, sd, lower, upper and P(> 0 | y); ``contrasts("pairwise" |
            "reference" | weights)`` compares. A mean that the data can't tell is NaN, with a note why.

        Raises
        ------
        OptionError
            For a name that isn't a variable of the fixed part, or an unknown choice.
        """
        functions = Grid(self.design, self.recipe, GridOptions(names, by, at or {}, grid_weights)).means()
        return PosteriorMeans(functions, self._draws.beta, "mean", prob, interval)

    def slopes(
        self,
        variable: str,
        *,
        by: "Names | None" = None,
        at: Mapping[str, Any] | None = None,
        grid_weights: GridWeights = "equal",
        prob: float = 0.95,
        interval: Interval = "eti",
    ) -> "PosteriorMeans":
        """The change of the mean per unit of a number, at combinations of `by`, averaged over the rest.

        Options and result are those of `marginal_means`; contrasts compare the combinations of `by`.

        Raises
        ------
        OptionError
            For a factor, a name that isn't a variable of the fixed part, or an unknown choice.
        """
        options = GridOptions(by or (), None, at or {}, grid_weights)
        functions = Grid(self.design, self.recipe, options).slopes(variable)
        return PosteriorMeans(functions, self._draws.beta, "slope", prob, interval)

    def blup(self, c: Weights = None, d: Weights = None, *, prob: float = 0.95) -> "EstimateTable":
        """Posterior of c'β + d'b.

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
        """
        return blup(self.design, self._draws, c, d, prob)

    def variance_decomposition(self, *, prob: float = 0.95) -> "EstimateTable":
        """Var(y) = Var(Xβ) + Var(Zb) + Var(e): variance[...] and share[...] by source, of every draw."""
        return self._of_parts(shares.decomposition, prob)

    def r2(self, *, prob: float = 0.95) -> "EstimateTable":
        """r2[marginal] and r2[conditional] of Nakagawa & Schielzeth, of every draw."""
        return self._of_parts(shares.r2, prob)

    def icc(self, *, prob: float = 0.95) -> "EstimateTable":
        """icc[adjusted] (beside the fixed part), icc[unadjusted] (of all) and each factor's, by draw."""
        return self._of_parts(shares.icc, prob)

    def _of_parts(self, quantities: "Callable[..., dict[str, Any]]", prob: float) -> "EstimateTable":
        return draws_table(quantities(variance_parts(self.design, self._draws)), prob)

    def hypothesis(self, text: str) -> "PosteriorHypothesis":
        """The posterior probability of a comparison, and its Bayes factor where the priors are proper.

        Parameters
        ----------
        text : str
            One comparison of a sum of labelled parameters, coefficients with or without ``beta[...]``:
            ``"Days > 5"``, ``"sd[Subject: Days] < sigma"``, ``"2*beta[a] - beta[b] = 0"``. For "=" the Bayes
            factor is Savage and Dickey's ratio of densities.

        Raises
        ------
        OptionError
            When it can't be read.

        Examples
        --------
        >>> post.hypothesis("beta[Days] > 5").probability  # doctest: +SKIP
        0.999
        """
        from bayeslmm.posterior.hypotheses import Comparison, hypothesis
        from bayeslmm.spec.equations import parse_comparison

        names, draws = draws_by_label(self.data, self.design, ranef="ranef[" in text)
        short = dict(zip(self.design.coefs, beta_labels(self.design), strict=True))
        row, value, sign = parse_comparison(text, names, short)
        own = np.flatnonzero(row)
        asked = Comparison(text, tuple(names[place] for place in own), row[own], value, sign)
        return hypothesis(self.design, self.priors, self._draws, asked, draws[..., own] @ row[own])

    def for_graph(self, kind: GraphWord = "explicit", *, centred: bool = False) -> "DataTree":
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
