"""What is done for some replicates: refits in, one row of numbers each out."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayeslmm.likelihood.bootstrap.engine import Engine, Replicates
from bayeslmm.likelihood.bootstrap.kinds.base import BootstrapKind
from bayeslmm.likelihood.bootstrap.parameters import parameter_draws, standard_errors
from bayeslmm.likelihood.bootstrap.refits import Refits
from bayeslmm.likelihood.bootstrap.statistic import Statistic
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.one_thread import one_thread
from bayeslmm.spec.coordinates import Coordinates

type Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class RefitTask:
    """One row a replicate: values, criterion, failed, singular, raised, and what else is asked for.

    Attributes
    ----------
    coordinates : of the fit.
    statistic : whose values are kept, None for the parameters. se : keep standard errors of the parameters.
    ranef : keep b̂* − b*.
    """

    engine: Engine
    coordinates: Coordinates
    statistic: Statistic | None = None
    se: bool = False
    ranef: bool = False

    @classmethod
    def of(
        cls,
        fit: Fitted,
        kind: BootstrapKind,
        statistic: Statistic | None = None,
        *,
        se: bool = False,
        ranef: bool = False,
    ) -> "RefitTask":
        """The task of a fit's replicates of one kind."""
        with one_thread():  # the same digits however many threads linear algebra would take
            engine = kind.engine(fit, statistic is not None)
        return cls(engine, fit.design.coordinates, statistic, se, ranef)

    def __call__(self, generators: Iterable[np.random.Generator]) -> Array:
        """Rows (m, width) of some replicates."""
        made = self.engine(generators)
        refits = made.refits
        values, raised = self._values(made)
        values[refits.failed] = np.nan
        facts = (refits.criterion, refits.failed, refits.singular, raised)
        parts = [values, np.column_stack(facts)]
        if self.se:
            parts.append(_per_fit(made, values.shape[1], standard_errors))
        if self.ranef:
            parts.append(_per_fit(made, made.b.shape[1], lambda fit: fit.b) - made.b)
        return np.hstack(parts)

    def _values(self, made: Replicates) -> tuple[Array, NDArray[np.bool_]]:
        refits = made.refits
        m = len(refits.failed)
        if self.statistic is None:
            return self.parameters(refits), np.zeros(m, dtype=bool)
        asked = [None if refits.failed[i] else self.statistic.or_nothing(made.fit(i)) for i in range(m)]
        nothing = np.full(len(self.statistic.labels), np.nan)
        values = np.array([nothing if each is None else each for each in asked])
        return values, np.array([each is None for each in asked]) & ~refits.failed

    def parameters(self, refits: Refits) -> Array:
        """(m, n) draws of the labelled parameters."""
        return parameter_draws(self.coordinates, refits.beta, refits.x, refits.lam, refits.sigma)


def _per_fit(made: Replicates, width: int, ask: Callable[[Fitted], Array]) -> Array:
    """What `ask` says of each refit, (m, width); NaN where there is none."""
    failed = made.refits.failed
    out = np.full((len(failed), width), np.nan)
    for i in np.flatnonzero(~failed).tolist():
        out[i] = ask(made.fit(i))
    return out


class Columns(NamedTuple):
    """A task's rows taken apart: values (n, m), criterion and flags (n,), se (n, m), ranef errors (n, q)."""

    values: Array
    criterion: Array
    failed: NDArray[np.bool_]
    singular: NDArray[np.bool_]
    raised: NDArray[np.bool_]
    se: Array | None
    ranef_errors: Array | None

    @staticmethod
    def are_rows(rows: Array, m: int, q: int, se: bool, ranef: bool) -> bool:
        """Whether rows are as wide as those of m values and q random effects, flags where flags belong."""
        as_wide = rows.shape[1] == m * (1 + se) + 4 + q * ranef
        return as_wide and bool(np.isin(rows[:, m + 1 : m + 4], (0.0, 1.0)).all())

    @classmethod
    def of(cls, rows: Array, m: int, se: bool, ranef: bool) -> "Columns":
        """Take apart rows of m values each."""
        rows.setflags(write=False)
        failed, singular, raised = (rows[:, m + i].astype(bool) for i in (1, 2, 3))
        first = m + 4 + m * se
        return cls(
            values=rows[:, :m],
            criterion=rows[:, m],
            failed=failed,
            singular=singular,
            raised=raised,
            se=rows[:, m + 4 : first] if se else None,
            ranef_errors=rows[:, first:] if ranef else None,
        )
