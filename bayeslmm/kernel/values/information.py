"""The average information: a model of the criterion's Hessian that costs solves, no further factor.

With P = V₀⁻¹ − V₀⁻¹X(XᵀV₀⁻¹X)⁻¹XᵀV₀⁻¹, V_i = ∂V₀/∂θ_i and q_i = yᵀPV_iPy, the mean of the observed and the
expected information of −2 log-likelihood in θ, where its gradient vanishes, is (Johnson & Thompson 1995;
Gilmour, Thompson & Cullis 1995)

    (m/r²) yᵀPV_iPV_jPy − (m/r⁴) q_i q_j,    or yᵀPV_iPV_jPy/σ² where σ is known.

Since u = ΛᵀZᵀPy are the spherical BLUPs, V_iPy = ZΛx_i with x_i = Λ⁻¹Λ_i u + Λ_iᵀΛ⁻ᵀu, and
ΛᵀZᵀV₀⁻¹ZΛ = I − M⁻¹: neither rows nor cross-products are needed.
"""

import numpy as np

from bayeslmm.kernel.arrays import Floats
from bayeslmm.kernel.compiled import compiled
from bayeslmm.kernel.effects.by_block import by_block, times_own
from bayeslmm.kernel.factor.blocked import factor
from bayeslmm.kernel.factor.chain import chain_forward
from bayeslmm.kernel.factor.pullback import spherical_solution
from bayeslmm.kernel.kernel import Kernel
from bayeslmm.kernel.problem import layout as at
from bayeslmm.kernel.problem.layout import Problem
from bayeslmm.kernel.values.solved import Solved


@compiled
def solve_forward(panels: Floats, tail: Floats, problem: Problem, z: Floats) -> Floats:
    """L⁻¹z, rows in elimination order; z (q, m) is overwritten."""
    q_lead = problem.ints[at.Q_LEAD]
    chain_forward(panels, problem, z)
    for r in range(problem.ints[at.Q_TAIL]):
        for m in range(r):
            for j in range(z.shape[1]):
                z[q_lead + r, j] -= tail[r, m] * z[q_lead + m, j]
        for j in range(z.shape[1]):
            z[q_lead + r, j] /= tail[r, r]
    return z


def average_information(
    kernel: Kernel, lam: Floats, moves: Floats, reml: bool, sigma: float = np.nan
) -> Floats | None:
    """A model of the Hessian of the profiled criterion, positive semidefinite.

    Parameters
    ----------
    lam : (n_lam,) Λ of each block. moves : (n_theta, n_lam) its derivatives. reml : criterion.
    sigma : known residual sd, or NaN.

    Returns
    -------
    (n_theta, n_theta), or None where a block's Λ has no inverse.
    """
    logdet, A, panels, tail = factor(lam, kernel.problem)
    if not np.isfinite(logdet):
        return None
    p, solved = kernel.p, Solved.of(A)
    solutions = spherical_solution(panels, tail, kernel.problem)
    u_Q, u = solutions[:, :p], solutions[:, p] - solutions[:, :p] @ solved.delta
    try:
        x = _directions(kernel, lam, moves, u)
    except np.linalg.LinAlgError:
        return None
    w, fixed = solve_forward(panels, tail, kernel.problem, x.copy()), u_Q.T @ x
    products = x.T @ x - w.T @ w - fixed.T @ solved.inverse @ fixed
    if not np.isnan(sigma):
        return products / sigma**2
    q = x.T @ u
    return np.asarray((kernel.n - p * reml) / solved.r2 * (products - np.outer(q, q) / solved.r2))


def _directions(kernel: Kernel, lam: Floats, moves: Floats, u: Floats) -> Floats:
    """x = Λ⁻¹Λ_i u + Λ_iᵀΛ⁻ᵀu of each move, (q, n_theta) in elimination order."""

    def symmetric(factor: Floats, change: Floats) -> Floats:
        own = np.linalg.solve(factor, change)
        return own + np.swapaxes(own, 1, 2)

    own = np.ascontiguousarray(by_block(kernel.problem, lam[None], moves, symmetric).T)
    return times_own(own, kernel.problem, np.repeat(u[:, None], len(moves), axis=1), False)
