"""Power over sample sizes, and assurance beside it: one set of random numbers for all sizes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayeslmm.arguments import in_our_words
from bayeslmm.errors import OptionError, check_prob, check_whole
from bayeslmm.likelihood.bootstrap.engine import ResponseEngine
from bayeslmm.likelihood.bootstrap.kinds.parametric import NormalRows
from bayeslmm.likelihood.bootstrap.responses import Responses
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.likelihood.inference.table import InferenceTable, headed
from bayeslmm.likelihood.looked_at import DdfWord
from bayeslmm.likelihood.studies.extended import extended, frame_of
from bayeslmm.likelihood.studies.power import Power, Test, test_of
from bayeslmm.likelihood.studies.truth import (
    Asked,
    Values,
    beta_of,
    checked_values,
    simulator,
    theta_of,
    true_values,
)
from bayeslmm.printed import Page, Printed
from bayeslmm.runs.plan import Plan, fresh_seed
from bayeslmm.runs.replicates import collect, finished
from bayeslmm.spec.labels import parameter_labels
from bayeslmm.spec.model_spec import CriterionWord

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

type Array = NDArray[np.float64]

CHUNK = 20  # simulations handed over at once


@dataclass(frozen=True, eq=False)
class PowerCurve(Printed):
    """Power at several sample sizes.

    Attributes
    ----------
    along : what grows, a grouping factor or "rows". sizes : (S,) levels, or repetitions of all rows.
    powers : one a size. assurances : the same with the truth of each simulation drawn from a posterior; empty
        where there is none.
    """

    along: str
    sizes: tuple[int, ...]
    powers: tuple[Power, ...]
    assurances: tuple[Power, ...] = ()

    @property
    def table(self) -> InferenceTable:
        """By size: n, power and its exact limits, and assurance where there is one."""
        columns = {
            "n": [each.n for each in self.powers],
            "power": [each.power for each in self.powers],
            "lower": [each.interval[0] for each in self.powers],
            "upper": [each.interval[1] for each in self.powers],
        }
        if self.assurances:
            columns["assurance"] = [each.power for each in self.assurances]
        one = self.powers[0]
        heading = f"Power of {one.test} at level {one.alpha:g}, seed {one.seed}"
        return headed(pd.DataFrame(columns, index=pd.Index(self.sizes, name=self.along)), heading)

    @property
    def page(self) -> Page:
        """What is printed."""
        return self.table.page

    def plot(self) -> "Figure":
        """Power over sizes, with its limits, and assurance."""
        from bayeslmm.render.power import plot_power

        return plot_power(self.table, self.along)

    def __repr__(self) -> str:
        return repr(self.table)

    def _repr_html_(self) -> str:
        return self.table._repr_html_()


@dataclass(frozen=True, eq=False)
class CurveTask:
    """One row a simulation: the p-value at every size, then those with a truth of its own.

    Attributes
    ----------
    engines : of each size, the largest last. tests : of each size. values : the truth, by label.
    truths : draws of the posterior that the simulations' own truths are; empty for none.
    """

    engines: tuple[ResponseEngine, ...]
    tests: tuple[Test, ...]
    values: Values
    truths: tuple[Values, ...]

    def __call__(self, generators: Iterable[np.random.Generator]) -> Array:
        """Rows of some simulations."""
        return np.array([self.row(generator) for generator in generators])

    def row(self, generator: np.random.Generator) -> Array:
        """Of one: both truths see the same normal numbers."""
        own = int(generator.integers(len(self.truths))) if self.truths else None
        state = generator.bit_generator.state
        pvalues = self.pvalues(self.values, generator)
        if own is None:
            return pvalues
        generator.bit_generator.state = state
        return np.concatenate([pvalues, self.pvalues(self.truths[own], generator)])

    def pvalues(self, values: Values, generator: np.random.Generator) -> Array:
        """At every size, whose rows are the first of the largest."""
        largest = self.engines[-1]
        theta, sigma = theta_of(largest.design, values)
        random = NormalRows(largest.design, theta, sigma)(generator).y
        apart = beta_of(largest.design, values) - largest.beta
        each = zip(self.engines, self.tests, strict=True)
        return np.array([_pvalue(engine, test, random, apart) for engine, test in each])


def _pvalue(engine: ResponseEngine, test: Test, random: Array, apart: Array) -> float:
    """Of the first rows' random part, with β this far from the engine's."""
    y = random[: engine.design.n] + engine.design.X @ apart
    made = engine.refit(Responses.of([engine.reduction(y, np.full(engine.design.q, np.nan))]), [y])
    return np.nan if made.refits.failed[0] else test(made.fit(0))


@in_our_words
def power_curve(
    model: Any,
    truth: Any = None,
    *,
    test: Any,
    along: str,
    sizes: Sequence[int],
    n: int = 1000,
    seed: int | None = None,
    alpha: float = 0.05,
    prob: float = 0.95,
    ddf: DdfWord = "satterthwaite",
    criterion: CriterionWord = "REML",
    n_jobs: int = 1,
    progress: bool = True,
    client: Any = None,
) -> PowerCurve:
    """Power at several sample sizes, each simulation shared by all of them, so that the curve is smooth.

    Parameters
    ----------
    model : LinearMixedModel
        Of a DataFrame, whose rows are extended.
    truth : fit, mapping, posterior or None
        As for `power`; with a posterior power is that of its mean, and assurance is power averaged over its
        draws (O'Hagan et al. 2005), with the same random numbers.
    test, n, seed, alpha, prob, ddf, criterion, n_jobs, progress, client
        As for `power`.
    along : str
        What grows: a grouping factor, whose observed levels come again under new names, or "rows", all of
        which come again.
    sizes : sequence of int
        Levels of the factor, or repetitions of the rows.

    Raises
    ------
    OptionError
        For an unknown factor, label or test, sizes that aren't whole numbers, or data that aren't in memory.

    Examples
    --------
    >>> import bayeslmm as bl
    >>> model = bl.LinearMixedModel("Reaction ~ Days + (Days | Subject)", bl.load_dataset("sleepstudy"))
    >>> curve = bl.power_curve(model, {"beta[Days]": 4}, test="Days", along="Subject", sizes=[6, 18],
    ...                        n=20, seed=1, progress=False)
    >>> bool(curve.table["power"].is_monotonic_increasing)
    True
    """
    check_prob(alpha, "alpha")
    check_prob(prob)
    seed = fresh_seed() if seed is None else seed
    plan = Plan(n, seed, CHUNK, n_jobs)
    data, wanted = frame_of(model), _sizes(sizes)
    model.design.residual.check_known(
        "a curve of power",
        "take bl.power of a model of the larger data",
        "all its sizes share one simulation of rows",
    )
    groups = tuple(dict.fromkeys(name for group in model.spec.groups for name in group.split(":")))
    models = [model.update(data=extended(data, groups, along, size)) for size in wanted]
    values, draws = _truths(model, truth)
    templates = [Asked.of(each, criterion).at(values) for each in models]
    chosen = [
        test_of(_extended_test(test, each), template, ddf)
        for each, template in zip(models, templates, strict=True)
    ]
    engines = tuple(simulator(template, values) for template in templates)
    task = CurveTask(engines, tuple(function for _, function in chosen), values, draws)
    words = chosen[0][0]
    rows, _ = collect(finished(task, plan, client), plan, f"power of {words}" if progress else None)
    pvalues = np.concatenate(rows).T
    powers = tuple(Power(words, values, alpha, prob, each, seed) for each in pvalues)
    return PowerCurve(along, wanted, powers[: len(wanted)], powers[len(wanted) :])


def _sizes(sizes: Sequence[int]) -> tuple[int, ...]:
    if not isinstance(sizes, Iterable):
        raise OptionError(f"sizes is {sizes!r}; give several, sizes=[{sizes!r}] for this one")
    for size in sizes:
        check_whole("sizes", size, 1)
    if not len(sizes):
        raise OptionError("sizes is empty; give the numbers of levels, or of repetitions")
    return tuple(sorted({int(size) for size in sizes}))


def _truths(model: Any, truth: Fitted | Mapping[str, float] | Any) -> tuple[Values, tuple[Values, ...]]:
    """The truth of power, and those of assurance."""
    if not hasattr(truth, "draws_frame"):
        return true_values(model.design, truth, model.fit), ()
    draws = truth.draws_frame()
    if tuple(draws.columns) != parameter_labels(model.design):
        raise OptionError(f"the truth is a posterior of {', '.join(draws.columns)}, another model's")
    return checked_values(draws.mean()), tuple(draws.iloc[i] for i in range(len(draws)))


def _extended_test(test: Any, model: Any) -> Any:
    """A smaller model, of the extended rows too; other tests as they are."""
    smaller = hasattr(test, "design") and hasattr(test, "update")
    return test.update(data=model.data) if smaller else test
