"""The coordinate in which NUTS moves a standard deviation whose prior falls off faster than any power."""

from typing import Any

import numpy as np
import pytensor.tensor as pt
from numpy.typing import NDArray
from pymc.logprob.transforms import Transform

from bayeslmm.posterior.names import Tensor


class ScaledSoftPlus(Transform):  # type: ignore[misc]
    """x = s log(1 + eᵗ): as log(x/s) far below the scale s, and as x/s far above it.

    In log x such a prior is a wall, exp(−e²ᵗ) for a half-normal one, that a leapfrog step runs into (see
    docs/decisions/0020).
    """

    name = "softplus"
    ndim_supp = 0

    def __init__(self, scale: NDArray[np.float64]) -> None:
        self.scale = scale

    def forward(self, value: Tensor, *inputs: Any) -> Tensor:
        x = value / self.scale
        return x + pt.log(-pt.expm1(-x))

    def backward(self, value: Tensor, *inputs: Any) -> Tensor:
        return self.scale * pt.softplus(value)

    def log_jac_det(self, value: Tensor, *inputs: Any) -> Tensor:
        return np.log(self.scale) + value - pt.softplus(value)
