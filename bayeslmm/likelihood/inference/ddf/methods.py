"""All methods for denominator degrees of freedom, by the word that asks for them."""

from bayeslmm.errors import check_choice
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.likelihood.inference.ddf.base import DDF
from bayeslmm.likelihood.inference.ddf.kenward_roger import KenwardRoger
from bayeslmm.likelihood.inference.ddf.normal import Normal
from bayeslmm.likelihood.inference.ddf.residual import Residual
from bayeslmm.likelihood.inference.ddf.satterthwaite import Satterthwaite

METHODS: dict[str, type[DDF]] = {
    method.keyword: method for method in (Satterthwaite, KenwardRoger, Residual, Normal)
}


def ddf_of(fit: Fitted, ddf: str) -> DDF:
    """The method of that name for this fit.

    Raises
    ------
    OptionError
        For a misspelt method, or one that isn't for this fit.
    """
    return METHODS[check_choice("ddf", ddf, METHODS)](fit)
