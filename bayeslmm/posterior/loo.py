"""Rows, or levels of a grouping factor, predicted by all others: log p(y_j | y_-j).

Given the variance parameters ω, random effects and β are integrated out, so that only ω is reweighted:
p(ω | y_-j) ∝ p(ω | y) / p(y_j | y_-j, ω), by Pareto-smoothed importance sampling (Vehtari, Gelman & Gabry
2017). Where the weights' tail is too heavy, ω is sampled without the unit.
"""

from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayeslmm.errors import OptionError
from bayeslmm.posterior.effects.group_likelihood import apart, group_log_likelihood, work
from bayeslmm.posterior.methods.importance import PARETO_K, importance
from bayeslmm.posterior.options import SampleOptions
from bayeslmm.posterior.parameters import Parameters, joined
from bayeslmm.posterior.target import Target
from bayeslmm.printed import Page, Printed, html
from bayeslmm.spec.design import Design
from bayeslmm.spec.priors import Flat, Priors
from bayeslmm.spec.recipe import Recipe
from bayeslmm.spec.row_sets import RowSets
from bayeslmm.spec.subset import without

type Array = NDArray[np.float64]

MOST_WORK = 3e10  # multiplications: half a minute or so
FEWEST = 200  # draws
SHARE = 1e-9  # of a direction of X that the other rows must tell


@dataclass(frozen=True, eq=False)
class Loo(Printed):
    """How well each unit, a row or a level, is predicted by all others.

    Attributes
    ----------
    unit : "row", a grouping factor or a column.
    frame : by unit: elpd, ``log p(y_j | y_-j)``; p, how much more the unit's own data let it be predicted;
        pareto_k of the weights; refitted, whether ω was sampled without it.
    notes : what the numbers don't say.
    """

    unit: str
    frame: pd.DataFrame
    notes: tuple[str, ...] = ()

    @property
    def elpd(self) -> float:
        """Sum of ``log p(y_j | y_-j)``; NaN where one has none."""
        return float(self.frame["elpd"].sum(skipna=False))

    @property
    def se(self) -> float:
        """Standard error of the sum, the units taken as a sample."""
        return float(np.sqrt(len(self.frame)) * self.frame["elpd"].std(ddof=1))

    @property
    def p(self) -> float:
        """Effective number of parameters."""
        return float(self.frame["p"].sum(skipna=False))

    @property
    def looic(self) -> float:
        """−2 elpd."""
        return -2 * self.elpd

    def to_frame(self) -> pd.DataFrame:
        """A copy of the rows by unit."""
        return self.frame.copy()

    @property
    def page(self) -> Page:
        """What is printed."""
        return Page(self.frame, self._sentence, self.notes)

    def __repr__(self) -> str:
        worst = self.frame.sort_values("elpd").head()
        body = worst.to_string(float_format="{:.4g}".format)
        return "\n".join([self._sentence, "predicted worst:", body, *self.notes])

    def _repr_html_(self) -> str:
        return html(Page(self.frame.sort_values("elpd").head(10), self._sentence, self.notes))

    @property
    def _sentence(self) -> str:
        refitted = int(self.frame["refitted"].sum())
        ends = f", {refitted} of them refitted" if refitted else ""
        said = f"elpd {self.elpd:.1f} ± {self.se:.1f}, p {self.p:.1f}"
        return f"Leaving out each {self.unit} of {len(self.frame)}: {said}{ends}"


@dataclass(frozen=True, eq=False)
class _Posterior:
    """What is known of ω, and what its data are."""

    design: Design
    priors: Priors
    options: SampleOptions
    seed: int
    parameters: Parameters

    @cached_property
    def flat_beta(self) -> bool:
        """Has some fixed effect a flat prior?"""
        return any(isinstance(prior, Flat) for prior in self.priors.beta)


def loo(
    design: Design,
    priors: Priors,
    chains: tuple[Parameters, ...],
    options: SampleOptions,
    seed: int,
    unit: str,
    refit: bool,
    recipe: Recipe | None = None,
) -> Loo:
    """Leave out each unit.

    Raises
    ------
    OptionError
        For a unit that is neither "row" nor a column, or a design too large for the draws there are.
    DataError
        When the rows aren't in memory.
    """
    sets = RowSets.of(design, unit, recipe)
    if not apart(design, sets.codes):
        raise OptionError(
            f"rows of one residual group are correlated, so leaving out each {sets.name} of it would leave "
            "them half told; name a unit that holds residual groups whole, or take "
            "post.log_likelihood(), each row given those of its group before it"
        )
    given = _Posterior(design, priors, options, seed, _affordable(design, sets, chains))
    found = group_log_likelihood(design, priors, given.parameters, sets.codes)
    elpd, k = _smoothed(found)
    lost = _untold(given, sets)
    elpd[lost] = np.nan
    doubtful = ~lost & ~(k < PARETO_K) & refit
    for j in np.flatnonzero(doubtful).tolist():
        elpd[j] = _refitted(given, sets, j)
    p = _log_mean(found) - elpd
    frame = pd.DataFrame({"elpd": elpd, "p": p, "pareto_k": k, "refitted": doubtful}, index=sets.labels)
    return Loo(unit, frame, tuple(_notes(frame, lost)))


def _affordable(design: Design, sets: RowSets, chains: tuple[Parameters, ...]) -> Parameters:
    """All draws, or as many of them, evenly spread, as can be looked at in half a minute."""
    whole = joined(chains)
    most = int(MOST_WORK / work(design, sets.codes))
    if most < min(FEWEST, len(whole)):
        raise OptionError(
            f"leaving out each {sets.name} takes {design.q} effects by {design.n} rows at every draw: only "
            f"{most} draws could be looked at; fit a part of the data"
        )
    return whole.take(np.unique(np.linspace(0, len(whole) - 1, min(most, len(whole))).astype(np.intp)))


def _smoothed(log_p: Array) -> tuple[Array, Array]:
    """log p(y_j | y_-j) and Pareto k from log p(y_j | y_-j, ω), (m, J)."""
    from arviz_stats.base import array_stats
    from scipy.special import logsumexp

    if len(log_p) < 2 or np.ptp(log_p) == 0:
        return _log_mean(log_p), np.full(log_p.shape[1], -np.inf)
    safe = np.where(np.isfinite(log_p), log_p, -1e300)
    weights, k = array_stats.psislw(safe.T, axis=-1)
    return np.asarray(logsumexp(weights + safe.T, axis=1)), np.atleast_1d(k)


def _log_mean(log_p: Array) -> Array:
    from scipy.special import logsumexp

    return np.asarray(logsumexp(log_p, axis=0) - np.log(len(log_p)))


def _untold(given: _Posterior, sets: RowSets) -> NDArray[np.bool_]:
    """(J,) without which units a flat β has no posterior."""
    out = np.zeros(len(sets), dtype=bool)
    if not given.flat_beta:
        return out
    Q = given.design.orthonormal_columns
    for batch in sets.batches():
        gone = Q[batch.rows]
        left = np.eye(Q.shape[1]) - gone.transpose(0, 2, 1) @ gone
        out[batch.units] = np.linalg.eigvalsh(left).min(axis=1, initial=np.inf) < SHARE
    return out


def _refitted(given: _Posterior, sets: RowSets, j: int) -> float:
    """log p(y_j | y_-j) from draws of ω without the unit; the other rows are sets of their own here."""
    smaller = Target(without(given.design, sets.rows(j)), given.priors)
    codes = np.where(sets.codes == j, 0, np.arange(1, given.design.n + 1))
    parameters = _sampled(smaller, given.options, np.random.SeedSequence([given.seed, j]))
    own = np.unique(codes, return_inverse=True)[1]
    return float(_log_mean(group_log_likelihood(given.design, given.priors, parameters, own))[0])


def _sampled(target: Target, options: SampleOptions, seed: np.random.SeedSequence) -> Parameters:
    """Draws of ω by importance sampling, or NUTS where its weights can't be trusted."""
    quiet = replace(options, progress=False, store=None)
    found = importance(target, quiet, seed.spawn(options.chains))
    if found.trustworthy:
        return joined(found.parameters)
    from bayeslmm.posterior.graph.graphs import build_graph
    from bayeslmm.posterior.methods.nuts import nuts

    model = build_graph(target.design, target.priors, "marginal", False)
    made = nuts(model, target.design, target.priors, quiet, seed, lambda step: nullcontext())
    return joined(made.parameters)


def _notes(frame: pd.DataFrame, lost: NDArray[np.bool_]) -> list[str]:
    left = frame.index[(frame["pareto_k"] > PARETO_K) & ~frame["refitted"] & ~lost]
    without = [f"without {_listed(frame.index[lost])} a flat prior has no posterior"] if lost.any() else []
    rough = [f"Pareto k above {PARETO_K} without a refit: {_listed(left)}"] if len(left) else []
    return without + rough


def _listed(labels: pd.Index) -> str:
    return ", ".join(map(str, labels[:5])) + (", ..." if len(labels) > 5 else "")
