"""What no table has, intraclass correlations and a user's own estimands, as a reader sees it in one row."""

from math import isfinite, nan

import numpy as np
import pandas as pd

from bayeslmm.parity.ladder.study import Study
from bayeslmm.parity.side_by_side import SideBySide
from bayeslmm.parity.widths import Widths

OF_POSTERIOR = {"mean": "mean", "median": "median", "sd": "sd", "lower": "post_lower", "upper": "post_upper"}
OF_POSTERIOR |= {"mcse": "mcse", "r_hat": "r_hat"}


def followed(widths: Widths, replicates: pd.DataFrame) -> dict[str, SideBySide]:
    """By label, at the estimates and over the draws.

    Parameters
    ----------
    replicates : the bootstrap's estimates by label; empty without one.
    """
    estimands, estimates = widths.study.estimands, _at_estimates(widths.study)
    names = (*estimands.functions, *estimands.combinations)
    return {name: _row(widths, replicates, name, estimates[name]) for name in names}


def _row(widths: Widths, replicates: pd.DataFrame, name: str, estimate: float) -> SideBySide:
    study = widths.study
    interval, lower, upper = _interval(widths, replicates, name, estimate)
    return SideBySide(
        label=name,
        kind=study.estimands.kind(name),
        source="ML" if study.fit is not None and study.fit.criterion == "ML" else "REML",
        interval=interval,
        estimate=estimate,
        se=float(study.se[study.estimands.labels.index(name)]),
        lower=lower,
        upper=upper,
        **_sampled(study, name),
    )


def _at_estimates(study: Study) -> dict[str, float]:
    labels = study.estimands.labels
    if isinstance(study.best, str):
        return dict.fromkeys(labels, nan)
    values, _ = study.at_fit(study.best)
    return dict(zip(labels, values.tolist(), strict=True))


def _interval(
    widths: Widths, replicates: pd.DataFrame, name: str, estimate: float
) -> tuple[str, float, float]:
    """Of a combination Student's t, or z; of a function the bootstrap's quantiles, where they are known."""
    estimands = widths.study.estimands
    if name in estimands.combinations:
        t, z = (float(each[estimands.labels.index(name)]) for each in (widths.t, widths.z))
        kind, half = ("t", t) if isfinite(t) else ("wald", z)
        return kind, estimate - half, estimate + half
    if not len(replicates) or not estimands.reads[name] <= set(replicates.columns):
        return "", nan, nan
    values = estimands.functions[name]({str(label): replicates[label].to_numpy() for label in replicates})
    lower, upper = np.nanquantile(values, [0.5 - widths.prob / 2, 0.5 + widths.prob / 2]).tolist()
    return "percentile", lower, upper


def _sampled(study: Study, name: str) -> dict[str, float]:
    frame = pd.DataFrame(columns=list(OF_POSTERIOR)) if study.sampled is None else study.sampled
    row = frame[list(OF_POSTERIOR)].reindex([name]).iloc[0]
    return {ours: float(row[theirs]) for theirs, ours in OF_POSTERIOR.items()}
