"""Intervals of the fixed effects from an estimate, its standard error and degrees of freedom."""

from functools import partial
from typing import ClassVar

import numpy as np

from bayeslmm.likelihood.inference.ddf.methods import ddf_of

from .base import Case, Maker, Method, Said, Study


class OfDdf(Method):
    """β̂ ± t se, by one of the methods for denominator degrees of freedom."""

    paradigm: ClassVar[str] = "likelihood"
    ddf: ClassVar[str]

    def maker(self, study: Study) -> Maker:
        return partial(_said, self.ddf, study)


def _said(ddf: str, study: Study, case: Case) -> Said:
    from scipy.special import stdtrit

    p, method = case.fit.design.p, ddf_of(case.fit, ddf)
    L = np.eye(p)
    half = np.full(len(case.truth), np.nan)
    half[:p] = stdtrit(method.df(L), 0.5 + study.prob / 2) * np.sqrt(method.variance(L))
    return Said.interval(case.estimate, case.estimate - half, case.estimate + half, case.truth)
