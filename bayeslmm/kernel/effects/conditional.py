"""Random effects given the data: their mean, variance and exact draws at one Λ."""

from dataclasses import dataclass

import numpy as np

from bayeslmm.kernel.arrays import Floats
from bayeslmm.kernel.compiled import compiled
from bayeslmm.kernel.factor.blocked import factor, tail_inverse
from bayeslmm.kernel.factor.chain import chain_backward
from bayeslmm.kernel.factor.dense import solve_rows_transposed
from bayeslmm.kernel.factor.pullback import selected_inverse, spherical_solution
from bayeslmm.kernel.problem import layout as at
from bayeslmm.kernel.problem.layout import Problem, block_at, node_of
from bayeslmm.kernel.problem.relation import Known, related
from bayeslmm.kernel.problem.relation import diagonal_blocks as related_blocks
from bayeslmm.kernel.values.solved import Solved


@compiled
def times_factor(lam: Floats, problem: Problem, u: Floats) -> Floats:
    """Λ u, from elimination order (q, m) to public order (block, level, coef)."""
    out = np.zeros(u.shape)
    public = problem.ints[at.PUBLIC]
    r = 0
    while r < u.shape[0]:
        block = block_at(problem, r)
        k = block.k
        for i in range(k):
            row = problem.ints[public + r + i]
            for m in range(k):
                for j in range(u.shape[1]):
                    out[row, j] += lam[block.lam + i * k + m] * u[r + m, j]
        r += k
    return out


@compiled
def solve_transposed(panels: Floats, tail: Floats, problem: Problem, z: Floats) -> Floats:
    """L⁻ᵀz, rows in elimination order; z (q, m) is overwritten."""
    q_lead, q_tail = problem.ints[at.Q_LEAD], problem.ints[at.Q_TAIL]
    right = z[q_lead:].T.copy()
    solve_rows_transposed(tail, right)
    for r in range(q_tail):
        for j in range(z.shape[1]):
            z[q_lead + r, j] = right[j, r]
    chain_backward(panels, problem, z)
    return z


@compiled
def diagonal_blocks(lam: Floats, problem: Problem, selected: Floats, inverse: Floats) -> Floats:
    """Λ M⁻¹_jj Λᵀ of every level, flattened level by level in elimination order."""
    q_lead = problem.ints[at.Q_LEAD]
    q = q_lead + problem.ints[at.Q_TAIL]
    total, r = 0, 0
    while r < q:
        k = block_at(problem, r).k
        total += k * k
        r += k
    out = np.zeros(total)
    r, at_out, node = 0, 0, 0
    while r < q:
        block = block_at(problem, r)
        k, start = block.k, block.lam
        middle = np.empty((k, k))
        panel = node_of(problem, node).panel if r < q_lead else 0
        for i in range(k):
            for j in range(k):
                if r < q_lead:
                    middle[i, j] = selected[panel + i * k + j]
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
    u : (q, p + 1) M⁻¹ΛᵀZᵀR⁻¹[Q r], spherical, in public order.
    b_r : (q,) b at δ = 0, public order (block, level, coef). b_Q : (q, p): b(δ) = b_r − b_Q δ.
    """

    lam: Floats
    problem: Problem
    logdet: float
    A: Floats
    u: Floats
    b_r: Floats
    b_Q: Floats
    panels: Floats
    tail: Floats
    known: Known = ()

    @property
    def solved(self) -> Solved:
        """The best δ and r² at this Λ."""
        return Solved.of(self.A)

    def solution(self, delta: Floats) -> Floats:
        """E(b | y, δ): (..., p) to (..., q)."""
        return self.b_r - delta @ self.b_Q.T

    def covariance_blocks(self) -> tuple[Floats, ...]:
        """Λ M⁻¹_jj Λᵀ per block, (J, k, k); times σ² it is Var(b_j | y, β)."""
        inverse = tail_inverse(self.tail, self.problem)
        selected = selected_inverse(self.panels, inverse, self.problem)
        independent = self._by_block(diagonal_blocks(self.lam, self.problem, selected, inverse))
        return tuple(
            found if L is None else self._related_blocks(number, L, inverse)
            for number, (found, L) in enumerate(
                zip(independent, self.known or (None,) * len(independent), strict=True)
            )
        )

    def _related_blocks(self, number: int, L: Floats, inverse: Floats) -> Floats:
        """As `covariance_blocks`, for one block of known covariance between levels (all are in the tail)."""
        blocks = self.problem.blocks
        place = int(np.argsort(blocks.lam)[number])
        k, start = int(blocks.k[place]), int(blocks.lam[place])
        first, last = np.searchsorted(self.problem.position_block, [place, place + 1])
        own = self.lam[start : start + k * k].reshape(k, k)
        part = np.tril(inverse[first:last, first:last])
        return related_blocks(L, own, part + np.tril(part, -1).T)

    def _by_block(self, flat: Floats) -> tuple[Floats, ...]:
        blocks, out, start = self.problem.blocks, [], 0
        sizes = np.bincount(self.problem.position_block, minlength=len(blocks.k))
        for k, size in zip(blocks.k.tolist(), sizes.tolist(), strict=True):
            out.append(flat[start : start + size * k].reshape(-1, k, k))
            start += size * k
        return tuple(out[place] for place in np.argsort(blocks.lam))

    def draw(self, z: Floats) -> Floats:
        """Λ L⁻ᵀ z, (q, m) standard normal to (q, m) public order; times σ, a draw of b − E(b | y, β)."""
        u = solve_transposed(self.panels, self.tail, self.problem, z.copy())
        return related(self.known, self.problem, times_factor(self.lam, self.problem, u))


def _identities(problem: Problem) -> Floats:
    """Λ = I of every block, flat."""
    sizes = problem.blocks.k[np.argsort(problem.blocks.lam)]
    return np.concatenate([np.zeros(0), *(np.eye(k).ravel() for k in sizes)])


def conditional(lam: Floats, problem: Problem, known: Known = ()) -> Conditional:
    """Factor at Λ and solve for the random effects."""
    logdet, A, panels, tail = factor(lam, problem)
    u = spherical_solution(panels, tail, problem)
    b = related(known, problem, times_factor(lam, problem, u))
    public = times_factor(_identities(problem), problem, u)
    b_r, b_Q = np.ascontiguousarray(b[:, -1]), np.ascontiguousarray(b[:, :-1])
    return Conditional(lam, problem, logdet, A, public, b_r, b_Q, panels, tail, known)
