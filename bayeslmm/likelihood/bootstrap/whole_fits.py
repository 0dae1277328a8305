"""Refits that are fits of their own: of other designs, or where R has parameters that move."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayeslmm.kernel.search.optimizer import Status
from bayeslmm.likelihood.bootstrap.engine import Replicates, Source
from bayeslmm.likelihood.bootstrap.refits import Refits
from bayeslmm.likelihood.bootstrap.responses import RowSampler
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.likelihood.optimum import Convergence, Optimum, optimize
from bayeslmm.spec.design import Design

type Array = NDArray[np.float64]

NO_FIT = Convergence(Status.FAILED, np.nan, np.zeros(0), (), 0, ())


@dataclass(frozen=True, slots=True, eq=False)
class WholeFits:
    """New responses to a design, each searched for θ and φ from the fit's own.

    Attributes
    ----------
    design : the fit's. mean : (n,) Xβ̂ + offset. rows : makes responses without it.
    source : of the refits. start : x̂.
    """

    design: Design
    mean: Array
    rows: RowSampler
    source: Source
    start: Array

    @classmethod
    def of(cls, fit: Fitted, rows: RowSampler) -> "WholeFits":
        """The engine of a fit."""
        mean = np.asarray(fit.design.X @ fit.beta_values + fit.design.offset)
        return cls(fit.design, mean, rows, Source.of(fit), fit.optimum.x)

    def __call__(self, generators: Iterable[np.random.Generator]) -> Replicates:
        """Replicates of these generators."""
        made = [self.rows(generator) for generator in generators]
        fits = [self.refit(each.y + self.mean) for each in made]
        return Replicates(
            side_by_side(fits, self.design), fits.__getitem__, np.array([each.b for each in made])
        )

    def refit(self, y: Array) -> Fitted:
        """The fit of one response (n,)."""
        return refit(self.design.with_response(y), self.source, self.start)


def refit(design: Design, source: Source, start: Array) -> Fitted:
    """A fit of another design; not converged where the columns of X depend on each other there."""
    if is_told(design):
        optimum = optimize(source.options.objective(design), start)
    else:
        optimum = Optimum(start, np.nan, NO_FIT)
    return source.fit(design.at_phi(design.coordinates.phi(optimum.x)), optimum)


def is_told(design: Design) -> bool:
    """Whether the columns of X don't depend on each other."""
    return design.p == 0 or int(np.linalg.matrix_rank(design.X)) == design.p


def side_by_side(fits: list[Fitted], original: Design) -> Refits:
    """Fits of other designs side by side; NaN where there is none."""
    failed = np.array([not fit.convergence.converged for fit in fits])
    nothing = np.full(original.p, np.nan)
    return Refits(
        x=np.array([fit.optimum.x for fit in fits]),
        lam=np.array([fit.lam for fit in fits]),
        beta=np.array([nothing if bad else fit.beta_values for fit, bad in zip(fits, failed, strict=True)]),
        sigma=np.array([np.nan if bad else fit.sigma for fit, bad in zip(fits, failed, strict=True)]),
        criterion=np.array([fit.criterion_value for fit in fits]),
        delta=np.full((len(fits), original.p), np.nan),
        singular=np.array([fit.is_singular for fit in fits]),
        failed=failed,
        evidence={i: fit.convergence for i, fit in enumerate(fits)},
    )
