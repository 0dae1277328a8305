"""The degrees of freedom of least squares."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from bayeslmm.likelihood.inference.ddf.base import DDF

type Array = NDArray[np.float64]


class Residual(DDF):
    """n − p; right where there are no random effects, too many for what varies between groups."""

    keyword: ClassVar[str] = "residual"
    name: ClassVar[str] = "residual"

    def df(self, L: Array) -> Array:
        """The same for every row; infinite where σ is known."""
        design = self.fit.design
        return np.full(len(L), design.n - design.p if design.residual.sigma_free else np.inf)
