"""The part of a problem that the response enters by, and its law: what a refit needs instead of rows.

A response y with least-squares coefficients γ = Qᵀy and residual r = y − Qγ (rows whitened)
touches a packed problem through C = (Z̃ᵀr, γ, rᵀr) only, Z̃ the whitened columns in elimination order. For
y = Xβ + Zb + e with S = Z̃ᵀ(I − QQᵀ)Z̃ = FFᵀ, F of full column rank, z and χ² standard,

    γ = QᵀZb + σz₁,   Z̃ᵀr = Fc,   rᵀr = cᵀc + σ²χ²_{n−p−rank F},   c = FᵀC⁻¹b + σz₂

up to Q'Xβ, which moves β̂ and nothing else: simulate with β = 0.
"""

from dataclasses import dataclass

import numpy as np

from bayeslmm.kernel.arrays import Floats, Ints
from bayeslmm.kernel.compiled import compiled
from bayeslmm.kernel.problem import layout as at
from bayeslmm.kernel.problem.layout import Problem, node_of, position_of
from bayeslmm.kernel.problem.relation import Known, unrelated

RANK_TOLERANCE = 1e-10


@compiled
def write_response(problem: Problem, zr: Floats, gamma: Floats, rr: float) -> None:
    """Put another response's cross-products into a packed problem, in place.

    Parameters
    ----------
    zr : (q,) Z̃ᵀr, whitened, in elimination order. gamma : (p,) Qᵀy. rr : rᵀr.
    """
    ints, floats = problem.ints, problem.floats
    p, q_lead, q_tail = ints[at.P], ints[at.Q_LEAD], ints[at.Q_TAIL]
    for i in range(ints[at.N_NODES]):
        node = node_of(problem, i)
        last = ints[at.PANELS] + node.panel + (node.height - 1) * node.k
        for c in range(node.k):
            floats[last + c] = zr[node.position + c]
    width = q_tail + p + 1
    end = width - 1
    for r in range(q_tail):
        floats[ints[at.TAIL] + end * width + r] = zr[q_lead + r]
        floats[ints[at.TAIL] + r * width + end] = zr[q_lead + r]
    floats[ints[at.TAIL] + end * width + end] = rr
    for i in range(p):
        floats[ints[at.GAMMA] + i] = gamma[i]


def read_response(problem: Problem) -> tuple[Floats, Floats, float]:
    """What `write_response` has put into a packed problem: zr (q,), gamma (p,), rr."""
    nodes, q_tail = problem.nodes, problem.ints[at.Q_TAIL]
    last = nodes.panel + (nodes.height - 1) * nodes.k - nodes.position
    chain = problem.panels[np.repeat(last, nodes.k) + np.arange(problem.ints[at.Q_LEAD])]
    tail = problem.tail[-1]
    return np.append(chain, tail[:q_tail]), problem.gamma, float(tail[-1])


@compiled
def effects_crossproducts(problem: Problem) -> tuple[Floats, Floats]:
    """Z̃ᵀZ̃ (q, q) and Z̃ᵀQ (q, p), dense, in elimination order."""
    ints, floats = problem.ints, problem.floats
    p, q_lead, q_tail = ints[at.P], ints[at.Q_LEAD], ints[at.Q_TAIL]
    q = q_lead + q_tail
    G, C = np.zeros((q, q)), np.zeros((q, p))
    for i in range(ints[at.N_NODES]):
        node = node_of(problem, i)
        start, own = ints[at.PANELS] + node.panel, node.position
        for r in range(node.height - 1):
            row = position_of(problem, node, r)
            for c in range(node.k):
                value = floats[start + r * node.k + c]
                if row < q:
                    G[row, own + c] = value
                    G[own + c, row] = value
                else:
                    C[own + c, row - q] = value
    width = q_tail + p + 1
    for r in range(q_tail):
        for c in range(q_tail + p):
            value = floats[ints[at.TAIL] + r * width + c]
            if c < q_tail:
                G[q_lead + r, q_lead + c] = value
            else:
                C[q_lead + r, c - q_tail] = value
    return G, C


def to_whitened(problem: Problem, b: Floats) -> Floats:
    """C⁻¹b, (q, m) effects in public order to whitened effects in elimination order: Z̃C⁻¹b = Zb."""
    out = np.empty_like(b)
    for positions, public, white in _blocks(problem):
        k = len(white)
        out[positions] = np.einsum("ij,ljm->lim", white, b[public].reshape(-1, k, b.shape[1])).reshape(
            -1, b.shape[1]
        )
    return out


def to_whitened_products(problem: Problem, zy: Floats) -> Floats:
    """Z̃ᵀy (..., q) in elimination order from Zᵀy in public order."""
    out = np.empty_like(zy)
    for positions, public, white in _blocks(problem):
        part = zy[..., public]
        out[..., positions] = np.linalg.solve(white.T, part.reshape(-1, len(white)).T).T.reshape(part.shape)
    return out


def _blocks(problem: Problem) -> list[tuple[slice, Ints, Floats]]:
    """Positions, their public places and C⁻¹ of each block, in elimination order."""
    blocks, out = problem.blocks, []
    for b, (k, start) in enumerate(zip(blocks.k.tolist(), blocks.lam.tolist(), strict=True)):
        first, last = np.searchsorted(problem.position_block, [b, b + 1]).tolist()
        white = problem.white[start : start + k * k].reshape(k, k)
        out.append((slice(first, last), problem.public[first:last], white))
    return out


@dataclass(frozen=True, slots=True, eq=False)
class ResponseLaw:
    """What the law of (Z̃ᵀr, γ, rᵀr) is made of; see the head of this file.

    Attributes
    ----------
    root : (q, rank) F. to_c : (rank, q) FᵀC⁻¹, from effects in public order. cross : (p, q) QᵀZ, likewise.
    df : n − p − rank, what is left for χ².
    """

    root: Floats
    to_c: Floats
    cross: Floats
    df: int

    @classmethod
    def of(cls, problem: Problem, known: Known = ()) -> "ResponseLaw":
        """The law of a packed problem; takes (q, q) memory and q³ time."""
        G, C = effects_crossproducts(problem)
        values, vectors = np.linalg.eigh(G - C @ C.T)
        kept = values > RANK_TOLERANCE * max(1.0, np.max(np.diag(G), initial=0.0))
        root = vectors[:, kept] * np.sqrt(values[kept])
        whiten = to_whitened(problem, unrelated(known, problem, np.eye(len(G))))
        df = int(problem.ints[at.N_ROWS]) - problem.p - root.shape[1]
        return cls(root, root.T @ whiten, C.T @ whiten, df)
