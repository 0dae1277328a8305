"""The choice among methods for denominator degrees of freedom."""

from bayeslmm.errors import check_choice
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.likelihood.inference.ddf.base import DDF


def ddf_of(fit: Fitted, ddf: str) -> DDF:
    """The method of that name for this fit, which keeps it.

    Raises
    ------
    OptionError
        For a misspelt method, or one that isn't for this fit.
    """
    methods = DDF.kinds()
    word = check_choice("ddf", ddf, methods)
    if word not in fit.kept:
        fit.kept[word] = methods[word](fit)
    method: DDF = fit.kept[word]
    return method
