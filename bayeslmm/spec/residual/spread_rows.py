"""One variance function at the rows it is of."""

from typing import Any, NamedTuple

import numpy as np

from .base import Array, Codes
from .structure import Part, slopes
from .variances import VarianceFunction


class SpreadRows(NamedTuple):
    """A variance function, the values (n,) it takes, and the number (n,) of each row's stratum."""

    part: Part[VarianceFunction]
    values: Array
    strata: Codes

    def log_sds(self, delta: Any) -> Any:
        """(n,) relative to σ."""
        part = self.part
        own = [part.structure.log_sds(each, self.values, part.learnt) for each in part.by_stratum(delta)]
        return own[0] if len(own) == 1 else np.choose(self.strata, own)

    def slopes(self, delta: Any) -> Array:
        """d log sds / dδ, (n_delta, n)."""
        return slopes(self.log_sds, delta, len(self.values))
