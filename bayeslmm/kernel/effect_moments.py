"""Means and variances of β and b given y, at many (σ, Λ) in one compiled loop.

Given (σ, Λ): Var δ = K⁻¹, E b = b_r − b_Q E δ, Var b = σ²ΛM⁻¹Λᵀ + b_Q K⁻¹ b_Qᵀ (see `recover` for K).
"""

from dataclasses import dataclass

import numpy as np

from bayeslmm.kernel import layout as at
from bayeslmm.kernel.blocks import Floats, Ints
from bayeslmm.kernel.compiled import compiled
from bayeslmm.kernel.conditional import diagonal_blocks, times_factor
from bayeslmm.kernel.dense import inverse_from_cholesky
from bayeslmm.kernel.factor import factor
from bayeslmm.kernel.fixed_effects import PriorOfDelta, draw_fixed_effects, fixed_effects_factor
from bayeslmm.kernel.kernel import Kernel
from bayeslmm.kernel.lapack import FROM
from bayeslmm.kernel.pullback import selected_inverse, spherical_solution


@dataclass(frozen=True, slots=True, eq=False)
class EffectMoments:
    """Of β and b given y and m values of (σ, Λ).

    Attributes
    ----------
    beta, beta_variance : (m, p). b, b_variance : (m, q), public order.
    """

    beta: Floats
    beta_variance: Floats
    b: Floats
    b_variance: Floats


@compiled
def conditional_variances(lam: Floats, panels: Floats, inverse: Floats, ints: Ints) -> Floats:
    """The diagonal of ΛM⁻¹Λᵀ, (q,) in public order; `inverse` is the tail's."""
    blocks = diagonal_blocks(lam, ints, selected_inverse(panels, inverse, ints), inverse)
    q = ints[at.Q_LEAD] + ints[at.Q_TAIL]
    out = np.empty(q)
    r, start = 0, 0
    while r < q:
        k = ints[ints[at.BLOCK_K] + ints[ints[at.POSITION_BLOCK] + r]]
        for i in range(k):
            out[ints[ints[at.PUBLIC] + r + i]] = blocks[start + i * k + i]
        r += k
        start += k * k
    return out


@compiled
def _at_all(
    lam: Floats,
    sigma: Floats,
    delta: Floats,
    precision: Floats,
    shift: Floats,
    integrates: bool,
    ints: Ints,
    floats: Floats,
) -> tuple[Floats, Floats, Floats, Floats]:
    """E δ (m, p), Var δ (m, p, p), E b (m, q), variances of b (m, q); unless integrated, δ is `delta`."""
    m, p = delta.shape
    q = ints[at.Q_LEAD] + ints[at.Q_TAIL]
    mean, variance = delta.copy(), np.zeros((m, p, p))
    b, spread = np.empty((m, q)), np.empty((m, q))
    for i in range(m):
        _, A, panels, tail = factor(lam[i], ints, floats)
        if integrates:
            K = fixed_effects_factor(A, sigma[i], precision, shift)
            mean[i] = draw_fixed_effects(K, np.zeros((1, p)))[0]
            variance[i] = inverse_from_cholesky(K, p)
        B = times_factor(lam[i], ints, spherical_solution(panels, tail, ints))
        inverse = inverse_from_cholesky(tail, ints[at.Q_TAIL])
        spread[i] = sigma[i] ** 2 * conditional_variances(lam[i], panels, inverse, ints)
        b[i] = B[:, p]
        for r in range(q):
            for j in range(p):
                b[i, r] -= B[r, j] * mean[i, j]
                for h in range(p):
                    spread[i, r] += B[r, j] * variance[i, j, h] * B[r, h]
    return mean, variance, b, spread


def effect_moments(
    kernel: Kernel, lam: Floats, sigma: Floats, delta: Floats, prior: PriorOfDelta | None
) -> EffectMoments:
    """Means and variances of β and b at every (σ, Λ).

    Parameters
    ----------
    lam : (m, n_lam). sigma : (m,). delta : (m, p) δ where there is no prior, β being given.
    """
    held = prior or PriorOfDelta.flat(kernel.p)
    fixed = (delta, held.precision, held.shift, prior is not None)
    if kernel.ints[at.Q_TAIL] < FROM and not kernel.known:
        loop = _at_all(np.ascontiguousarray(lam), sigma, *fixed, kernel.ints, kernel.floats)
        mean, variance, b, spread = loop
    else:
        mean, variance, b, spread = _one_by_one(kernel, lam, sigma, *fixed)
    back = np.linalg.inv(kernel.R_X)
    return EffectMoments(kernel.to_beta(mean), np.einsum("ij,mjk,ik->mi", back, variance, back), b, spread)


def _one_by_one(
    kernel: Kernel,
    lam: Floats,
    sigma: Floats,
    delta: Floats,
    precision: Floats,
    shift: Floats,
    integrates: bool,
) -> tuple[Floats, Floats, Floats, Floats]:
    """As `_at_all`, with large tails left to LAPACK, and known covariances between levels."""
    p, means, variances, effects, spreads = kernel.p, [], [], [], []
    for i in range(len(sigma)):
        found = kernel.conditional(lam[i])
        mean, variance = delta[i], np.zeros((p, p))
        if integrates:
            K = fixed_effects_factor(found.A, sigma[i], precision, shift)
            mean, variance = draw_fixed_effects(K, np.zeros((1, p)))[0], inverse_from_cholesky(K, p)
        own = [np.diagonal(block, axis1=1, axis2=2).ravel() for block in found.covariance_blocks()]
        through_delta = np.einsum("ri,ij,rj->r", found.b_Q, variance, found.b_Q)
        means.append(mean)
        variances.append(variance)
        effects.append(found.solution(mean))
        spreads.append(sigma[i] ** 2 * np.concatenate([np.zeros(0), *own]) + through_delta)
    return np.array(means), np.array(variances), np.array(effects), np.array(spreads)
