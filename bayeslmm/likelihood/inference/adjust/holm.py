"""Holm's step-down procedure."""

import numpy as np

from .base import Adjustment, Array, Family
from .none import Unadjusted


class Holm(Adjustment):
    """The i-th smallest of k p-values times k + 1 − i, kept in order (Holm 1979); Bonferroni's intervals.

    A step-down test has no intervals of its own that are two-sided and simple.
    """

    keyword = "holm"
    name = "Holm"

    def p(self, family: Family) -> Array:
        p = Unadjusted().p(family)
        order = np.argsort(p)
        raised = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
        out = np.empty(len(p))
        out[order] = np.minimum(raised, 1.0)
        return out

    def critical(self, family: Family, prob: float) -> Array:
        return Unadjusted().critical(family, 1 - (1 - prob) / max(len(family.t), 1))
