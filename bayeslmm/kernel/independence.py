"""Independence Metropolis: weighted proposals become a chain whose states have equal weight."""

import numpy as np
from numpy.typing import NDArray

from bayeslmm.kernel.arrays import Floats
from bayeslmm.kernel.compiled import compiled


@compiled
def independence_chain(log_weight: Floats, log_u: Floats) -> NDArray[np.int64]:
    """Index of the state after each proposal in turn, (m,), of log weights and log uniforms (m,)."""
    out = np.zeros(len(log_weight), dtype=np.int64)
    for i in range(1, len(log_weight)):
        out[i] = i if log_u[i] < log_weight[i] - log_weight[out[i - 1]] else out[i - 1]
    return out
