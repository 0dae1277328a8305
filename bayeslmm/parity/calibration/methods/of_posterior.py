"""Intervals of the posterior, by weighted points that all data sets share."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bayeslmm.posterior.batch.arrays import FEWEST
from bayeslmm.posterior.batch.run import Batch
from bayeslmm.posterior.methods.importance import PARETO_K

from .base import Case, Maker, Method, Said, Study

type Array = NDArray[np.float64]


@dataclass(frozen=True)
class OfPosterior(Method):
    """Limits of the posterior under the model's priors.

    Attributes
    ----------
    priors : changes of them by name, or none.
    """

    priors: Mapping[str, Any] | None = None
    paradigm: ClassVar[str] = "posterior"
    which: ClassVar[str]

    def maker(self, study: Study) -> Maker:
        priors = study.priors.replace(self.priors) if self.priors else study.priors
        batch = study.batch(priors)
        _ = batch.start, batch.sequences.final, batch.sequences.scouts  # before any data set
        return _Limits(batch, self.which)


@dataclass(frozen=True, eq=False)
class _Limits:
    batch: Batch
    which: str

    def __call__(self, case: Case) -> Said:
        found = case.posterior(self.batch)
        if found.effective < FEWEST or found.pareto_k > PARETO_K:
            return Said.nothing(len(case.truth))
        limits: Array = getattr(found, self.which)
        return Said.interval(found.mean, limits[:, 0], limits[:, 1], case.truth)
