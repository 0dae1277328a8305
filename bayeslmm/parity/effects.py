"""Random effects as both paradigms have them: intervals, shrinkage, what not knowing the variances adds."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayeslmm.likelihood.fit import LikelihoodFit
from bayeslmm.parity.sides import Sides
from bayeslmm.parity.widths import Widths
from bayeslmm.spec.labels import ranef_labels

type Array = NDArray[np.float64]


def effect_table(sides: Sides, fit: LikelihoodFit | str, widths: Widths) -> pd.DataFrame:
    """One row a random effect.

    Columns: `group, level, coef`; `blup, lower, upper`; `shrinkage`, the share of an effect's variance that
    the data leave, at the estimates: 0 where its own data say all, 1 where they say nothing; `mean,
    post_lower, post_upper` of the posterior compared; `share` of the posterior variance that is due to the
    variance parameters, Var(E[b | y, ω]) over all of it.
    """
    design = widths.study.design
    labels = list(ranef_labels(design))
    share = pd.Series(widths.share, index=list(widths.study.estimands.labels)).reindex(labels)
    frame = pd.DataFrame({"share": share}, index=pd.Index(labels, name="label"))
    if not isinstance(fit, str):
        table = fit.ranef_table().set_axis(pd.Index(labels, name="label"))
        own = fit.estimates(widths.prob, ranef=True).frame.reindex(labels)
        frame[["group", "level", "coef"]] = table[["group", "level", "coef"]]
        frame[["blup", "lower", "upper"]] = own[["estimate", "lower", "upper"]]
        frame["shrinkage"] = _left(fit)
    if sides.posterior is not None:
        found = sides.posterior.table.frame.reindex(labels)
        frame[["mean", "post_lower", "post_upper"]] = found[["mean", "lower", "upper"]]
    return frame[[name for name in ORDER if name in frame]]


ORDER = (
    "group",
    "level",
    "coef",
    "blup",
    "lower",
    "upper",
    "shrinkage",
    "mean",
    "post_lower",
    "post_upper",
    "share",
)


def _left(fit: LikelihoodFit) -> Array:
    """Var(b | y, β) over Var(b), (q,); NaN where there is no variance."""
    parts = [np.zeros(0)]
    for block, factor in zip(fit.design.blocks, fit.design.covariance.factors(fit.theta_values), strict=True):
        variances = fit.sigma**2 * np.sum(factor**2, axis=1)
        parts.append(np.outer(block.level_variances[:-1], variances).ravel())
    prior = np.concatenate(parts)
    return np.where(prior > 0, fit.sd_conditional**2 / np.where(prior > 0, prior, 1.0), np.nan)
