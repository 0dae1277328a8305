"""Studies of models, without a posterior."""

from bayeslmm.parity.ladder.estimands import Estimands
from bayeslmm.parity.ladder.rungs.prior_rung import kinds_in_order
from bayeslmm.parity.ladder.study import Study


def study_from(model, **options):
    """A study of a model with its priors; `estimands` of a user's own, `seed` of the averages."""
    priors, design = model.priors, model.design
    kinds = tuple(kind for kind in kinds_in_order() if kind in priors.informed)
    estimands = Estimands.of(design, options.pop("estimands", None))
    return Study(design, priors, kinds, True, None, None, None, estimands, **options)
