"""The part of a problem that the response enters by, and its law: what a refit needs instead of rows.

A response y with least-squares coefficients γ = Qᵀy and residual r = y − Qγ (rows whitened)
touches a packed problem through C = (Z̃ᵀr, γ, rᵀr) only, Z̃ the whitened columns in elimination order. For
y = Xβ + Zb + e with S = Z̃ᵀ(I − QQᵀ)Z̃ = FFᵀ, F of full column rank, z and χ² standard,

    γ = QᵀZb + σz₁,   Z̃ᵀr = Fc,   rᵀr = cᵀc + σ²χ²_{n−p−rank F},   c = FᵀC⁻¹b + σz₂

up to Q'Xβ, which moves β̂ and nothing else: simulate with β = 0.
"""

from dataclasses import dataclass

import numpy as np

from bayeslmm.kernel import layout as at
from bayeslmm.kernel.blocks import Floats, Ints
from bayeslmm.kernel.compiled import compiled
from bayeslmm.kernel.relation import Known, unrelated

RANK_TOLERANCE = 1e-10


@compiled
def write_response(ints: Ints, floats: Floats, zr: Floats, gamma: Floats, rr: float) -> None:
    """Put another response's cross-products into a packed problem, in place.

    Parameters
    ----------
    zr : (q,) Z̃ᵀr, whitened, in elimination order. gamma : (p,) Qᵀy. rr : rᵀr.
    """
    p, q_lead, q_tail = ints[at.P], ints[at.Q_LEAD], ints[at.Q_TAIL]
    for i in range(ints[at.N_NODES]):
        k = ints[ints[at.BLOCK_K] + ints[ints[at.NODE_BLOCK] + i]]
        last = ints[at.PANELS] + ints[ints[at.PANEL_START] + i + 1] - k
        position = ints[ints[at.NODE_POSITION] + i]
        for c in range(k):
            floats[last + c] = zr[position + c]
    width = q_tail + p + 1
    end = width - 1
    for r in range(q_tail):
        floats[ints[at.TAIL] + end * width + r] = zr[q_lead + r]
        floats[ints[at.TAIL] + r * width + end] = zr[q_lead + r]
    floats[ints[at.TAIL] + end * width + end] = rr
    for i in range(p):
        floats[ints[at.GAMMA] + i] = gamma[i]


def read_response(ints: Ints, floats: Floats) -> tuple[Floats, Floats, float]:
    """What `write_response` has put into a packed problem: zr (q,), gamma (p,), rr."""
    n_nodes, q_lead, p = ints[at.N_NODES], ints[at.Q_LEAD], ints[at.P]
    k = ints[ints[at.BLOCK_K] + ints[ints[at.NODE_BLOCK] :][:n_nodes]]
    last = ints[ints[at.PANEL_START] :][1 : n_nodes + 1] - k - ints[ints[at.NODE_POSITION] :][:n_nodes]
    chain = floats[ints[at.PANELS] + np.repeat(last, k) + np.arange(q_lead)]
    tail = floats[ints[at.TAIL] : ints[at.RX]][-(ints[at.Q_TAIL] + p + 1) :]
    return np.append(chain, tail[: ints[at.Q_TAIL]]), floats[ints[at.GAMMA] :][:p], float(tail[-1])


@compiled
def effects_crossproducts(ints: Ints, floats: Floats) -> tuple[Floats, Floats]:
    """Z̃ᵀZ̃ (q, q) and Z̃ᵀQ (q, p), dense, in elimination order."""
    p, q_lead, q_tail = ints[at.P], ints[at.Q_LEAD], ints[at.Q_TAIL]
    q = q_lead + q_tail
    G, C = np.zeros((q, q)), np.zeros((q, p))
    for i in range(ints[at.N_NODES]):
        k = ints[ints[at.BLOCK_K] + ints[ints[at.NODE_BLOCK] + i]]
        first_row = ints[ints[at.ROW_START] + i]
        height = ints[ints[at.ROW_START] + i + 1] - first_row
        start = ints[at.PANELS] + ints[ints[at.PANEL_START] + i]
        own = ints[ints[at.NODE_POSITION] + i]
        for r in range(height - 1):
            row = ints[ints[at.ROWS] + first_row + r]
            for c in range(k):
                value = floats[start + r * k + c]
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


def to_whitened(ints: Ints, floats: Floats, b: Floats) -> Floats:
    """C⁻¹b, (q, m) effects in public order to whitened effects in elimination order: Z̃C⁻¹b = Zb."""
    out = np.empty_like(b)
    for positions, public, white in _blocks(ints, floats):
        k = len(white)
        out[positions] = np.einsum("ij,ljm->lim", white, b[public].reshape(-1, k, b.shape[1])).reshape(
            -1, b.shape[1]
        )
    return out


def to_whitened_products(ints: Ints, floats: Floats, zy: Floats) -> Floats:
    """Z̃ᵀy (..., q) in elimination order from Zᵀy in public order."""
    out = np.empty_like(zy)
    for positions, public, white in _blocks(ints, floats):
        part = zy[..., public]
        out[..., positions] = np.linalg.solve(white.T, part.reshape(-1, len(white)).T).T.reshape(part.shape)
    return out


def _blocks(ints: Ints, floats: Floats) -> list[tuple[slice, Ints, Floats]]:
    """Positions, their public places and C⁻¹ of each block, in elimination order."""
    q = int(ints[at.Q_LEAD] + ints[at.Q_TAIL])
    block_of = ints[ints[at.POSITION_BLOCK] :][:q]
    public = ints[ints[at.PUBLIC] :][:q]
    out = []
    for b in range(int(ints[at.N_BLOCKS])):
        first, last = np.searchsorted(block_of, [b, b + 1])
        k = int(ints[ints[at.BLOCK_K] + b])
        start = int(ints[at.WHITEN] + ints[ints[at.BLOCK_LAM] + b])
        out.append(
            (slice(int(first), int(last)), public[first:last], floats[start : start + k * k].reshape(k, k))
        )
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
    def of(cls, ints: Ints, floats: Floats, known: Known = ()) -> "ResponseLaw":
        """The law of a packed problem; takes (q, q) memory and q³ time."""
        G, C = effects_crossproducts(ints, floats)
        values, vectors = np.linalg.eigh(G - C @ C.T)
        kept = values > RANK_TOLERANCE * max(1.0, np.max(np.diag(G), initial=0.0))
        root = vectors[:, kept] * np.sqrt(values[kept])
        whiten = to_whitened(ints, floats, unrelated(known, ints, np.eye(len(G))))
        df = int(ints[at.N_ROWS] - ints[at.P]) - root.shape[1]
        return cls(root, root.T @ whiten, C.T @ whiten, df)
