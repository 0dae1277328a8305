"""Random effects given the data: their mean, variance and exact draws at one Λ."""

from dataclasses import dataclass

import numpy as np

from bayeslmm.kernel import layout as at
from bayeslmm.kernel.blocks import Floats, Ints
from bayeslmm.kernel.chain import chain_backward
from bayeslmm.kernel.compiled import compiled
from bayeslmm.kernel.dense import solve_rows_transposed
from bayeslmm.kernel.lapack import bordered_factor, tail_inverse
from bayeslmm.kernel.pullback import selected_inverse, spherical_solution
from bayeslmm.kernel.relation import Known, related
from bayeslmm.kernel.relation import diagonal_blocks as related_blocks


@compiled
def times_factor(lam: Floats, ints: Ints, u: Floats) -> Floats:
    """Λ u, from elimination order (q, m) to public order (block, level, coef)."""
    out = np.zeros(u.shape)
    r = 0
    while r < u.shape[0]:
        b = ints[ints[at.POSITION_BLOCK] + r]
        k = ints[ints[at.BLOCK_K] + b]
        start = ints[ints[at.BLOCK_LAM] + b]
        for i in range(k):
            row = ints[ints[at.PUBLIC] + r + i]
            for m in range(k):
                for j in range(u.shape[1]):
                    out[row, j] += lam[start + i * k + m] * u[r + m, j]
        r += k
    return out


@compiled
def solve_transposed(panels: Floats, tail: Floats, ints: Ints, z: Floats) -> Floats:
    """L⁻ᵀz, rows in elimination order; z (q, m) is overwritten."""
    q_lead, q_tail = ints[at.Q_LEAD], ints[at.Q_TAIL]
    right = z[q_lead:].T.copy()
    solve_rows_transposed(tail, right)
    for r in range(q_tail):
        for j in range(z.shape[1]):
            z[q_lead + r, j] = right[j, r]
    chain_backward(panels, ints, z)
    return z


@compiled
def diagonal_blocks(lam: Floats, ints: Ints, selected: Floats, inverse: Floats) -> Floats:
    """Λ M⁻¹_jj Λᵀ of every level, flattened level by level in elimination order."""
    q_lead = ints[at.Q_LEAD]
    q = q_lead + ints[at.Q_TAIL]
    total = 0
    r = 0
    while r < q:
        k = ints[ints[at.BLOCK_K] + ints[ints[at.POSITION_BLOCK] + r]]
        total += k * k
        r += k
    out = np.zeros(total)
    r, at_out, node = 0, 0, 0
    while r < q:
        b = ints[ints[at.POSITION_BLOCK] + r]
        k = ints[ints[at.BLOCK_K] + b]
        start = ints[ints[at.BLOCK_LAM] + b]
        middle = np.empty((k, k))
        for i in range(k):
            for j in range(k):
                if r < q_lead:
                    middle[i, j] = selected[ints[ints[at.PANEL_START] + node] + i * k + j]
                else:
                    middle[i, j] = inverse[r - q_lead + max(i, j), r - q_lead + min(i, j)]
        for i in range(k):
            for j in range(k):
                for m in range(k):
                    for h in range(k):
                        out[at_out + i * k + j] += (
                            lam[start + i * k + m] * middle[m, h] * lam[start + j * k + h]
                        )
        r += k
        node += 1
        at_out += k * k
    return out


@dataclass(frozen=True, slots=True, eq=False)
class Conditional:
    """Random effects given y at one Λ; u = M⁻¹ΛᵀZᵀR⁻¹(y − Xβ), b = Λu, or (L ⊗ Λ)u.

    Attributes
    ----------
    logdet : log|V₀|. A : (p + 1, p + 1) moments [Q r]ᵀV₀⁻¹[Q r].
    b_r : (q,) b at δ = 0, public order (block, level, coef). b_Q : (q, p): b(δ) = b_r − b_Q δ.
    """

    lam: Floats
    ints: Ints
    logdet: float
    A: Floats
    b_r: Floats
    b_Q: Floats
    panels: Floats
    tail: Floats
    known: Known = ()

    def solution(self, delta: Floats) -> Floats:
        """E(b | y, δ): (..., p) to (..., q)."""
        return self.b_r - delta @ self.b_Q.T

    def covariance_blocks(self) -> tuple[Floats, ...]:
        """Λ M⁻¹_jj Λᵀ per block, (J, k, k); times σ² it is Var(b_j | y, β)."""
        inverse = tail_inverse(self.tail, self.ints)
        selected = selected_inverse(self.panels, inverse, self.ints)
        independent = self._by_block(diagonal_blocks(self.lam, self.ints, selected, inverse))
        return tuple(
            found if L is None else self._related_blocks(number, L, inverse)
            for number, (found, L) in enumerate(
                zip(independent, self.known or (None,) * len(independent), strict=True)
            )
        )

    def _related_blocks(self, number: int, L: Floats, inverse: Floats) -> Floats:
        """As `covariance_blocks`, for one block of known covariance between levels (all are in the tail)."""
        ints = self.ints
        start = int(np.sort(ints[ints[at.BLOCK_LAM] :][: ints[at.N_BLOCKS]])[number])
        block = int(np.flatnonzero(ints[ints[at.BLOCK_LAM] :][: ints[at.N_BLOCKS]] == start)[0])
        k = int(ints[ints[at.BLOCK_K] + block])
        own = np.flatnonzero(ints[ints[at.POSITION_BLOCK] :][: len(inverse)] == block)
        factor = self.lam[start : start + k * k].reshape(k, k)
        part = np.tril(inverse[own[0] : own[-1] + 1, own[0] : own[-1] + 1])
        return related_blocks(L, factor, part + np.tril(part, -1).T)

    def _by_block(self, flat: Floats) -> tuple[Floats, ...]:
        ints = self.ints
        n_blocks = int(ints[at.N_BLOCKS])
        blocks = ints[ints[at.POSITION_BLOCK] : ints[at.POSITION_BLOCK] + len(self.b_r)]
        out: dict[int, Floats] = {}
        start = 0
        for b in range(n_blocks):
            k = int(ints[ints[at.BLOCK_K] + b])
            levels = int(np.sum(blocks == b)) // k
            out[int(ints[ints[at.BLOCK_LAM] + b])] = flat[start : start + levels * k * k].reshape(
                levels, k, k
            )
            start += levels * k * k
        return tuple(out[key] for key in sorted(out))

    def draw(self, z: Floats) -> Floats:
        """Λ L⁻ᵀ z, (q, m) standard normal to (q, m) public order; times σ, a draw of b − E(b | y, β)."""
        u = solve_transposed(self.panels, self.tail, self.ints, z.copy())
        return related(self.known, self.ints, times_factor(self.lam, self.ints, u))


def conditional(lam: Floats, ints: Ints, floats: Floats, known: Known = ()) -> Conditional:
    """Factor at Λ and solve for the random effects."""
    logdet, A, panels, tail = bordered_factor(lam, ints, floats)
    b = related(known, ints, times_factor(lam, ints, spherical_solution(panels, tail, ints)))
    b_r, b_Q = np.ascontiguousarray(b[:, -1]), np.ascontiguousarray(b[:, :-1])
    return Conditional(lam, ints, logdet, A, b_r, b_Q, panels, tail, known)
