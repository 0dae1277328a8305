"""Satterthwaite's degrees of freedom."""

from typing import ClassVar

from .of_ddf import OfDdf


class Satterthwaite(OfDdf):
    """t by the variance of the variance."""

    keyword: ClassVar[str] = "satterthwaite"
    usual: ClassVar[bool] = True
    place: ClassVar[int] = 2
    ddf: ClassVar[str] = "satterthwaite"
