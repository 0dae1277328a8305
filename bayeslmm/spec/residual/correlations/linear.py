"""Linear decay, to nothing at the range."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from .base import Spatial


@dataclass(frozen=True, eq=False)
class Linear(Spatial):
    """1 − d/φ between rows d < φ apart on a line, 0 beyond, times 1 − nugget where there is one.

    Parameters
    ----------
    form : "x | field", one coordinate: in a plane it is no correlation.
    """

    kinked: ClassVar[bool] = True
    keyword: ClassVar[str] = "Linear"
    on_a_line: ClassVar[bool] = True

    def falls(self, ratio: Any) -> Any:
        return np.where(np.real(ratio) < 1, 1 - ratio, 0.0)
