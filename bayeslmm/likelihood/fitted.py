"""What a fit found: its numbers as a frozen record, each read off the optimum when it is first asked for."""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from math import nan, sqrt
from typing import Any, Self, get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from bayeslmm.errors import (
    ConvergenceWarning,
    DataError,
    OptionError,
    SingularFitWarning,
    caution,
    check_choice,
    check_whole,
)
from bayeslmm.estimands.headed import HeadedTable
from bayeslmm.kernel.effects.conditional import Conditional
from bayeslmm.kernel.values.solved import Solved
from bayeslmm.likelihood import random_effects as ranef_tables
from bayeslmm.likelihood.criterion import Criterion
from bayeslmm.likelihood.curvature import errors_of
from bayeslmm.likelihood.delta_method import NaturalErrors, ThetaSigma, natural_errors, theta_sigma
from bayeslmm.likelihood.digits import given_start, with_digits
from bayeslmm.likelihood.optimum import Convergence, Optimum, optimize
from bayeslmm.likelihood.row_values import hat_values
from bayeslmm.likelihood.varcorr import varcorr_table
from bayeslmm.one_thread import one_thread
from bayeslmm.spec.design import Design
from bayeslmm.spec.given import check_order
from bayeslmm.spec.model_spec import CriterionWord
from bayeslmm.spec.recipe import Recipe
from bayeslmm.spec.residual import Parameters

type Array = NDArray[np.float64]

CRITERIA = get_args(CriterionWord.__value__)
ROUNDS = 100  # of a variance of fitted values
STILL = 1e-9  # of the response's spread, what fitted values may move at its fixed point


@dataclass(frozen=True, slots=True)
class FitOptions:
    """How to fit.

    Attributes
    ----------
    criterion : "REML" or "ML". start : (n_theta,) θ to begin with, or None. max_iter : evaluations allowed.
    """

    criterion: str = "REML"
    start: tuple[float, ...] | None = None
    max_iter: int = 500

    def objective(self, design: Design) -> Criterion:
        """The criterion of a design as a function of x = (θ, φ)."""
        return Criterion.of(design, self.criterion == "REML")


@dataclass(frozen=True, eq=False)
class Fitted:
    """The numbers of a linear mixed model fitted by ML or REML.

    Attributes
    ----------
    design : the model's matrices, R at the estimate of φ. options : how it was fitted. optimum : x = (θ, φ),
        the criterion there, and the evidence of convergence. formula : as written. recipe : how new rows
        become a design.
    """

    design: Design
    options: FitOptions
    optimum: Optimum
    formula: str = field(default="")
    recipe: Recipe | None = field(default=None, repr=False)

    @classmethod
    def of(cls, design: Design, options: FitOptions, formula: str = "", recipe: Recipe | None = None) -> Self:
        """Fit by ML or REML.

        Raises
        ------
        OptionError
            For a misspelt criterion, or start values so large that nothing there has digits.
        DataError
            When σ can't be told from a term's variance.

        Warns
        -----
        SingularFitWarning
            When some direction of a covariance vanished. ConvergenceWarning, when the evidence doesn't hold.
        """
        check_options(design, options)
        start = None if options.start is None else given_start(design, options.start)
        criterion = options.objective(design)
        optimum = optimize(criterion, start, options.max_iter)
        sharper = with_digits(criterion, design, optimum.x)
        if sharper is not criterion:
            optimum = optimize(sharper, optimum.x, options.max_iter).after(optimum)
        _warn(optimum.convergence)
        settled = design.at_phi(design.coordinates.phi(optimum.x))
        found = cls(settled, options, optimum, formula, recipe)
        return found.at_fixed_point(max_rounds=ROUNDS) if design.residual.of_fitted else found

    def at_fixed_point(self, max_rounds: int) -> Self:
        """The fit at which R is of its own fitted values, by refits with those of the last one, as nlme's.

        Warns
        -----
        ConvergenceWarning
            When fitted values still move after so many rounds.
        """
        last, scale = self, float(np.std(self.design.y))
        for _ in range(max_rounds):
            values = np.asarray(last.fitted, dtype=np.float64)
            design = replace(last.design, residual=last.design.residual.with_fitted(values))
            optimum = optimize(last.options.objective(design), last.optimum.x, last.options.max_iter)
            if not np.isfinite(optimum.value):
                break
            settled = design.at_phi(design.coordinates.phi(optimum.x))
            last = replace(last, design=settled, optimum=optimum)
            if np.max(np.abs(last.fitted - values)) < STILL * scale:
                return last
        caution(
            f"the variance of fitted values has no fixed point within {max_rounds} rounds; take a "
            "column instead",
            ConvergenceWarning,
        )
        return last

    def refit(self, y: ArrayLike) -> Self:
        """The same model fitted to another response (n,), one value for each row used."""
        if isinstance(y, pd.Series):
            check_order("y", y, self.design.index)
        response = np.array(y, dtype=np.float64)
        if response.shape != (self.design.n,) or not np.isfinite(response).all():
            raise OptionError(
                f"y has shape {response.shape}; refit needs {self.design.n} finite values, one a row used"
            )
        recipe = self.recipe and replace(self.recipe, origin=None)  # whose response was another
        return self.of(self.design.with_response(response), self.options, self.formula, recipe)

    @property
    def criterion(self) -> str:
        return self.options.criterion

    @property
    def reml(self) -> bool:
        return self.options.criterion == "REML"

    @property
    def theta_values(self) -> Array:
        """(n_theta,) without labels."""
        return self.design.coordinates.theta(self.optimum.x)

    @cached_property
    def theta(self) -> pd.Series:
        """Relative Cholesky parameters, in lme4's order."""
        return pd.Series(self.theta_values, index=list(self.design.covariance.names), name="theta")

    @cached_property
    def lam(self) -> Array:
        """(n_lam,) the blocks' relative factors, flat."""
        return self.design.covariance.flat(self.theta_values)

    @cached_property
    def conditional(self) -> Conditional:
        """Moments and random effects at the optimum."""
        with one_thread():
            return self.objective.conditional(self.lam)

    @cached_property
    def solved(self) -> Solved:
        """Generalized least squares at the optimum, in the kernel's coordinates."""
        with one_thread():
            return self.objective.solved(self.conditional)

    @property
    def delta(self) -> Array:
        """(p,) β̂ in the kernel's coordinates."""
        return self.solved.delta

    @cached_property
    def beta_values(self) -> Array:
        """(p,) generalized least-squares coefficients at the optimum."""
        return self.design.kernel.to_beta(self.delta)

    @property
    def pwrss(self) -> float:
        """r² = A_yy − A_yX A_XX⁻¹A_Xy, the penalized weighted residual sum of squares."""
        return self.solved.r2

    @cached_property
    def sigma(self) -> float:
        """Residual standard deviation: the known one, or √(r²/(n − p)) by REML, √(r²/n) by ML.

        NaN where rounding has left nothing of r², as where a search hasn't converged.
        """
        if (known := self.design.residual.sigma) is not None:
            return known
        square = self.pwrss / (self.design.n - self.design.p * self.reml)
        return sqrt(square) if square >= 0 else nan

    @cached_property
    def vcov_values(self) -> Array:
        """(p, p) σ²(XᵀV₀⁻¹X)⁻¹."""
        root = np.linalg.solve(self.design.kernel.R_X, np.eye(self.design.p))
        return self.sigma**2 * root @ self.solved.inverse @ root.T

    @cached_property
    def beta(self) -> pd.Series:
        """Fixed-effects estimates by coefficient name (eq. 3)."""
        return pd.Series(self.beta_values, index=list(self.design.coefs), name="beta")

    @cached_property
    def se(self) -> pd.Series:
        """Standard errors of the fixed effects by coefficient name."""
        return pd.Series(errors_of(np.diag(self.vcov_values)), index=list(self.design.coefs), name="se")

    @cached_property
    def vcov(self) -> pd.DataFrame:
        """Covariance matrix of the fixed effects."""
        names = list(self.design.coefs)
        return pd.DataFrame(self.vcov_values, index=names, columns=names)

    @property
    def criterion_value(self) -> float:
        """−2 log-likelihood (ML, eq. 4) or −2 restricted log-likelihood (REML, eq. 5)."""
        return self.optimum.value

    @property
    def loglik(self) -> float:
        return -0.5 * self.optimum.value

    @property
    def n_params(self) -> int:
        """p + n_theta + n_phi, and 1 more where σ is estimated."""
        residual = self.design.residual
        return self.design.p + self.design.n_theta + residual.n_phi + residual.sigma_free

    @property
    def aic(self) -> float:
        return self.optimum.value + 2 * self.n_params

    @property
    def bic(self) -> float:
        """With the logarithm of n, as lme4 has it, for both criteria."""
        return self.optimum.value + float(np.log(self.design.n)) * self.n_params

    @property
    def convergence(self) -> Convergence:
        return self.optimum.convergence

    @property
    def is_singular(self) -> bool:
        """Whether some direction of some term's covariance has vanished."""
        return bool(self.optimum.convergence.vanished)

    @cached_property
    def objective(self) -> Criterion:
        """The criterion as a function of x."""
        return with_digits(self.options.objective(self.design), self.design, self.optimum.x)

    @cached_property
    def varcorr(self) -> HeadedTable:
        """Absolute sd, var, cor and cov: columns group, coef, coef2, kind, value; the residual's last."""
        return varcorr_table(self.design.covariance, self.theta_values, self.sigma)

    @cached_property
    def b(self) -> Array:
        """(q,) BLUPs in the order of Z's columns."""
        return self.conditional.solution(self.delta)

    @cached_property
    def sd_conditional(self) -> Array:
        """(q,) √Var(b | y, β), what lme4 calls condVar."""
        blocks = ranef_tables.conditional_covariances(self.conditional, self.sigma)
        return ranef_tables.standard_deviations(blocks)

    @cached_property
    def sd_prediction(self) -> Array:
        """(q,) √Var(b̂ − b), the estimation of β included (eq. 10)."""
        blocks = ranef_tables.prediction_covariances(self.design, self.conditional, self.sigma)
        return ranef_tables.standard_deviations(blocks)

    def ranef(self) -> dict[str, pd.DataFrame]:
        """BLUPs by grouping factor, levels × coefs (eq. 9)."""
        return ranef_tables.by_group(self.design, self.b)

    def ranef_table(self) -> HeadedTable:
        """BLUPs one a row: group, level, coef, value, sd_conditional (eq. 9), sd_prediction (eq. 10)."""
        return ranef_tables.tidy(self.design, self.b, self.sd_conditional, self.sd_prediction)

    @cached_property
    def fitted(self) -> "pd.Series[float]":
        """Xβ̂ + Zb̂ + offset, with the index of the data."""
        design = self.design
        values = design.X @ self.beta_values + design.Z @ self.b + design.offset
        return pd.Series(values, index=design.index, name="fitted")

    @cached_property
    def residuals(self) -> "pd.Series[float]":
        """y − fitted."""
        return self.fitted.rsub(self.design.y).rename("residual")

    def fitted_chunks(self) -> Iterator[pd.DataFrame]:
        """Fitted values, residuals and Pearson residuals, some rows at a time, with the index of the data.

        Reads the data again where the model was built of a file or a Dask frame, whose index is the row's
        position; one chunk otherwise.
        """
        for part in self.design.chunks():
            values = part.X @ self.beta_values + part.Z @ self.b + part.offset
            residuals = part.y - values
            scaled = residuals / (self.sigma * np.sqrt(part.residual.variances()))
            columns = {"fitted": values, "residual": residuals, "pearson_residual": scaled}
            yield pd.DataFrame(columns, index=part.index)

    @cached_property
    def pearson_residuals(self) -> "pd.Series[float]":
        """Residuals over their standard deviation, σ times the root of R's diagonal."""
        spread = self.sigma * np.sqrt(self.design.residual.variances())
        return self.residuals.div(spread).rename("pearson_residual")

    @cached_property
    def normalized_residuals(self) -> "pd.Series[float]":
        """R^{-½}(y − fitted)/σ: uncorrelated and of variance 1 where the residual is as modelled.

        Each is what is new in its row, given those of its group before it.
        """
        values = self.design.residual.whiten(np.asarray(self.residuals, dtype=np.float64)) / self.sigma
        return pd.Series(values, index=self.fitted.index, name="normalized_residual")

    @cached_property
    def hat_values(self) -> "pd.Series[float]":
        """Leverage of each observation on its own fitted value, random effects included."""
        design = self.design
        whiten = design.residual.whiten
        with one_thread():
            values = hat_values(design.kernel, self.conditional, whiten(design.X), whiten(design.Z))
        return pd.Series(values, index=self.fitted.index, name="hat")

    @cached_property
    def theta_sigma(self) -> ThetaSigma:
        """Asymptotic covariance of (x, log σ), as a root in units of the optimum."""
        with one_thread():
            return theta_sigma(self.objective, self.optimum.x, self.delta, self.pwrss)

    @property
    def theta_sigma_vcov(self) -> Array:
        """(n_theta + 1, n_theta + 1) asymptotic covariance of (θ, log σ)."""
        return self.theta_sigma.joint

    @cached_property
    def natural_errors(self) -> NaturalErrors:
        """Standard errors of sd, cor and σ by the delta method."""
        n_theta, root = self.design.n_theta, self.theta_sigma.x_root
        root = np.vstack([root[:n_theta], root[-1:]])
        return natural_errors(self.design.covariance, self.theta_values, self.sigma, root)

    @cached_property
    def residual_natural(self) -> Parameters:
        """The residual's parameters as people know them."""
        residual = self.design.residual
        return residual.parameters(residual.settled_phi, self.sigma)

    @cached_property
    def residual_errors(self) -> Array:
        """Standard errors of the residual's parameters, by the delta method; NaN where the data tell none."""
        moves = self.theta_sigma.x_root[self.design.n_theta :]
        errors = np.linalg.norm(self.residual_natural.slopes @ moves, axis=1)
        return np.where(errors > 0.0, errors, np.nan)

    @cached_property
    def kept(self) -> dict[str, Any]:
        """What verbs made of this fit and may be asked for again, by their word."""
        return {}

    def __repr__(self) -> str:
        what = self.formula or "a design"
        return f"{self.criterion} fit of {what}: {self.design.n} rows, criterion {self.criterion_value:.4f}"

    def __getstate__(self) -> dict[str, Any]:
        # what is cached can be had again
        return {each.name: getattr(self, each.name) for each in fields(self)}


def check_options(design: Design, options: FitOptions) -> None:
    """One clear error for what can't be fitted, or options that can't be."""
    if design.unidentified:
        raise DataError(design.unidentified)
    check_choice("criterion", options.criterion, CRITERIA)
    check_whole("max_iter", options.max_iter, 1)


def _warn(convergence: Convergence) -> None:
    if not convergence.converged:
        caution(f"the fit is not at its optimum: {convergence.advice}", ConvergenceWarning)
    elif convergence.vanished:
        which = "; ".join(str(vanished) for vanished in convergence.vanished)
        caution(f"singular fit: {which}. See fit.convergence", SingularFitWarning)
