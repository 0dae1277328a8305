"""The shortest interval of the posterior."""

from typing import ClassVar

from .of_posterior import OfPosterior


class HDI(OfPosterior):
    """The shortest interval."""

    keyword: ClassVar[str] = "hdi"
    usual: ClassVar[bool] = True
    place: ClassVar[int] = 7
    which: ClassVar[str] = "hdi"
