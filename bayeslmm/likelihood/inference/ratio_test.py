"""The likelihood-ratio test of two nested models by its own bootstrap distribution."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayeslmm.arguments import in_our_words
from bayeslmm.likelihood.bootstrap.kinds.parametric import Parametric
from bayeslmm.likelihood.bootstrap.reduction import RowReduction
from bayeslmm.likelihood.bootstrap.refits import Refitter
from bayeslmm.likelihood.bootstrap.responses import Responses, RowSampler
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.likelihood.inference.boundary import chi_squared_p
from bayeslmm.likelihood.inference.comparison import as_ml, likelihood_ratio
from bayeslmm.likelihood.inference.nesting import check_comparable, check_nested
from bayeslmm.likelihood.inference.table import InferenceTable, headed
from bayeslmm.likelihood.optimum import optimize
from bayeslmm.printed import Page, Printed
from bayeslmm.runs.plan import Plan, fresh_seed
from bayeslmm.runs.replicates import collect, finished

type Array = NDArray[np.float64]

NOISE = 1e-9  # of the criterion: what two searches can't tell apart


@dataclass(frozen=True, eq=False)
class BootstrapRatioTest(Printed):
    """A likelihood-ratio test with its bootstrap distribution under the small model.

    Attributes
    ----------
    statistic : difference of −2 log-likelihood of the ML fits. df : parameters the big model has more.
    draws : (n,) of the statistic, all of them, 0 included; NaN where a refit found no optimum.
    seed : they were made from. small, big : the formulas.
    """

    statistic: float
    df: int
    draws: Array
    seed: int
    small: str
    big: str

    @property
    def n(self) -> int:
        """Draws that count."""
        return int(np.isfinite(self.draws).sum())

    @property
    def n_failed(self) -> int:
        """Draws without an optimum; they don't count."""
        return len(self.draws) - self.n

    @property
    def n_extreme(self) -> int:
        """Draws at least as large as the statistic."""
        return int(np.sum(self.draws >= self.statistic))

    @property
    def n_positive(self) -> int:
        """Draws above 0, the only ones that pbkrtest keeps."""
        return int(np.sum(self.draws > 0))

    @property
    def p(self) -> float:
        """(1 + draws as large)/(1 + n) (Davison & Hinkley 1997, 4.2.5)."""
        return (1 + self.n_extreme) / (1 + self.n)

    @property
    def mc_error(self) -> float:
        """Monte Carlo standard error of p."""
        return float(np.sqrt(self.p * (1 - self.p) / self.n))

    @property
    def p_positive(self) -> float:
        """pbkrtest's p: draws of 0 or less left out, (1 + larger ones)/(1 + n_positive).

        For a variance, where half of the draws may be 0, it is about twice as large as it should be.
        """
        return (1 + int(np.sum(self.draws > max(self.statistic, 0.0)))) / (1 + self.n_positive)

    @property
    def p_chisq(self) -> float:
        """By χ²."""
        return chi_squared_p(self.statistic, self.df)

    @property
    def table(self) -> InferenceTable:
        """The p-values side by side."""
        names = ("statistic", "df", "p", "mc_error", "p_chisq", "p_positive", "n", "n_positive", "n_failed")
        row = {name: getattr(self, name) for name in names}
        return headed(pd.DataFrame([row], index=pd.Index([self.big])), self._sentence)

    @property
    def _sentence(self) -> str:
        return (
            f"Bootstrap likelihood-ratio test of {self.small} in {self.big}: {self.statistic:.5g} on "
            f"{self.df} df, p = {self.p:.4g} (Monte Carlo error {self.mc_error:.1g}; {self.n} draws, "
            f"{self.n_failed} failed, seed {self.seed})"
        )

    def __repr__(self) -> str:
        return (
            f"{self._sentence}\nby χ² {self.p_chisq:.4g}; by the "
            f"{self.n_positive} positive draws alone, as pbkrtest has it, {self.p_positive:.4g}"
        )

    @property
    def page(self) -> Page:
        """What is printed."""
        return self.table.page

    def _repr_html_(self) -> str:
        return self.table._repr_html_()


@in_our_words
def bootstrap_lrt(
    small: Any,
    big: Any,
    n: int = 1000,
    seed: int | None = None,
    n_jobs: int = 1,
    progress: bool = True,
    client: Any = None,
) -> BootstrapRatioTest:
    """Test a small model inside a big one: simulate under the small one, fit both by ML.

    Parameters
    ----------
    small, big : LikelihoodFit or LinearMixedModel
        Of the same data; what isn't fitted by ML is.
    n, seed, n_jobs, progress, client
        As for `LikelihoodFit.bootstrap`.

    Raises
    ------
    OptionError
        For models that aren't nested or of the same data, or a count that isn't positive.

    References
    ----------
    Halekoh & Højsgaard (2014), Journal of Statistical Software 59(9).
    """
    fits = [as_ml(small), as_ml(big)]
    check_comparable(fits)
    check_nested(*fits)
    seed = fresh_seed() if seed is None else seed
    plan = Plan(n, seed, n_jobs=n_jobs)
    chunks = finished(RatioTask.of(*fits), plan, client)
    rows, _ = collect(chunks, plan, "bootstrap of the likelihood ratio" if progress else None)
    draws = np.concatenate(rows)[:, 0]
    draws.setflags(write=False)
    df = fits[1].n_params - fits[0].n_params
    return BootstrapRatioTest(likelihood_ratio(*fits), df, draws, seed, fits[0].formula, fits[1].formula)


def bootstrap_p(small: Fitted, big: Fitted, n: int, seed: int) -> float:
    """p-value of two nested fits' likelihood ratio by their own criterion, simulated under the small one.

    REML fits may be given where the fixed parts are the same.
    """
    plan = Plan(n, seed)
    rows, _ = collect(finished(RatioTask.of(small, big), plan, None), plan, None)
    draws = np.concatenate(rows)[:, 0]
    statistic = max(small.criterion_value - big.criterion_value, 0.0)
    return (1 + int(np.sum(draws >= statistic))) / (1 + int(np.isfinite(draws).sum()))


@dataclass(frozen=True, slots=True, eq=False)
class RatioTask:
    """One number a replicate: the likelihood ratio of two models for one response of the small one."""

    rows: RowSampler
    reductions: tuple[RowReduction, RowReduction]
    refitters: tuple[Refitter, Refitter]

    @classmethod
    def of(cls, small: Fitted, big: Fitted) -> "RatioTask":
        """The task of two ML fits."""
        a, b = (RowReduction(fit.design, fit.design.kernel) for fit in (small, big))
        return cls(Parametric().rows(small), (a, b), (Refitter.of(small), Refitter.of(big)))

    def __call__(self, generators: Iterable[np.random.Generator]) -> Array:
        """Likelihood ratios (m, 1); responses are less Xβ̂ of the small model, which no criterion sees."""
        rows = [self.rows(generator) for generator in generators]
        responses = [
            Responses.of([reduction(y, np.zeros(0)) for y, _ in rows]) for reduction in self.reductions
        ]
        small, big = (refitter(each) for refitter, each in zip(self.refitters, responses, strict=True))
        noise = NOISE * np.maximum(1.0, np.abs(big.criterion))
        values = big.criterion.copy()
        for i in np.flatnonzero(small.criterion - values < -noise).tolist():
            values[i] = min(values[i], self._from_afar(responses[1], i))
        ratio = small.criterion - values
        ratio[np.abs(ratio) < noise] = 0.0
        ratio[small.failed | big.failed] = np.nan
        return ratio[:, None]

    def _from_afar(self, responses: Responses, i: int) -> float:
        """The big model's criterion from moment estimates: the first search has found the lesser optimum."""
        return optimize(self.refitters[1].criterion_of(responses, i)).value
