"""What no table has, intraclass correlations and a user's own estimands, as a reader sees it in one row."""

from math import nan
from typing import Any

import numpy as np
import pandas as pd

from bayeslmm.parity.ladder.study import Study
from bayeslmm.parity.side_by_side import SideBySide

OF_POSTERIOR = {"mean": "mean", "median": "median", "sd": "sd", "lower": "post_lower", "upper": "post_upper"}
OF_POSTERIOR |= {"mcse": "mcse", "r_hat": "r_hat"}


def followed(study: Study, posterior: Any, prob: float) -> dict[str, SideBySide]:
    """By label, at the estimates and over the draws.

    Parameters
    ----------
    posterior : the DataTree of draws, or None.
    """
    names = (*study.estimands.functions, *study.estimands.combinations)
    estimates, told = _at_estimates(study), _over_draws(study, names, posterior, prob)
    source = "ML" if study.fit is not None and study.fit.criterion == "ML" else "REML"
    return {
        name: SideBySide(
            name,
            study.estimands.kind(name),
            source,
            interval="",
            estimate=estimates.get(name, nan),
            se=nan,
            lower=nan,
            upper=nan,
            **told[name],
        )
        for name in names
    }


def _at_estimates(study: Study) -> dict[str, float]:
    if isinstance(study.best, str):
        return {}
    values, _ = study.at_fit(study.best)
    return dict(zip(study.estimands.labels, values.tolist(), strict=True))


def _over_draws(
    study: Study, names: tuple[str, ...], posterior: Any, prob: float
) -> dict[str, dict[str, float]]:
    from bayeslmm.posterior.summary.estimates import draws_by_label, summarize

    if posterior is None or not names:
        found = pd.DataFrame(np.nan, index=list(names), columns=list(OF_POSTERIOR))
    else:
        draws = study.estimands.followed(draws_by_label(posterior, study.design, ranef=True)[1])
        found = summarize(names, draws, prob, "eti")[list(OF_POSTERIOR)]
    rows = found.rename(columns=OF_POSTERIOR).to_dict("index")
    return {str(name): {str(column): float(x) for column, x in row.items()} for name, row in rows.items()}
