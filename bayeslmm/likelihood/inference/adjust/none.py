"""Each contrast by itself."""

import numpy as np

from .base import Adjustment, Array, Family


class Unadjusted(Adjustment):
    """Student's t, a contrast at a time."""

    keyword = "none"
    name = "unadjusted"
    usual_for = ("own",)

    def p(self, family: Family) -> Array:
        from scipy.special import stdtr

        return np.asarray(2 * stdtr(family.df, -np.abs(family.t)))

    def critical(self, family: Family, prob: float) -> Array:
        from scipy.special import stdtrit

        return np.asarray(stdtrit(family.df, 0.5 + prob / 2))
