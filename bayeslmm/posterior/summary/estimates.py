"""Posterior summaries as an EstimateTable: numbers on arrays, labels attached once."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from bayeslmm.errors import check_choice, check_prob
from bayeslmm.posterior import names
from bayeslmm.posterior.summary.chains import diagnostics
from bayeslmm.spec import labels
from bayeslmm.spec.design import Design

if TYPE_CHECKING:
    import pandas as pd
    from xarray import DataTree

    from bayeslmm.estimands.headed import HeadedTable
    from bayeslmm.estimands.table import EstimateTable

type Array = NDArray[np.float64]
type Interval = Literal["eti", "hdi"]

INTERVALS = ("eti", "hdi")


def draws_by_label(
    data: "DataTree | Mapping[str, Mapping[str, Array]]", design: Design, ranef: bool = False
) -> tuple[tuple[str, ...], Array]:
    """Labels in the order beta, sd, cor, sigma, ranef (if asked for), and draws (chains, draws, n_labels)."""
    posterior = data["posterior"]
    groups = [block.group for block in design.blocks]
    wanted = [names.BETA, *map(names.sd_name, groups), *map(names.cor_name, groups)]
    wanted += [names.RESIDUAL, names.SIGMA]
    wanted += [names.ranef_name(group) for group in groups] if ranef else []
    arrays = [np.asarray(posterior[name]) for name in wanted if name in posterior]
    flat = [array.reshape(*array.shape[:2], -1) for array in arrays]
    found = labels.parameter_labels(design)
    return found + (labels.ranef_labels(design) if ranef else ()), np.concatenate(flat, axis=2)


def estimates(
    data: "DataTree", design: Design, prob: float = 0.95, ranef: bool = False, interval: Interval = "eti"
) -> "EstimateTable":
    """Mean, median, sd, interval and sampler diagnostics of every parameter.

    Parameters
    ----------
    prob : probability of the interval.
    ranef : add the random effects.
    interval : ``"eti"`` (equal tails) or ``"hdi"`` (highest density).

    Raises
    ------
    OptionError
        When the interval is misspelt or the probability isn't one.
    """
    from bayeslmm.estimands.table import EstimateTable

    check_interval(interval, prob)
    found, draws = draws_by_label(data, design, ranef)
    return EstimateTable(summarize(found, draws, prob, interval), "posterior", interval, prob)


def check_interval(interval: str, prob: float) -> None:
    """Refuse a misspelt interval or a probability that isn't one."""
    check_choice("interval", interval, INTERVALS)
    check_prob(prob)


def summarize(found: tuple[str, ...], draws: Array, prob: float, interval: Interval) -> "pd.DataFrame":
    """One row per column of draws (chains, draws, k)."""
    import pandas as pd
    from arviz_stats.base import array_stats

    bounds = getattr(array_stats, interval)(draws, prob, axis=(0, 1))
    columns = {
        "kind": [labels.kind_of(label) for label in found],
        "mean": draws.mean(axis=(0, 1)),
        "median": np.median(draws, axis=(0, 1)),
        "sd": draws.std(axis=(0, 1), ddof=1),
        "lower": bounds[..., 0],
        "upper": bounds[..., 1],
        **diagnostics(draws),
    }
    return pd.DataFrame(columns, index=pd.Index(found, name="label"))


def ranef_table(table: "EstimateTable", design: Design) -> "HeadedTable":
    """Random effects in tidy form: one row per group, level and coef, from the last q rows of estimates."""
    import pandas as pd

    from bayeslmm.estimands.headed import HeadedTable

    rows = table.frame.iloc[len(table.frame) - design.q :].drop(columns="kind")
    places = [
        (block.group, level, coef)
        for block in design.blocks
        for level in block.levels
        for coef in block.coefs
    ]
    keys = pd.DataFrame(places, columns=["group", "level", "coef"])
    heading = f"Random effects, {100 * table.prob:g} % {table.interval} intervals"
    return HeadedTable.of(pd.concat([keys, rows.reset_index(drop=True)], axis=1), heading)
