"""How rows hang together through the random effects: V₀⁻¹ = I − ZSZᵀ of whitened rows, S = ΛM⁻¹Λᵀ.

What units of rows need of it and of V₀⁻¹Z = ZW, W = I − SZᵀZ. Nothing of size n × n is formed: where there is
one grouping factor a row reaches its own level only; else (q, q) matrices are looked up where rows have
entries, or, where these would be too large, columns are taken in slices.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayeslmm.kernel.effects.conditional import Conditional
from bayeslmm.kernel.factor.chain import chain_backward, chain_forward
from bayeslmm.kernel.problem import layout as at
from bayeslmm.likelihood.digits import by_level, unflattened
from bayeslmm.spec.block import Block
from bayeslmm.spec.design import Design
from bayeslmm.spec.row_sets import Batch, RowSets

if TYPE_CHECKING:
    from scipy.sparse import csr_array

type Array = NDArray[np.float64]

CELLS = 4_000_000  # of a dense slice
WHOLE = 6_000  # effects up to which (q, q) matrices are held
FEW = 64  # rows of a unit up to which pairs of entries are looked up


class Seen(NamedTuple):
    """What the units of a batch see of a block; sums over its levels l, a and b being coefs.

    Attributes
    ----------
    KK : (m, k, k, s, s) Σ K_la K_lbᵀ, K = (V₀⁻¹Z)_j. KH : (m, k, k, s, c) Σ K_la H_lbᵀ.
    """

    KK: Array
    KH: Array


class Reach(ABC):
    """V₀⁻¹ of whitened rows, as far as units need it."""

    @abstractmethod
    def covariances(self, batches: Sequence[Batch]) -> list[Array]:
        """ZSZᵀ among the rows of each unit, (m, s, s) a batch."""

    @abstractmethod
    def seen(self, batches: Sequence[Batch], H: list[Array]) -> Iterator[list[Seen]]:
        """Block by block, what every batch sees of it.

        Parameters
        ----------
        H : ZᵀV₀⁻¹[Q r] of each block, (J, k, c).
        """

    @abstractmethod
    def own_products(self) -> list[Array]:
        """Σ_l (ZᵀV₀⁻¹Z)_ll of each block, (k, k)."""


def reach_of(design: Design, conditional: Conditional, units: RowSets) -> Reach:
    """By levels where one factor of independent levels is all there is and holds the units; else by size."""
    one = design.blocks[0] if len(design.blocks) == 1 else None
    if one is not None and one.known is None and units.within(one.codes):
        return OwnLevel(design.blocks[0], design.residual.whiten(design.blocks[0].columns), conditional)
    kind = Whole if design.q <= WHOLE else Slices
    return kind(design, design.residual.whiten(design.independent_Z), Solves(design, conditional))


@dataclass(frozen=True, eq=False)
class OwnLevel(Reach):
    """One grouping factor; a unit lies within a level.

    Attributes
    ----------
    columns : (n, k) whitened.
    """

    block: Block
    columns: Array
    conditional: Conditional

    @cached_property
    def S(self) -> Array:
        """(J, k, k)."""
        return self.conditional.covariance_blocks()[0]

    @cached_property
    def products(self) -> Array:
        """ZᵀZ, (J, k, k)."""
        out = np.zeros((self.block.n_levels, self.block.k, self.block.k))
        np.add.at(out, self.block.codes, self.columns[:, :, None] * self.columns[:, None, :])
        return out

    @cached_property
    def W(self) -> Array:
        """(J, k, k)."""
        return np.eye(self.block.k) - self.S @ self.products

    def covariances(self, batches: Sequence[Batch]) -> list[Array]:
        parts = ((self.columns[batch.rows], self.S[self._level(batch)]) for batch in batches)
        return [z @ S @ z.transpose(0, 2, 1) for z, S in parts]

    def seen(self, batches: Sequence[Batch], H: list[Array]) -> Iterator[list[Seen]]:
        yield [self._seen(batch, H[0]) for batch in batches]

    def _seen(self, batch: Batch, H: Array) -> Seen:
        level = self._level(batch)
        K = self.columns[batch.rows] @ self.W[level]
        return Seen(np.einsum("msa,mtb->mabst", K, K), np.einsum("msa,mbc->mabsc", K, H[level]))

    def own_products(self) -> list[Array]:
        return [np.sum(self.products @ self.W, axis=0)]

    def _level(self, batch: Batch) -> NDArray[np.int64]:
        return self.block.codes[batch.rows[:, 0]]


@dataclass(frozen=True, eq=False)
class Solves:
    """S times columns, of effects that are independent between levels, in Z's order."""

    design: Design
    conditional: Conditional

    @cached_property
    def _tail(self) -> Array:
        """The tail's part of L."""
        size = self.conditional.problem.q - self._q_lead
        return np.tril(self.conditional.tail[:size, :size])

    @property
    def _q_lead(self) -> int:
        return int(self.conditional.problem.ints[at.Q_LEAD])

    @cached_property
    def _factor(self) -> "csr_array":
        """Λ of all levels, (q, q) sparse, its columns in the order of elimination."""
        from scipy.sparse import block_diag, csr_array, eye_array, kron

        factors = unflattened(self.design.covariance, self.conditional.lam)
        pairs = zip(self.design.blocks, factors, strict=True)
        parts = [kron(eye_array(block.n_levels), factor) for block, factor in pairs]
        return csr_array(csr_array(block_diag(parts))[:, self.conditional.problem.public])

    def __call__(self, columns: Array) -> Array:
        """ΛL⁻ᵀL⁻¹Λᵀ columns, (q, m)."""
        from scipy.linalg import cho_solve

        problem, panels, lead = self.conditional.problem, self.conditional.panels, self._q_lead
        z = np.ascontiguousarray(self._factor.T.tocsr() @ columns)
        chain_forward(panels, problem, z)
        z[lead:] = cho_solve((self._tail, True), z[lead:], check_finite=False)
        chain_backward(panels, problem, z)
        return np.asarray(self._factor @ z)


@dataclass(frozen=True, eq=False)
class Sparse(Reach):
    """Any design: a row may reach every level.

    Attributes
    ----------
    Z : (n, q) whitened, of effects that are independent between levels. solves : S.
    """

    design: Design
    Z: "csr_array"
    solves: Solves

    @cached_property
    def gram(self) -> "csr_array":
        """ZᵀZ, (q, q) sparse."""
        from scipy.sparse import csr_array

        return csr_array(self.Z.T @ self.Z)

    @cached_property
    def columns(self) -> list[slice]:
        """Of each block."""
        ends = np.cumsum([0, *(block.q for block in self.design.blocks)]).tolist()
        return [slice(*pair) for pair in pairwise(ends)]


class Whole(Sparse):
    """S and W are held as they are."""

    @cached_property
    def S(self) -> Array:
        """(q, q)."""
        return self.solves(np.eye(self.Z.shape[1]))

    @cached_property
    def W(self) -> Array:
        """(q, q)."""
        W = -np.asarray(self.gram @ self.S).T
        W[np.diag_indices_from(W)] += 1
        return W

    def covariances(self, batches: Sequence[Batch]) -> list[Array]:
        return [self._among(batch, self.S) for batch in batches]

    def seen(self, batches: Sequence[Batch], H: list[Array]) -> Iterator[list[Seen]]:
        for block, own, columns in zip(self.design.blocks, H, self.columns, strict=True):
            parts = [self.W[:, columns][:, a :: block.k] for a in range(block.k)]
            out = [_nothing(batch, block.k, own.shape[2]) for batch in batches]
            for a, b in np.ndindex(block.k, block.k):
                WW = parts[a] @ parts[b].T
                WH = self.Z @ (parts[a] @ own[:, b])
                for seen, batch in zip(out, batches, strict=True):
                    seen.KK[:, a, b] = self._among(batch, WW)
                    seen.KH[:, a, b] = WH[batch.rows]
            yield out

    def own_products(self) -> list[Array]:
        pairs = zip(self.design.blocks, self.columns, strict=True)
        return [self._own_product(block.k, columns) for block, columns in pairs]

    def _own_product(self, k: int, columns: slice) -> Array:
        G = self.gram[columns].tocoo()
        coef, level = G.row % k, columns.start + G.row - G.row % k
        by_coef = [np.bincount(coef, G.data * self.W[G.col, level + b], k) for b in range(k)]
        return np.stack(by_coef, axis=1)

    def _among(self, batch: Batch, M: Array) -> Array:
        """ZMZᵀ among the rows of each unit, (m, s, s)."""
        m, s = batch.rows.shape
        if s > FEW or self._entries is None:
            return np.stack([_product(self.Z[rows], M) for rows in batch.rows])
        places, values = self._entries
        width = max(1, CELLS // (s * places.shape[1]) ** 2)
        parts = [batch.rows[first : first + width] for first in range(0, m, width)]
        return np.concatenate([_looked_up(M, places[rows], values[rows]) for rows in parts])

    @cached_property
    def _entries(self) -> tuple[NDArray[np.int32], Array] | None:
        """Columns and values of Z's rows, (n, r), where all have as many entries."""
        sizes = np.diff(self.Z.indptr)
        if np.ptp(sizes):
            return None
        return self.Z.indices.reshape(len(sizes), -1), self.Z.data.reshape(len(sizes), -1)


class Slices(Sparse):
    """S and W are made some columns at a time."""

    def covariances(self, batches: Sequence[Batch]) -> list[Array]:
        out = [np.zeros((*batch.rows.shape, batch.rows.shape[1])) for batch in batches]
        for columns, _ in self._slices():
            left, right = self.Z @ self.solves(self._unit(columns)), self.Z[:, columns].toarray()
            for found, batch in zip(out, batches, strict=True):
                found += left[batch.rows] @ right[batch.rows].transpose(0, 2, 1)
        return out

    def seen(self, batches: Sequence[Batch], H: list[Array]) -> Iterator[list[Seen]]:
        for number, (block, own) in enumerate(zip(self.design.blocks, H, strict=True)):
            out, flat = (
                [_nothing(batch, block.k, own.shape[2]) for batch in batches],
                own.reshape(block.q, -1),
            )
            for columns, _ in self._slices(number):
                seen, first = self.Z @ self._W(columns), self.columns[number].start
                levels = flat[columns.start - first : columns.stop - first].reshape(-1, block.k, own.shape[2])
                for found, batch in zip(out, batches, strict=True):
                    K = seen[batch.rows].reshape(*batch.rows.shape, -1, block.k)
                    found.KK[...] += np.einsum("msla,mtlb->mabst", K, K, optimize=True)
                    found.KH[...] += np.einsum("msla,lbc->mabsc", K, levels, optimize=True)
            yield out

    def own_products(self) -> list[Array]:
        out = [np.zeros((block.k, block.k)) for block in self.design.blocks]
        for columns, number in self._slices():
            GW = self.gram[columns] @ self._W(columns)
            out[number] += _sum_of_own(GW, self.design.blocks[number].k)
        return out

    def _slices(self, only: int | None = None) -> Iterator[tuple[slice, int]]:
        """Slices of columns that split no level, and the number of the block they are of."""
        width = max(1, CELLS // max(self.Z.shape))
        for number, (block, own) in enumerate(zip(self.design.blocks, self.columns, strict=True)):
            step = max(1, width // block.k) * block.k
            firsts = range(own.start, own.stop, step) if only in (None, number) else ()
            yield from ((slice(first, min(first + step, own.stop)), number) for first in firsts)

    def _unit(self, columns: slice) -> Array:
        return np.eye(self.Z.shape[1], columns.stop - columns.start, -columns.start)

    def _W(self, columns: slice) -> Array:
        return self._unit(columns) - self.solves(self.gram[:, columns].toarray())


def _nothing(batch: Batch, k: int, c: int) -> Seen:
    m, s = batch.rows.shape
    return Seen(np.zeros((m, k, k, s, s)), np.zeros((m, k, k, s, c)))


def _looked_up(M: Array, places: NDArray[np.int32], z: Array) -> Array:
    """ZMZᵀ (m, s, s) of rows with entries z (m, s, r) at columns `places`."""
    m, s, r = z.shape
    found = M[places.reshape(m, -1, 1), places.reshape(m, 1, -1)].reshape(m, s, r, s, r)
    return np.sum(np.sum(found * z[:, None, None], axis=4) * z[:, :, :, None], axis=2)


def _product(Z: "csr_array", M: Array) -> Array:
    return np.asarray(Z @ np.asarray(Z @ M).T)


def _sum_of_own(products: Array, k: int) -> Array:
    """Sum of the (k, k) blocks on the diagonal."""
    levels = products.reshape(len(products) // k, k, -1, k)
    return np.asarray(np.einsum("lalb->ab", levels))


def seen_by_levels(design: Design, E: Array) -> list[Array]:
    """ZᵀE of each block, (J, k, c), of effects that are independent between levels."""
    return by_level(design, np.asarray(design.residual.whiten(design.independent_Z).T @ E))
