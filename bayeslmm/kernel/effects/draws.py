"""Exact draws of β and b, and their moments, at many (σ, Λ) in one compiled loop.

Given (σ, Λ): δ ~ N(K⁻¹c, K⁻¹) with K = A_QQ/σ² + P and c = A_Qr/σ² + s, then b = ΛL⁻ᵀ(W_r − W_Qδ + σz),
W = L⁻¹ΛᵀZᵀR⁻¹[Q r]: its mean is the BLUP at δ and its covariance σ²ΛM⁻¹Λᵀ. The prior of β enters as one of
δ = R_Xβ − γ (precision P, shift s). Normal draws come from the caller: nothing here is random.
"""

import numpy as np
from numpy.typing import NDArray

from bayeslmm.kernel.arrays import Floats
from bayeslmm.kernel.compiled import compiled
from bayeslmm.kernel.copies import put_rows
from bayeslmm.kernel.effects.conditional import solve_transposed, times_factor
from bayeslmm.kernel.effects.draws_by_level import draw_levels, has_levels_alike
from bayeslmm.kernel.factor.blocked import factor, right_sides
from bayeslmm.kernel.kernel import Kernel
from bayeslmm.kernel.problem.layout import Problem
from bayeslmm.kernel.problem.relation import related
from bayeslmm.kernel.values.fixed_effects import PriorOfDelta, draw_fixed_effects, fixed_effects_factor


@compiled
def draw_random_effects(
    lam: Floats, sigma: float, panels: Floats, tail: Floats, delta: Floats, z: Floats, problem: Problem
) -> Floats:
    """b = ΛL⁻ᵀ(W_r − W_Qδ + σz), public order (q, m), of δ (m, p) and standard normal z (m, q)."""
    W = right_sides(panels, tail, problem)
    p = W.shape[1] - 1
    right = np.empty((W.shape[0], z.shape[0]))
    for r in range(right.shape[0]):
        for d in range(right.shape[1]):
            right[r, d] = W[r, p] + sigma * z[d, r]
            for j in range(p):
                right[r, d] -= W[r, j] * delta[d, j]
    return times_factor(lam, problem, solve_transposed(panels, tail, problem, right))


@compiled
def _draw_delta(
    lam: Floats,
    sigma: Floats,
    starts: NDArray[np.int64],
    z: Floats,
    precision: Floats,
    shift: Floats,
    problem: Problem,
) -> Floats:
    """δ (m, p) alone, of standard normal z (m, p)."""
    delta = np.empty(z.shape)
    for run in range(len(starts) - 1):
        first, last = starts[run], starts[run + 1]
        A = factor(lam[first], problem)[1]
        K = fixed_effects_factor(A, sigma[first], precision, shift)
        put_rows(draw_fixed_effects(K, z[first:last]), delta[first:last])
    return delta


@compiled
def _draw_all(
    lam: Floats,
    sigma: Floats,
    starts: NDArray[np.int64],
    fixed: Floats,
    z: Floats,
    precision: Floats,
    shift: Floats,
    integrates: bool,
    problem: Problem,
) -> tuple[Floats, Floats]:
    """As `draw_effects`, without what is known between levels."""
    delta, b = fixed.copy(), np.empty(z.shape)
    for run in range(len(starts) - 1):
        first, last = starts[run], starts[run + 1]
        _, A, panels, tail = factor(lam[first], problem)
        if integrates:
            K = fixed_effects_factor(A, sigma[first], precision, shift)
            put_rows(draw_fixed_effects(K, fixed[first:last]), delta[first:last])
        drawn = draw_random_effects(
            lam[first], sigma[first], panels, tail, delta[first:last], z[first:last], problem
        )
        put_rows(drawn.T, b[first:last])
    return delta, b


def draw_effects(
    kernel: Kernel,
    lam: Floats,
    sigma: Floats,
    fixed: Floats,
    z: Floats,
    prior: PriorOfDelta | None,
) -> tuple[Floats, Floats]:
    """Draw δ and b given y at each (σ, Λ); consecutive draws that share them share one factor.

    Parameters
    ----------
    lam : (m, n_lam). sigma : (m,). z : (m, q) standard normal.
    fixed : (m, p) standard normal; δ itself where there is no prior because β was sampled.

    Returns
    -------
    delta (m, p), b (m, q) in public order.
    """
    starts = _starts(lam, sigma)
    if has_levels_alike(kernel):
        return _by_levels(kernel, np.ascontiguousarray(lam), sigma, starts, fixed, z, prior)
    held = prior or PriorOfDelta.flat(kernel.p)
    arrays = (np.ascontiguousarray(lam), sigma, starts, fixed, z, held.precision, held.shift)
    delta, b = _draw_all(*arrays, prior is not None, kernel.problem)
    return delta, related(kernel.known, kernel.problem, b.T).T


def _by_levels(
    kernel: Kernel,
    lam: Floats,
    sigma: Floats,
    starts: NDArray[np.int64],
    fixed: Floats,
    z: Floats,
    prior: PriorOfDelta | None,
) -> tuple[Floats, Floats]:
    """As `draw_effects`: δ by the condensed problem, whose A is the same, then b by the data's own levels."""
    condensed, delta = kernel.condensed, fixed
    if prior is not None:
        held = (prior.precision, prior.shift, condensed.problem)
        delta = _draw_delta(lam, sigma, starts, fixed, *held)
    return delta, draw_levels(lam, sigma, starts, delta, z, condensed.alike, kernel.problem)


def _starts(lam: Floats, sigma: Floats) -> NDArray[np.int64]:
    """Where stretches of equal (σ, Λ) begin, and the end."""
    together = np.column_stack([lam, sigma])
    changes = np.flatnonzero(np.any(np.diff(together, axis=0) != 0, axis=1)) + 1
    return np.concatenate([[0], changes, [len(sigma)]]).astype(np.int64)
