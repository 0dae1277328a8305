"""Power of a design: how often a test finds what is there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayeslmm.arguments import in_our_words
from bayeslmm.errors import check_choice, check_prob
from bayeslmm.likelihood.bootstrap.run import first_error_of
from bayeslmm.likelihood.bootstrap.statistic import Statistic
from bayeslmm.likelihood.bootstrap.task import Columns, RefitTask
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.likelihood.inference.coef_table import coef_table
from bayeslmm.likelihood.inference.comparison import as_ml, ratio_test
from bayeslmm.likelihood.inference.nesting import check_nested
from bayeslmm.likelihood.looked_at import DdfWord
from bayeslmm.likelihood.studies.truth import Asked, any_simulator, true_values
from bayeslmm.printed import Page, Printed
from bayeslmm.runs.plan import Plan, fresh_seed
from bayeslmm.runs.replicates import collect, finished, watched
from bayeslmm.spec.labels import beta_labels
from bayeslmm.spec.model_spec import CriterionWord

type Array = NDArray[np.float64]
type Test = Callable[[Fitted], float]


@dataclass(frozen=True, eq=False)
class Power(Printed):
    """How often a test rejected in data simulated from a truth.

    Attributes
    ----------
    test : in words. truth : by label. alpha : level of the test. prob : of the interval.
    pvalues : (n,) of the simulations, NaN where no optimum was found or the test raised. seed : of all.
    """

    test: str
    truth: "pd.Series[float]"
    alpha: float
    prob: float
    pvalues: Array
    seed: int

    @property
    def n(self) -> int:
        """Simulations that count."""
        return int(np.isfinite(self.pvalues).sum())

    @property
    def n_failed(self) -> int:
        """Simulations without a p-value; they don't count."""
        return len(self.pvalues) - self.n

    @property
    def n_rejected(self) -> int:
        """p-values below alpha."""
        return int(np.sum(self.pvalues < self.alpha))

    @property
    def power(self) -> float:
        """Share of rejections."""
        return self.n_rejected / self.n if self.n else np.nan

    @property
    def interval(self) -> tuple[float, float]:
        """Exact binomial limits (Clopper & Pearson 1934), as simr has them."""
        from scipy.special import betaincinv

        x, n, tail = self.n_rejected, self.n, (1 - self.prob) / 2
        lower = float(betaincinv(x, n - x + 1, tail)) if x > 0 else 0.0
        upper = float(betaincinv(x + 1, n - x, 1 - tail)) if x < n else 1.0
        return lower, upper

    @property
    def page(self) -> Page:
        """What is printed."""
        lower, upper = self.interval
        row = {"n": self.n, "power": self.power, "lower": lower, "upper": upper}
        caption = f"Power at level {self.alpha:g}, {100 * self.prob:g} % interval, seed {self.seed}"
        return Page(pd.DataFrame([row], index=pd.Index([self.test], name="test")), caption)

    def __repr__(self) -> str:
        lower, upper = self.interval
        return (
            f"Power of {self.test} at level {self.alpha:g}: {self.power:.3f}, {100 * self.prob:g} % interval "
            f"{lower:.3f} to {upper:.3f} ({self.n_rejected} of {self.n} simulations, {self.n_failed} failed, "
            f"seed {self.seed})"
        )


@in_our_words
def power(
    model: Any,
    truth: Fitted | Mapping[str, float] | None = None,
    *,
    test: Any,
    n: int = 1000,
    seed: int | None = None,
    alpha: float = 0.05,
    prob: float = 0.95,
    ddf: DdfWord = "satterthwaite",
    criterion: CriterionWord = "REML",
    n_jobs: int = 1,
    progress: bool = True,
    client: Any = None,
) -> Power:
    """Simulate from a truth, refit and test.

    Parameters
    ----------
    model : LinearMixedModel or fit
        Its design is simulated from; its response counts only where `truth` leaves something open.
    truth : fit, mapping or None
        Values by label, {"beta[Days]": 5, "sd[Subject: Days]": 4}; what isn't named is as fitted to the data.
        A fit, or None for the model's own, stands for its estimates.
    test : str, LinearMixedModel or callable
        A coefficient, tested against 0 with `ddf`; a smaller model, tested by the likelihood ratio with its
        boundary p-value where one is known, χ² otherwise; or a function of a refit that gives a p-value.
    n, seed, n_jobs, progress, client
        As for `LikelihoodFit.bootstrap`.

    Raises
    ------
    OptionError
        For an unknown label or coefficient, an alpha outside (0, 1), or a count that isn't positive.
    """
    check_prob(alpha, "alpha")
    check_prob(prob)
    asked = Asked.of(model, criterion)
    seed = fresh_seed() if seed is None else seed
    plan = Plan(n, seed, n_jobs=n_jobs)
    values = true_values(asked.design, truth, asked.fit)
    template = asked.at(values)
    engine = any_simulator(template, values)
    words, function = test_of(test, template, ddf)
    statistic = Statistic.of(function, template)
    task = RefitTask(engine, template.design.coordinates, statistic)
    chunks = watched(finished(task, plan, client), first_error_of(task, plan))
    rows, _ = collect(chunks, plan, f"power of {words}" if progress else None)
    columns = Columns.of(np.concatenate(rows), 1, False, False)
    return Power(words, values, alpha, prob, columns.values[:, 0], seed)


def test_of(test: Any, template: Fitted, ddf: str) -> tuple[str, Test]:
    """The test in words, and as a function of a refit."""
    design = template.design
    if isinstance(test, str):
        names = {**dict(zip(beta_labels(design), design.coefs, strict=True)), **{c: c for c in design.coefs}}
        coef = names[check_choice("coefficient", test, names)]
        return f"{coef} ({ddf})", partial(_coefficient_p, coef=coef, ddf=ddf)
    if hasattr(test, "design") and hasattr(test, "fit"):
        check_nested(as_ml(test), as_ml(template))
        return f"a likelihood ratio against {test.spec.formula}", partial(_ratio_p, small=as_ml(test))
    return getattr(test, "__name__", "a test"), test


def _coefficient_p(fit: Fitted, coef: str, ddf: str) -> float:
    return float(coef_table(fit, ddf, 0.95)["p"][coef])


def _ratio_p(fit: Fitted, small: Fitted) -> float:
    _, _, chisq, boundary = ratio_test(small.refit(fit.design.y), as_ml(fit))
    return chisq if np.isnan(boundary) else boundary
