"""The fit as its user meets it: a record of numbers, and verbs that are answered elsewhere."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from bayeslmm.arguments import Face, verbs_in_our_words
from bayeslmm.errors import check_choice, check_seed, check_whole
from bayeslmm.estimands.headed import HeadedTable
from bayeslmm.likelihood.estimates import kept_rows, residual_rows, tell, wald_table
from bayeslmm.likelihood.looked_at import DdfWord
from bayeslmm.likelihood.prediction import predict
from bayeslmm.likelihood.quantities import blup, coef, point_table, variance_parts
from bayeslmm.likelihood.serial import ResidualsAlong, autocorrelation, variogram
from bayeslmm.likelihood.simulation import simulate
from bayeslmm.likelihood.summary import Summary, summarize
from bayeslmm.likelihood.tested import Tested
from bayeslmm.spec import variance_parts as shares
from bayeslmm.spec.combine import Weights
from bayeslmm.spec.prediction import NewLevels, PredictInterval, Prediction, PredictOptions, Random

if TYPE_CHECKING:
    from bayeslmm.estimands.table import EstimateTable
    from bayeslmm.likelihood.bootstrap.kinds.base import BootstrapKind, KindWord
    from bayeslmm.likelihood.bootstrap.result import Bootstrap
    from bayeslmm.likelihood.refit_many import RefitArrays


@verbs_in_our_words
class LikelihoodFit(Tested, Face):
    """A linear mixed model fitted by ML or REML: the numbers found, and what can be asked of them.

    Attributes
    ----------
    design : the model's matrices. options : how it was fitted. optimum : θ, the criterion there, and the
        evidence of convergence. formula : as written. recipe : how new rows become a design, for predictions.
    """

    INNER = (
        *(
            "at_fixed_point",
            "beta_values",
            "conditional",
            "delta",
            "kept",
            "lam",
            "natural_errors",
            "objective",
        ),
        *("of", "optimum", "options", "pwrss", "recipe", "residual_errors", "residual_natural"),
        *("sd_conditional", "sd_prediction", "solved", "theta_sigma", "theta_sigma_vcov", "theta_values"),
        "vcov_values",
    )

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
    def residual_parameters(self) -> HeadedTable:
        """Parameters of the residual's correlation and variance: name, value, se, lower, upper.

        Values are in nlme's definitions, but standard deviations by level absolute; limits are Wald's of
        95 %, on the scale on which the parameter's range has no end. What ``fixed=True`` keeps stands last,
        without an error, but for standard deviations, which σ moves.

        Examples
        --------
        >>> import bayeslmm as bl
        >>> ovary = bl.load_dataset("Ovary")
        >>> model = bl.LinearMixedModel("follicles ~ Time", ovary, correlation=bl.correlation.AR1("1 | Mare"))
        >>> model.fit().residual_parameters["name"].tolist()
        ['phi[AR1]']
        """
        kept = kept_rows(self, 0.95)
        rows = pd.concat([residual_rows(self, 0.95), kept]).rename_axis("name").reset_index()
        frame = rows.rename(columns={"estimate": "value"}).drop(columns="kind")
        said = f"; kept: {', '.join(kept.index)}" if len(kept) else ""
        return HeadedTable.of(frame, f"Parameters of the residual, 95 % Wald intervals{said}")

    def residual_acf(self, max_lag: int = 10, kind: ResidualsAlong = "normalized") -> HeadedTable:
        """Autocorrelation of residuals by rows of one group: lag, acf, n_pairs.

        Near 0 beyond lag 0 where normalized residuals are of the right model.

        Parameters
        ----------
        max_lag : int
            Up to how many rows apart.
        kind : {"normalized", "pearson", "response"}
        """
        heading = f"Autocorrelation of {kind} residuals by rows apart"
        return HeadedTable.of(autocorrelation(self, max_lag, kind), heading)

    def residual_variogram(self, bins: int = 10, kind: ResidualsAlong = "normalized") -> HeadedTable:
        """Half the squared difference of residuals of one group by distance: distance, variogram, n_pairs.

        Parameters
        ----------
        bins : int
            Of about as many pairs each; single distances where there are fewer.
        kind : {"normalized", "pearson", "response"}
        """
        return HeadedTable.of(variogram(self, bins, kind), f"Variogram of {kind} residuals by distance")

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
            By Var(β̂, b̂ − b) at the estimated θ (eq. 11), or by the errors of refits to simulated data, which
            count the estimation of θ, too.
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

    def coef(self) -> dict[str, pd.DataFrame]:
        """Coefficients by level, fixed effects plus BLUPs: by grouping factor, levels × coefs."""
        return coef(self)

    def blup(self, c: Weights = None, d: Weights = None, *, prob: float = 0.95) -> "EstimateTable":
        """c'β̂ + d'b̂ with the root of its prediction error variance as se (eq. 11), θ taken as known.

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
        [[19.666, 2.336]]
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
        if not isinstance(seed, np.random.Generator):
            check_seed(seed)
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
        kind: "KindWord | BootstrapKind" = "parametric",
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

    def _repr_html_(self) -> str:
        return self.summary()._repr_html_()


fit = LikelihoodFit.of
