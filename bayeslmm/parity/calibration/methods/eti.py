"""Equal tails of the posterior."""

from typing import ClassVar

from .of_posterior import OfPosterior


class ETI(OfPosterior):
    """Equal tails."""

    keyword: ClassVar[str] = "eti"
    usual: ClassVar[bool] = True
    place: ClassVar[int] = 6
    which: ClassVar[str] = "eti"
