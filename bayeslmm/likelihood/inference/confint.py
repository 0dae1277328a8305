"""Confidence intervals of all parameters, one shape whatever the method."""

from collections.abc import Callable

import pandas as pd

from bayeslmm.errors import OptionError, check_choice
from bayeslmm.likelihood.bootstrap.run import BootstrapOptions, bootstrap
from bayeslmm.likelihood.estimates import wald_table
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.likelihood.inference.profile.profile import profile
from bayeslmm.likelihood.inference.table import InferenceTable, headed


def confint(fit: Fitted, method: str, prob: float, n: int, seed: int | None) -> InferenceTable:
    """Limits lower, upper by label.

    Raises
    ------
    OptionError
        For a misspelt method, or a probability outside (0, 1).
    """
    chosen = METHODS[check_choice("method", method, METHODS)]
    if not 0 < prob < 1:
        raise OptionError(f"prob is {prob}; a probability lies between 0 and 1")
    return chosen(fit, prob, n, seed)


def _wald(fit: Fitted, prob: float, n: int, seed: int | None) -> InferenceTable:
    """Normal quantiles; symmetric for log sd and atanh cor."""
    del n, seed
    heading = f"{100 * prob:g} % Wald intervals ({fit.criterion})"
    return _headed(wald_table(fit, prob, ranef=False).frame, heading, "wald", prob)


def _profile(fit: Fitted, prob: float, n: int, seed: int | None) -> InferenceTable:
    """Of the ML deviance."""
    del n, seed
    return profile(fit).confint(prob)


def _bootstrap(fit: Fitted, prob: float, n: int, seed: int | None) -> InferenceTable:
    """Percentiles of a parametric bootstrap."""
    boot = bootstrap(fit, BootstrapOptions(n, seed=seed, progress=False))
    heading = (
        f"{100 * prob:g} % percentile intervals of {n} parametric bootstrap replicates, seed {boot.seed}"
    )
    return _headed(boot.confint(prob=prob), heading, "bootstrap", prob, boot.notes)


def _headed(
    frame: pd.DataFrame, heading: str, method: str, prob: float, notes: tuple[str, ...] = ()
) -> InferenceTable:
    limits = frame[["lower", "upper"]].rename_axis("label")
    return headed(limits, heading, notes, method=method, prob=prob)


type Method = Callable[[Fitted, float, int, int | None], InferenceTable]
METHODS: dict[str, Method] = {"wald": _wald, "profile": _profile, "bootstrap": _bootstrap}
