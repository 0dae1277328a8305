"""A posterior as R's broom lays results out: tidy, glance, augment."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bayeslmm.estimands.broom import rows_of, tidied
from bayeslmm.estimands.headed import HeadedTable
from bayeslmm.posterior.parameters import stacked_sigma
from bayeslmm.posterior.predictive import predict
from bayeslmm.posterior.summary.tree import Draws
from bayeslmm.spec.design import Design
from bayeslmm.spec.prediction import PredictOptions
from bayeslmm.spec.recipe import Recipe

if TYPE_CHECKING:
    from bayeslmm.estimands.table import EstimateTable

TIDY = {"mean": "estimate", "sd": "std.error", "lower": "conf.low", "upper": "conf.high"}
TIDY |= {"ess_bulk": "ess", "r_hat": "rhat"}
ROWS = {"prediction": ".fitted", "se": ".se.fit", "lower": ".lower", "upper": ".upper"}


def tidy(table: "EstimateTable", design: Design, effects: tuple[str, ...]) -> HeadedTable:
    """One row a term, from a table of estimates."""
    found = tidied(table.frame[list(TIDY)].rename(columns=TIDY), design, effects)
    heading = f"Terms of the posterior, {100 * table.prob:g} % {table.interval} intervals"
    return HeadedTable.of(found, heading, table.notes, prob=table.prob)


def glance(design: Design, draws: Draws, method: str) -> HeadedTable:
    """One row a run: algorithm, pss (its draws), nobs, sigma (posterior mean)."""
    sigma = float(stacked_sigma(draws.parameters).mean())
    row = {"algorithm": method, "pss": draws.n_draws, "nobs": design.n, "sigma": sigma}
    return HeadedTable.of(pd.DataFrame([row]), f"Posterior by {method}")


def augment(design: Design, recipe: Recipe | None, draws: Draws, prob: float) -> HeadedTable:
    """The fitted rows with .fitted (posterior mean), .se.fit, .lower, .upper and .resid."""
    options = PredictOptions(interval="confidence", prob=prob)
    found = pd.DataFrame(predict(design, recipe, draws, None, options))
    rows = rows_of(design, recipe)
    rows[list(ROWS.values())] = found[list(ROWS)].to_numpy()
    rows[".resid"] = design.y - np.asarray(found["prediction"])
    return HeadedTable.of(rows, f"Rows of the posterior, {100 * prob:g} % intervals of the mean", prob=prob)
