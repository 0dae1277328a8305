"""The study that results of both paradigms make."""

from collections.abc import Mapping
from typing import Any

from bayeslmm.parity.ladder.estimands import Estimands
from bayeslmm.parity.ladder.rungs.prior_rung import kinds_in_order
from bayeslmm.parity.ladder.study import Study
from bayeslmm.parity.sides import Sides


def study_of(sides: Sides, estimands: Mapping[str, Any] | None = None) -> Study | None:
    """What the ladder is computed from; None where only tables were compared, without their model."""
    from bayeslmm.likelihood.fit import LikelihoodFit
    from bayeslmm.spec.priors import default_priors

    design = sides.find("design")
    if design is None:
        return None
    fit = sides.fit.result if sides.fit and isinstance(sides.fit.result, LikelihoodFit) else None
    priors = sides.find("priors")
    kinds = tuple(kind for kind in kinds_in_order() if priors is not None and kind in priors.informed)
    return Study(
        design,
        default_priors(design).only(()) if priors is None else priors,
        kinds,
        priors is not None,
        fit,
        sides.fit.table.frame["se"] if sides.fit else None,
        sides.posterior.table.frame if sides.posterior else None,
        Estimands.of(design, estimands),
    )
