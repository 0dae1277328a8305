"""Means and variances of β and b given y, at many (σ, Λ) in one compiled loop.

Given (σ, Λ): Var δ = K⁻¹, E b = b_r − b_Q E δ, Var b = σ²ΛM⁻¹Λᵀ + b_Q K⁻¹ b_Qᵀ (see `recover` for K).
"""

from dataclasses import dataclass
from functools import partial

import numpy as np

from bayeslmm.kernel.arrays import Floats
from bayeslmm.kernel.compiled import compiled
from bayeslmm.kernel.copies import put, put_rows
from bayeslmm.kernel.effects.conditional import diagonal_blocks, times_factor
from bayeslmm.kernel.factor.blocked import factor, tail_inverse
from bayeslmm.kernel.factor.dense import inverse_from_cholesky
from bayeslmm.kernel.factor.pullback import selected_inverse, spherical_solution
from bayeslmm.kernel.kernel import Kernel
from bayeslmm.kernel.problem import layout as at
from bayeslmm.kernel.problem.layout import Problem, block_at
from bayeslmm.kernel.values.fixed_effects import PriorOfDelta, draw_fixed_effects, fixed_effects_factor


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
def conditional_variances(lam: Floats, panels: Floats, inverse: Floats, problem: Problem) -> Floats:
    """The diagonal of ΛM⁻¹Λᵀ, (q,) in public order; `inverse` is the tail's."""
    blocks = diagonal_blocks(lam, problem, selected_inverse(panels, inverse, problem), inverse)
    out = np.empty(problem.ints[at.Q_LEAD] + problem.ints[at.Q_TAIL])
    public = problem.ints[at.PUBLIC]
    r, start = 0, 0
    while r < len(out):
        k = block_at(problem, r).k
        for i in range(k):
            out[problem.ints[public + r + i]] = blocks[start + i * k + i]
        r += k
        start += k * k
    return out


@compiled
def _of_delta(
    A: Floats, sigma: float, given: Floats, precision: Floats, shift: Floats, integrates: bool
) -> tuple[Floats, Floats]:
    """E δ (p,) and Var δ (p, p); unless integrated, δ is given."""
    p = len(given)
    variance = np.zeros((p, p))
    if not integrates:
        return given, variance
    K = fixed_effects_factor(A, sigma, precision, shift)
    lower = inverse_from_cholesky(K, p)
    for i in range(p):
        for j in range(p):
            variance[i, j] = lower[max(i, j), min(i, j)]
    return draw_fixed_effects(K, np.zeros((1, p)))[0], variance


@compiled
def _at_all(
    lam: Floats,
    sigma: Floats,
    delta: Floats,
    precision: Floats,
    shift: Floats,
    integrates: bool,
    problem: Problem,
) -> tuple[Floats, Floats, Floats, Floats]:
    """E δ (m, p), Var δ (m, p, p), E b (m, q), variances of b (m, q); unless integrated, δ is `delta`."""
    m, p = delta.shape
    q = problem.ints[at.Q_LEAD] + problem.ints[at.Q_TAIL]
    mean, variance = np.empty((m, p)), np.empty((m, p, p))
    b, spread = np.empty((m, q)), np.empty((m, q))
    for i in range(m):
        _, A, panels, tail = factor(lam[i], problem)
        known, spread_of_delta = _of_delta(A, sigma[i], delta[i], precision, shift, integrates)
        put(known, mean[i])
        put_rows(spread_of_delta, variance[i])
        B = times_factor(lam[i], problem, spherical_solution(panels, tail, problem))
        inverse = tail_inverse(tail, problem)
        put(sigma[i] * sigma[i] * conditional_variances(lam[i], panels, inverse, problem), spread[i])
        put(B[:, p], b[i])
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
    at_all = partial(_at_all_related, kernel) if kernel.known else partial(_at_all, problem=kernel.problem)
    mean, variance, b, spread = at_all(np.ascontiguousarray(lam), sigma, *fixed)
    back = np.linalg.inv(kernel.R_X)
    return EffectMoments(kernel.to_beta(mean), np.einsum("ij,mjk,ik->mi", back, variance, back), b, spread)


def _at_all_related(
    kernel: Kernel,
    lam: Floats,
    sigma: Floats,
    delta: Floats,
    precision: Floats,
    shift: Floats,
    integrates: bool,
) -> tuple[Floats, Floats, Floats, Floats]:
    """As `_at_all`, with known covariances between levels."""
    means, variances, effects, spreads = [], [], [], []
    for i in range(len(sigma)):
        found = kernel.conditional(lam[i])
        mean, variance = _of_delta(found.A, float(sigma[i]), delta[i], precision, shift, integrates)
        own = [np.diagonal(block, axis1=1, axis2=2).ravel() for block in found.covariance_blocks()]
        through_delta = np.einsum("ri,ij,rj->r", found.b_Q, variance, found.b_Q)
        means.append(mean)
        variances.append(variance)
        effects.append(found.solution(mean))
        spreads.append(sigma[i] ** 2 * np.concatenate(own) + through_delta)
    return np.array(means), np.array(variances), np.array(effects), np.array(spreads)
