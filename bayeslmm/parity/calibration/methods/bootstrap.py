"""Bootstrap intervals, of every kind and from draws to limits in every way."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bayeslmm.errors import check_choice
from bayeslmm.likelihood.bootstrap.intervals import IntervalMethod, Sample
from bayeslmm.likelihood.bootstrap.kinds.base import BootstrapKind
from bayeslmm.likelihood.bootstrap.task import Columns, RefitTask
from bayeslmm.runs.plan import generators
from bayeslmm.spec.labels import kind_of

from .base import Case, Maker, Method, Said, Study


@dataclass(frozen=True)
class Bootstrap(Method):
    """Replicates of each data set's own fit.

    Attributes
    ----------
    n : replicates of each. resampling : kind of bootstrap. interval : from draws to limits.
    """

    n: int = 199
    resampling: str = "parametric"
    interval: str = "percentile"
    keyword: ClassVar[str] = "bootstrap"
    paradigm: ClassVar[str] = "likelihood"
    usual: ClassVar[bool] = True
    place: ClassVar[int] = 5

    def maker(self, study: Study) -> Maker:
        kinds = BootstrapKind.kinds()
        ways = {word: way for word, way in IntervalMethod.kinds().items() if not way.needs_acceleration}
        kind = kinds[check_choice("bootstrap kind", self.resampling, kinds)]()
        return _Limits(study, kind, ways[check_choice("interval", self.interval, ways)](), self.n)


@dataclass(frozen=True, eq=False)
class _Limits:
    study: Study
    kind: BootstrapKind
    way: IntervalMethod
    n: int

    def __call__(self, case: Case) -> Said:
        se = self.way.needs_se
        rows = RefitTask.of(case.fit, self.kind, se=se)(generators(case.seed, range(self.n)))
        found = Columns.of(rows, len(case.truth), se, False)
        limits = np.array([self._limits(case, found, i) for i in range(len(case.truth))])
        return Said.interval(case.estimate, limits[:, 0], limits[:, 1], case.truth)

    def _limits(self, case: Case, found: Columns, i: int) -> tuple[float, float]:
        """Of one estimand; none where its draws don't exist."""
        from bayeslmm.likelihood.bootstrap.parameters import standard_errors

        se = np.nan if found.se is None else float(standard_errors(case.fit)[i])
        draw_se = None if found.se is None else found.se[:, i]
        kind = kind_of(self.study.labels[i])
        sample = Sample(float(case.estimate[i]), found.values[:, i], se, draw_se, kind=kind).finite()
        if len(sample.draws) < 2:
            return np.nan, np.nan
        return self.way.limits(sample, self.study.prob)
