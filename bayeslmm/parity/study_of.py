"""The study that results of both paradigms make."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from bayeslmm.parity.ladder.estimands import Estimands
from bayeslmm.parity.ladder.rungs.prior_rung import kinds_in_order
from bayeslmm.parity.ladder.study import Study
from bayeslmm.parity.sides import Sides


def study_of(sides: Sides, prob: float, estimands: Mapping[str, Any] | None = None) -> Study | None:
    """What the ladder is computed from; None where only tables were compared, without their model.

    Parameters
    ----------
    prob : of the intervals. estimands : a user's own, by name.
    """
    from bayeslmm.likelihood.fit import LikelihoodFit
    from bayeslmm.spec.priors import default_priors

    design = sides.find("design")
    if design is None:
        return None
    fit = sides.fit.result if sides.fit and isinstance(sides.fit.result, LikelihoodFit) else None
    priors = sides.find("priors")
    followed = Estimands.of(design, estimands)
    kinds = tuple(kind for kind in kinds_in_order() if priors is not None and kind in priors.informed)
    return Study(
        design,
        default_priors(design).only(()) if priors is None else priors,
        kinds,
        priors is not None,
        fit,
        sides.fit.table.frame["se"] if sides.fit else None,
        _sampled(sides, followed, prob),
        followed,
    )


def _sampled(sides: Sides, estimands: Estimands, prob: float) -> pd.DataFrame | None:
    """The posterior's table, with functions and combinations of the draws where there are draws."""
    if sides.posterior is None:
        return None
    table, data = sides.posterior.table.frame, getattr(sides.posterior.result, "data", None)
    names = (*estimands.functions, *estimands.combinations)
    if data is None or not names:
        return table
    from bayeslmm.posterior.summary.estimates import draws_by_label, summarize

    draws = estimands.followed(draws_by_label(data, estimands.design, ranef=True)[1])
    return pd.concat([table, summarize(names, draws, prob, "eti")])
