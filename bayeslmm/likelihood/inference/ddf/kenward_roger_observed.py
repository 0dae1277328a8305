"""Kenward and Roger's test by the observed information of the variances."""

from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from bayeslmm.errors import OptionError
from bayeslmm.likelihood.inference.ddf.base import RANK
from bayeslmm.likelihood.inference.ddf.kenward_roger import KenwardRoger

type Array = NDArray[np.float64]


class KenwardRogerObserved(KenwardRoger):
    """Kenward and Roger's method with the observed information, as SAS GLIMMIX and JMP have it."""

    keyword: ClassVar[str] = "kenward-roger-observed"
    name: ClassVar[str] = "Kenward-Roger (observed information)"

    @cached_property
    def known(self) -> Array:
        """(r, r) twice the information of the variance parameters: the observed one.

        Raises
        ------
        OptionError
            Where it isn't that of a minimum, as it needn't be on a boundary.
        """
        found = self.information.observed(self.Phi, self.fit.sigma)
        sizes = np.sqrt(np.abs(np.diag(found))) + np.finfo(float).tiny
        if np.min(np.linalg.eigvalsh(found / np.outer(sizes, sizes)), initial=0.0) < -RANK:
            raise OptionError(
                "the observed information isn't positive: a variance of this fit is 0 or hardly known; "
                "use ddf='kenward-roger', whose expected information always is"
            )
        return found
