"""Normal quantiles."""

from typing import ClassVar

from .of_ddf import OfDdf


class Z(OfDdf):
    """The variances count as known."""

    keyword: ClassVar[str] = "z"
    usual: ClassVar[bool] = True
    place: ClassVar[int] = 1
    ddf: ClassVar[str] = "normal"
