"""Nested models compared by their likelihoods."""

import warnings
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from bayeslmm.arguments import in_our_words
from bayeslmm.errors import BayesLMMWarning, OptionError, check_choice
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.likelihood.inference.boundary import boundary_p, chi_squared_p, n_variances
from bayeslmm.likelihood.inference.nesting import check_comparable, check_nested, same_fixed
from bayeslmm.likelihood.inference.table import InferenceTable, headed
from bayeslmm.spec.model_spec import CriterionWord

COLUMNS = ["n_params", "aic", "bic", "loglik", "deviance", "chisq", "df", "p", "p_boundary"]


@in_our_words
def anova(*fits: Any, criterion: CriterionWord | None = None) -> InferenceTable:
    """Likelihood-ratio tests of nested models, the smallest first.

    Parameters
    ----------
    *fits : LikelihoodFit or LinearMixedModel
        At least two, of the same data, in any order; a model is fitted by REML first.
    criterion : {None, "ML", "REML"}
        None compares REML fits as they are where their fixed parts agree, and refits by ML what isn't ML
        otherwise; the table says so. "ML" or "REML" refits what isn't.

    Returns
    -------
    DataFrame, a row a model
        n_params, aic, bic, loglik, deviance (−2 loglik), and against the row above chisq, df, p by χ², and
        p_boundary, which knows that a variance can't be negative (NaN where no closed form exists).

    Raises
    ------
    OptionError
        For REML across different fixed parts, different data, or models that aren't nested.
    """
    if len(fits) < 2:
        raise OptionError("comparing models needs at least two fits; for the terms of one use fit.anova()")
    models = sorted(map(as_fit, fits), key=lambda fit: fit.n_params)
    check_comparable(models)
    chosen = shared_criterion(models, criterion)
    refitted = [as_fitted_by(fit, chosen) for fit in models]
    for small, big in pairwise(refitted):
        check_nested(small, big)
    rows = [_row(refitted[0], None), *(_row(big, small) for small, big in pairwise(refitted))]
    frame = pd.DataFrame(rows, columns=COLUMNS, index=model_names(models))
    n_refitted = sum(fit.criterion != chosen for fit in models)
    notes = (f"{n_refitted} of {len(fits)} fits were refitted by {chosen}",) if n_refitted else ()
    return headed(frame, f"Likelihood-ratio tests, {chosen} fits", notes, criterion=chosen)


def model_names(fits: Sequence[Fitted]) -> pd.Index:
    """What tells models apart in a table: their formulas, and what is said of R where these don't."""
    formulas = [fit.formula or f"model {place}" for place, fit in enumerate(fits, 1)]
    said = [f"{own}; {fit.design.residual.description}" for own, fit in zip(formulas, fits, strict=True)]
    return pd.Index(formulas if len(set(formulas)) == len(fits) else said, name="model")


def shared_criterion(models: list[Fitted], asked: str | None) -> str:
    """By which models can be compared: REML where their fixed parts agree and all are by REML, else ML.

    Raises
    ------
    OptionError
        For REML across different fixed parts.
    """
    alike = all(same_fixed(a.design, b.design) for a, b in pairwise(models))
    if asked is None:
        return "REML" if alike and all(fit.reml for fit in models) else "ML"
    if check_choice("criterion", asked, ("ML", "REML")) == "REML" and not alike:
        raise OptionError(
            "REML likelihoods of models with different fixed parts can't be compared: each is the likelihood "
            "of what is left of y after its own fixed effects, so they aren't of the same data; use "
            "criterion='ML'"
        )
    return asked


def as_fitted_by[F: Fitted](fit: F, criterion: str) -> F:
    """The fit itself, or the same model fitted by another criterion."""
    if fit.criterion == criterion:
        return fit
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesLMMWarning)
        options = replace(fit.options, criterion=criterion, start=None)
        return fit.of(fit.design, options, fit.formula, fit.recipe)


def as_fit(model: Any, criterion: str = "REML") -> Fitted:
    """A fit as it is; a model as fitted by a criterion.

    Raises
    ------
    OptionError
        For what is neither.
    """
    if isinstance(model, Fitted):
        return model
    if not (hasattr(model, "fit") and hasattr(model, "design")):
        raise OptionError(f"got a {type(model).__name__} where a LinearMixedModel or a fit of one is needed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesLMMWarning)
        fitted: Fitted = model.fit(criterion)
        return fitted


def as_ml(model: Any) -> Fitted:
    """A model or a fit, as fitted by ML."""
    return as_fitted_by(as_fit(model, "ML"), "ML")


def _row(fit: Fitted, small: Fitted | None) -> tuple[float, ...]:
    about = (fit.n_params, fit.aic, fit.bic, fit.loglik, fit.criterion_value)
    if small is None:
        return (*about, np.nan, np.nan, np.nan, np.nan)
    return (*about, *ratio_test(small, fit))


def ratio_test(small: Fitted, big: Fitted) -> tuple[float, float, float, float]:
    """Chisq, df, p by χ² and p at the boundary; a statistic below rounding error is 0."""
    statistic = likelihood_ratio(small, big)
    df = big.n_params - small.n_params
    new = n_variances(big.design.covariance) - n_variances(small.design.covariance)
    p = chi_squared_p(statistic, df) if df > 0 else np.nan
    return statistic, df, p, boundary_p(statistic, df, max(new, 0))


def likelihood_ratio(small: Fitted, big: Fitted) -> float:
    """Difference of the criteria; 0 within what two searches can tell."""
    statistic = small.criterion_value - big.criterion_value
    return 0.0 if abs(statistic) < 1e-9 * max(1.0, abs(big.criterion_value)) else statistic
