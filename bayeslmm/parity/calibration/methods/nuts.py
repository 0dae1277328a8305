"""Posterior intervals by NUTS, where the batch isn't to be relied on."""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np

from bayeslmm.posterior.options import SampleOptions
from bayeslmm.posterior.sample import sample

from .base import Case, Maker, Method, Said, Study


@dataclass(frozen=True)
class NUTS(Method):
    """Equal tails of draws from the marginal graph; seconds a data set.

    Attributes
    ----------
    draws, tune, chains : as for `LinearMixedModel.sample`.
    """

    draws: int = 500
    tune: int = 500
    chains: int = 2
    keyword: ClassVar[str] = "nuts"
    paradigm: ClassVar[str] = "posterior"

    def maker(self, study: Study) -> Maker:
        return partial(_said, self, study)


def _said(method: NUTS, study: Study, case: Case) -> Said:
    seed = int(case.seed % 2**31)
    options = SampleOptions(method.draws, method.tune, method.chains, seed, "marginal", progress=False)
    frame = sample(case.fit.design, study.priors, options).estimates(study.prob).frame.loc[list(study.labels)]
    mean, lower, upper = (np.asarray(frame[name], dtype=float) for name in ("mean", "lower", "upper"))
    return Said.interval(mean, lower, upper, case.truth)
