"""All methods for denominator degrees of freedom, by the word that asks for them."""

from typing import TYPE_CHECKING

from bayeslmm.errors import check_choice
from bayeslmm.likelihood.inference.ddf.base import DDF
from bayeslmm.likelihood.inference.ddf.kenward_roger import KenwardRoger
from bayeslmm.likelihood.inference.ddf.normal import Normal
from bayeslmm.likelihood.inference.ddf.residual import Residual
from bayeslmm.likelihood.inference.ddf.satterthwaite import Satterthwaite

if TYPE_CHECKING:
    from bayeslmm.likelihood.fit import LikelihoodFit

METHODS: dict[str, type[DDF]] = {
    method.keyword: method for method in (Satterthwaite, KenwardRoger, Residual, Normal)
}


def ddf_of(fit: "LikelihoodFit", ddf: str) -> DDF:
    """The method of that name for this fit.

    Raises
    ------
    OptionError
        For a misspelt method, or one that isn't for this fit.
    """
    return METHODS[check_choice("ddf", ddf, METHODS)](fit)
