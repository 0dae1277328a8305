"""Deviance tests of the truth: what a profile interval covers, without its limits."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.likelihood.inference.profile.held import Held, parameters

from .base import Case, Maker, Method, Said, Study


class Deviance(Method):
    """The ML deviance with a parameter held at its true value, against χ²₁."""

    keyword: ClassVar[str] = "deviance"
    paradigm: ClassVar[str] = "likelihood"
    usual: ClassVar[bool] = True
    place: ClassVar[int] = 4

    def maker(self, study: Study) -> Maker:
        return _Tests(study)


@dataclass(frozen=True, eq=False)
class _Tests:
    study: Study

    def __call__(self, case: Case) -> Said:
        from scipy.special import chdtri

        fit, cut = case.ml(self.study), float(chdtri(1, 1 - self.study.prob))
        p, said = fit.design.p, Said.nothing(len(case.truth))
        for i, held in enumerate(parameters(fit)):
            said.covers[i] = _rise(fit, held, case.truth[i]) <= cut
            if i < p:
                said.rejects[i] = _rise(fit, held, 0.0) > cut
        said.covers[np.isnan(case.truth)] = np.nan
        return said


def _rise(fit: Fitted, held: Held, value: float) -> float:
    """Of the deviance, with the parameter at a value."""
    if np.isnan(value):
        return np.nan
    return held.solve(value, held.start).deviance - fit.criterion_value
