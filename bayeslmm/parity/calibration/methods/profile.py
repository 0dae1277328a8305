"""Profile-likelihood intervals, limits and all."""

from functools import partial
from typing import ClassVar

import numpy as np

from bayeslmm.likelihood.inference.profile.profile import profile

from .base import Case, Maker, Method, Said, Study


class Profile(Method):
    """Where the ML deviance crosses χ²₁'s quantile."""

    keyword: ClassVar[str] = "profile"
    paradigm: ClassVar[str] = "likelihood"

    def maker(self, study: Study) -> Maker:
        return partial(_said, study)


def _said(study: Study, case: Case) -> Said:
    fit = case.ml(study)
    found = profile(fit).confint(study.prob).reindex(list(study.labels))
    lower, upper = (np.asarray(found[side], dtype=float) for side in ("lower", "upper"))
    return Said.interval(case.estimate, lower, upper, case.truth)
