"""Deviance tests of the truth: what a profile interval covers, without its limits."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bayeslmm.likelihood.inference.profile.parameters import parameters

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

        fit, said = case.ml(self.study), Said.nothing(len(case.truth))
        most = fit.criterion_value + float(chdtri(1, 1 - self.study.prob))
        for i, held in enumerate(parameters(fit)):
            if np.isfinite(case.truth[i]):
                said.covers[i] = held.reaches(case.truth[i], most)
            if i < fit.design.p:
                said.rejects[i] = not held.reaches(0.0, most)
        return said
