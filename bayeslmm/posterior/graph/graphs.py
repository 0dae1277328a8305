"""A design and its priors as a PyMC model."""

from typing import TYPE_CHECKING

from bayeslmm.errors import OptionError, check_choice
from bayeslmm.posterior import names
from bayeslmm.posterior.graph.covariances import absolute_factors, residual_sd
from bayeslmm.posterior.graph.explicit import explicit_likelihood
from bayeslmm.posterior.graph.marginal import marginal_likelihood
from bayeslmm.posterior.graph.residual import residual_parameters
from bayeslmm.posterior.options import check_of_fitted
from bayeslmm.spec.design import Design
from bayeslmm.spec.priors import Priors

if TYPE_CHECKING:
    import pymc as pm

KINDS = ("marginal", "explicit")


def build_graph(
    design: Design,
    priors: Priors,
    kind: str = "marginal",
    centred: bool = False,
) -> "pm.Model":
    """The model as a PyMC graph, with named dimensions and coordinates.

    Parameters
    ----------
    kind : ``"marginal"``: variables ``sigma``, ``sd_*``, ``cor_*`` (and ``beta`` where its prior is neither
        flat nor normal), the rest integrated out. ``"explicit"``: every random effect is a variable.
    centred : explicit graph only: b itself is the variable, not the spherical u with b = Λu.

    Raises
    ------
    OptionError
        When the kind is misspelt, or a centred marginal graph is asked for.
    """
    import pymc as pm

    check_choice("graph", kind, KINDS)
    check_of_fitted(design.residual)
    design = design.begun
    if centred and kind == "marginal":
        raise OptionError("a marginal graph has no random effects to centre; ask for kind='explicit'")
    with pm.Model(coords=names.coords(design)) as model:
        spread = residual_sd(design, priors)
        factors = absolute_factors(design, priors)
        ratios = residual_parameters(design, priors, spread)
        if kind == "marginal":
            marginal_likelihood(design, priors, spread, factors, ratios)
        else:
            explicit_likelihood(design, priors, spread, factors, ratios, centred)
    return model
