"""Densities with b and β integrated out, and what β is there, at many (σ, Λ) in one compiled loop."""

import numpy as np

from bayeslmm.kernel.arrays import Floats
from bayeslmm.kernel.compiled import compiled
from bayeslmm.kernel.copies import put
from bayeslmm.kernel.factor.blocked import factor
from bayeslmm.kernel.factor.dense import sweep
from bayeslmm.kernel.problem.layout import Problem
from bayeslmm.kernel.values.density import integrated_at
from bayeslmm.kernel.values.fixed_effects import fixed_effects_system


@compiled
def integrated_moments(
    lam: Floats, sigma: Floats, precision: Floats, shift: Floats, along: Floats, problem: Problem
) -> tuple[Floats, Floats, Floats]:
    """As `density.integrated`, the value, with mean and variance of δ ~ N(K⁻¹c, K⁻¹), at m points.

    Parameters
    ----------
    lam : (m, n_lam). sigma : (m,). precision, shift : of δ's prior. along : (r, p) combinations of δ.

    Returns
    -------
    logp (m,), E δ (m, p), variances of the combinations (m, r). −inf and NaN where Λ is too large to factor.
    """
    (m, p), r = (len(sigma), len(shift)), len(along)
    logp, mean, variance = np.empty(m), np.empty((m, p)), np.zeros((m, r))
    for i in range(m):
        logdet, A, _, _ = factor(lam[i], problem)
        logp[i] = integrated_at(logdet, A, sigma[i], precision, shift, problem)[0]
        K = fixed_effects_system(A, sigma[i], precision, shift)
        sweep(K, p)  # K is now [−K⁻¹, m; mᵀ, −cᵀm] with m = K⁻¹c
        put(K[p, :p], mean[i])
        for c in range(r):
            for a in range(p):
                for b in range(p):
                    variance[i, c] -= along[c, a] * K[a, b] * along[c, b]
    return logp, mean, variance
