"""From random numbers to refits: new responses to the same design, or whatever a kind makes of it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from bayeslmm.kernel.kernel import Kernel
from bayeslmm.kernel.search.optimizer import Status
from bayeslmm.likelihood.bootstrap.reduction import RowReduction
from bayeslmm.likelihood.bootstrap.refits import Refits, Refitter
from bayeslmm.likelihood.bootstrap.responses import Responses, RowSampler, Sampler
from bayeslmm.likelihood.fitted import FitOptions, Fitted
from bayeslmm.likelihood.optimum import Convergence, Optimum
from bayeslmm.spec.design import Design
from bayeslmm.spec.recipe import Recipe

type Array = NDArray[np.float64]


class Replicates(NamedTuple):
    """Some replicates.

    Attributes
    ----------
    refits : of all. fit : the refit of one, as a fit. b : (m, q) random effects they were made with, or NaN.
    """

    refits: Refits
    fit: Callable[[int], Fitted]
    b: Array


class Engine(Protocol):
    """Makes replicates, one from each generator."""

    def __call__(self, generators: Iterable[np.random.Generator]) -> Replicates: ...


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """What a refit shares with its fit.

    Attributes
    ----------
    kind : of record. options : of the fit. formula : as written. recipe : for predictions.
    """

    kind: type[Fitted]
    options: FitOptions
    formula: str
    recipe: Recipe | None

    @classmethod
    def of(cls, fit: Fitted) -> "Source":
        """The source of a fit's refits."""
        return cls(type(fit), replace(fit.options, start=None), fit.formula, fit.recipe)

    def fit(self, design: Design, optimum: Optimum) -> Fitted:
        """The refit that found this optimum."""
        return self.kind(design, self.options, optimum, self.formula, self.recipe)


@dataclass(frozen=True, eq=False)
class ResponseEngine:
    """New responses to the fit's design.

    Attributes
    ----------
    design : the fit's. refitter : refits responses. beta : (p,) β̂, which responses are made without.
    source : of the refits.
    rows, statistics : one of the two makes responses, the other is None.
    """

    design: Design
    refitter: Refitter
    beta: Array
    source: Source
    rows: RowSampler | None
    reduction: RowReduction
    statistics: Sampler | None

    @classmethod
    def of(cls, fit: Fitted, rows: RowSampler | None, statistics: Sampler | None) -> "ResponseEngine":
        """The engine of a fit."""
        reduction = RowReduction(fit.design, fit.design.kernel)
        return cls(fit.design, Refitter.of(fit), fit.beta_values, Source.of(fit), rows, reduction, statistics)

    def __call__(self, generators: Iterable[np.random.Generator]) -> Replicates:
        """Replicates of these generators."""
        if self.statistics is not None:
            return self.refit(self.statistics(generators), None)
        assert self.rows is not None
        rows = [self.rows(generator) for generator in generators]
        return self.refit(Responses.of([self.reduction(*each) for each in rows]), [each.y for each in rows])

    def refit(self, responses: Responses, rows: list[Array] | None) -> Replicates:
        """Refits of responses without Xβ̂; `rows` are theirs, where they have any."""
        refits = self.refitter(responses)
        refits = refits._replace(beta=refits.beta + self.beta)

        def fit(i: int) -> Fitted:
            y = None if rows is None else rows[i] + self.mean
            return self._fit(responses, refits, i, y)

        return Replicates(refits, fit, responses.b)

    @cached_property
    def mean(self) -> Array:
        """(n,) Xβ̂ + offset."""
        return np.asarray(self.design.X @ self.beta + self.design.offset)

    def _fit(self, responses: Responses, refits: Refits, i: int, y: Array | None) -> Fitted:

        whole = responses._replace(gamma=responses.gamma + self.refitter.kernel.R_X @ self.beta)
        kernel: Kernel = self.refitter.kernel_of(whole, i)
        design = self.design.with_response(np.full(self.design.n, np.nan) if y is None else y, kernel)
        return self.source.fit(design, optimum_of(refits, i))


def optimum_of(refits: Refits, i: int) -> Optimum:
    """One refit as an optimum; what went through the compiled search has its word and no more evidence."""
    value = float(refits.criterion[i])
    if i in refits.evidence:
        return Optimum(refits.x[i], value, refits.evidence[i])
    status = Status.EXHAUSTED if refits.failed[i] else Status.CONVERGED
    return Optimum(refits.x[i], value, Convergence(status, 0.0, np.zeros(0), (), 0, (value,)))
