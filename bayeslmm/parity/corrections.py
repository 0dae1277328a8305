"""In which direction each paradigm corrects an estimate: the bootstrap's bias beside integration's step."""

import numpy as np
import pandas as pd

from bayeslmm.parity.ladder.ladder import Ladder
from bayeslmm.parity.sides import Sides

ZERO = 1e-6  # of the scale, below which a replicate's standard deviation is 0


def corrections(sides: Sides, ladder: Ladder, draws: pd.DataFrame) -> pd.DataFrame:
    """One row an estimand that was bootstrapped.

    The bootstrap would move an estimate against its bias, integration moves it towards the posterior's long
    tail; side by side it is seen whether they go the same way, and how far.

    Columns: `bias` of the bootstrap and `corrected`, the estimate less its bias; `integration`, the step to
    the posterior mean, and `mean`; both steps in units of the scale (`bias_over_scale`,
    `integration_over_scale`); `share_at_zero` of the replicates; half-widths of both intervals
    (`bootstrap_width, posterior_width`).
    """
    if sides.bootstrap is None:
        return pd.DataFrame(columns=list(COLUMNS))
    table = sides.bootstrap.table.frame
    scale = pd.Series(ladder.study.scale, index=list(ladder.study.estimands.labels)).reindex(table.index)
    last = ladder.frame.query("rung == 'mean'").set_index("label").reindex(table.index)
    found = pd.DataFrame(index=table.index)
    found["bias"] = table.get("bias", np.nan)
    found["corrected"] = table["estimate"] - found["bias"]
    found["integration"], found["mean"] = last["step"], last["value"]
    found["bias_over_scale"] = found["bias"] / scale
    found["integration_over_scale"] = last["step_over_scale"]
    found["share_at_zero"] = [_at_zero(draws, str(label), scale) for label in table.index]
    found["bootstrap_width"] = 0.5 * (table["upper"] - table["lower"])
    if sides.posterior is not None:
        post = sides.posterior.table.frame.reindex(table.index)
        found["posterior_width"] = 0.5 * (post["upper"] - post["lower"])
    return found.reindex(columns=list(COLUMNS))


COLUMNS = (
    "bias",
    "corrected",
    "integration",
    "mean",
    "bias_over_scale",
    "integration_over_scale",
    "share_at_zero",
    "bootstrap_width",
    "posterior_width",
)


def _at_zero(draws: pd.DataFrame, label: str, scale: "pd.Series[float]") -> float:
    if label not in draws or not label.startswith("sd["):
        return float("nan")
    values = draws[label].to_numpy(float)
    return float(np.mean(np.abs(values[np.isfinite(values)]) <= ZERO * scale[label]))
