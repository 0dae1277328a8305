"""What is done for each simulated data set: one row of numbers, whatever ran before or beside it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayeslmm.errors import InputError
from bayeslmm.likelihood.bootstrap.engine import ResponseEngine
from bayeslmm.likelihood.bootstrap.kinds.parametric import NormalRows
from bayeslmm.likelihood.bootstrap.parameters import parameters
from bayeslmm.likelihood.bootstrap.responses import Responses
from bayeslmm.parity.calibration.methods import Case
from bayeslmm.parity.calibration.methods.base import Maker, Said

type Array = NDArray[np.float64]

FACTS = 2  # of each data set, before what the methods say: failed, singular


class Truths(NamedTuple):
    """Where data come from: k points, one of which each data set draws.

    Attributes
    ----------
    values : (k, L) by label. beta : (k, p). theta : (k, n_theta). sigma : (k,).
    """

    values: Array
    beta: Array
    theta: Array
    sigma: Array


@dataclass(frozen=True, eq=False)
class CalibrationTask:
    """One row a data set: failed, singular, its truth (L,), and what each method says, field by field.

    Attributes
    ----------
    truths : of the data. engine : refits them. makers : of intervals.
    """

    truths: Truths
    engine: ResponseEngine
    makers: tuple[Maker, ...]

    def __call__(self, generators: Iterable[np.random.Generator]) -> Array:
        """Rows (m, width) of some data sets."""
        return np.array([self.row(generator) for generator in generators])

    def row(self, generator: np.random.Generator) -> Array:
        """The row of one."""
        case, failed, singular = self.case(generator)
        said = [Said.nothing(len(case.truth)) if failed else _asked(maker, case) for maker in self.makers]
        return np.concatenate([[failed, singular], case.truth, *(np.concatenate(each) for each in said)])

    def case(self, generator: np.random.Generator) -> tuple[Case, bool, bool]:
        """A data set, whether no optimum was found, and whether it is singular."""
        engine, truths = self.engine, self.truths
        own = int(generator.integers(len(truths.sigma))) if len(truths.sigma) > 1 else 0
        rows = NormalRows(engine.design, truths.theta[own], float(truths.sigma[own]))(generator)
        y = rows.y + engine.design.X @ (truths.beta[own] - engine.beta)
        responses = Responses.of([engine.reduction(y, rows.b)])
        made = engine.refit(responses, [y])
        fit, seed = made.fit(0), int(generator.integers(2**63))
        case = Case(fit, truths.values[own], parameters(fit), responses, y, seed)
        return case, bool(made.refits.failed[0]), bool(made.refits.singular[0])


def _asked(maker: Maker, case: Case) -> Said:
    """What a method says of a case; nothing where it says that it can't."""
    try:
        return maker(case)
    except InputError:
        return Said.nothing(len(case.truth))
