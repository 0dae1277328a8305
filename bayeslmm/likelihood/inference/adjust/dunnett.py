"""Dunnett's adjustment: the largest of correlated t statistics."""

import numpy as np

from bayeslmm.errors import OptionError
from bayeslmm.likelihood.inference.simultaneous import critical_value, each_df, largest_t_sf

from .base import Adjustment, Array, Family


class Dunnett(Adjustment):
    """P(max|T| > |t|), T multivariate t with the contrasts' own correlations (Dunnett 1955)."""

    keyword = "dunnett"
    name = "Dunnett"
    usual_for = ("reference",)

    def p(self, family: Family) -> Array:
        root = _root(family)
        values = zip(family.t, family.df, strict=True)
        return np.array([largest_t_sf(abs(t), root, df) for t, df in values])

    def critical(self, family: Family, prob: float) -> Array:
        root = _root(family)
        return each_df(lambda df: critical_value(lambda t: largest_t_sf(t, root, df), prob), family.df)


def _root(family: Family) -> Array:
    """The lower Cholesky factor of the correlations."""
    try:
        return np.linalg.cholesky(family.correlation)
    except np.linalg.LinAlgError:
        raise OptionError(
            "Dunnett's adjustment is of contrasts of which none follows from the others, such as those with "
            "a reference; use adjust='tukey' for all pairs, or 'holm'"
        ) from None
