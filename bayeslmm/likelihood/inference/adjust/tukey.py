"""Tukey's adjustment of all pairs."""

import numpy as np

from bayeslmm.errors import OptionError
from bayeslmm.likelihood.inference.simultaneous import critical_value, each_df, range_sf

from .base import Adjustment, Array, Family


class Tukey(Adjustment):
    """P(Q > √2|t|), Q the studentized range of as many means (Tukey 1953; Kramer 1956 for unequal errors)."""

    keyword = "tukey"
    name = "Tukey"
    usual_for = ("pairwise",)

    def p(self, family: Family) -> Array:
        _check(family)
        values = zip(family.t, family.df, strict=True)
        return np.array([range_sf(np.sqrt(2) * abs(t), family.n_means, df) for t, df in values])

    def critical(self, family: Family, prob: float) -> Array:
        _check(family)
        return each_df(
            lambda df: critical_value(lambda t: range_sf(np.sqrt(2) * t, family.n_means, df), prob), family.df
        )


def _check(family: Family) -> None:
    if family.kind != "pairwise":
        raise OptionError(
            "Tukey's adjustment is of all pairs of means, and these contrasts are others; use adjust='holm' "
            "or 'none', or 'dunnett' for comparisons with a reference"
        )
