"""Kenward and Roger's covariance and degrees of freedom."""

from typing import ClassVar

from .base import Study
from .of_ddf import OfDdf


class KenwardRoger(OfDdf):
    """t with the standard error corrected, too; for REML fits."""

    keyword: ClassVar[str] = "kenward-roger"
    usual: ClassVar[bool] = True
    place: ClassVar[int] = 3
    ddf: ClassVar[str] = "kenward-roger"

    def objection(self, study: Study) -> str:
        return "" if study.fit.reml else "Kenward-Roger corrects REML's covariance; these fits are by ML"
