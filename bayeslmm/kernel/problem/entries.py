"""Whitened rows by level: what each row holds of every block, a level or, where R joins rows, several."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bayeslmm.kernel.arrays import Floats, Ints
from bayeslmm.kernel.problem.blocks import BlockRows

if TYPE_CHECKING:
    from scipy.sparse import csr_array

type Whitening = Callable[[Any], Any]  # rows (n, ...), an array or sparse (n, m), to R^{-½} rows
type Spread = Callable[["csr_array"], "csr_array"]  # of sparse rows, where R^{-½} rows can differ from 0


def as_they_are(rows: Any) -> Any:
    """The whitening of R = I."""
    return rows


@dataclass(frozen=True, slots=True, eq=False)
class Entries:
    """Rows of a block, an entry for every level that a row holds.

    Attributes
    ----------
    row : (m,) increasing; None where every row holds one level. level : (m,). columns : (m, k).
    """

    row: Ints | None
    level: Ints
    columns: Floats

    @classmethod
    def whitened(cls, block: BlockRows, whiten: Whitening, spread: Spread | None) -> "Entries":
        """R^{-½}Z of one block; `spread` is None where no row gets another level of the block."""
        if spread is None:
            return cls(None, block.codes, np.asarray(whiten(block.columns)))
        Z = sparse_rows(None, block.codes, block.columns, block.n_levels)
        return cls.of_sparse(whiten(Z), spread(Z), block.k)

    @classmethod
    def of_sparse(cls, rows: "csr_array", pattern: "csr_array", k: int) -> "Entries":
        """The entries of sparse rows (n, J k) wherever a pattern has some."""
        J = rows.shape[1] // k
        held, places = (_row_of(each) * J + each.indices // k for each in (rows, pattern))
        keys = np.unique(np.concatenate([held, places]))
        columns = np.zeros((len(keys), k))
        np.add.at(columns, (np.searchsorted(keys, held), rows.indices % k), rows.data)
        return cls(keys // J, keys % J, columns)

    def scaled(self, white: Floats) -> "Entries":
        """Every entry's columns times C, given C⁻¹ (k, k)."""
        return Entries(self.row, self.level, in_basis(self.columns, white))

    def sparse(self, values: Floats, n_levels: int) -> "csr_array":
        """Rows (n, J k) with other values (m, k) of the entries."""
        return sparse_rows(self.row, self.level, values, n_levels)


def in_basis(columns: Floats, white: Floats) -> Floats:
    """Columns times C, given C⁻¹."""
    return np.ascontiguousarray(np.linalg.solve(white.T, columns.T).T)


def _row_of(rows: "csr_array") -> Ints:
    """The row of each stored element."""
    return np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))


def sparse_rows(row: Ints | None, level: Ints, columns: Floats, n_levels: int) -> "csr_array":
    """Rows (n, J k) of entries, named as in `Entries`; zeros are stored."""
    from scipy.sparse import csr_array

    k = columns.shape[1]
    count = np.ones(len(level), dtype=np.int64) if row is None else np.bincount(row)
    index = level[:, None] * k + np.arange(k)
    start = np.append(0, np.cumsum(count)) * k
    return csr_array((columns.ravel(), index.ravel(), start), shape=(len(count), n_levels * k))


def over_groups(groups: Ints) -> Spread:
    """Whitened rows may hold whatever any row of their residual group holds."""

    def spread(rows: "csr_array") -> "csr_array":
        from scipy.sparse import csr_array

        n = len(groups)
        member = csr_array((np.ones(n), (np.arange(n), groups)))
        held = csr_array((np.ones(rows.nnz), rows.indices, rows.indptr), shape=rows.shape)
        return csr_array(member @ (member.T @ held))

    return spread


class RowsByLevel(NamedTuple):
    """Rows of [Z̃ Q r], entry by entry, blocks in elimination order.

    Attributes
    ----------
    start : (n + 1,) first entry of each row, and their number.
    level : (m,) increasing in a row, numbered through all blocks.
    values : k of each entry, one after the other. right : (n, p + 1).
    """

    start: Ints
    level: Ints
    values: Floats
    right: Floats

    @classmethod
    def of(cls, blocks: Sequence[Entries], first_level: Ints, right: Floats) -> "RowsByLevel":
        """Put the blocks' entries side by side; `first_level` (n_blocks,) numbers the levels."""
        if any(block.row is not None for block in blocks):
            return cls._of_many(blocks, first_level, right)
        n, width = len(right), len(blocks)
        levels = [block.level + first for block, first in zip(blocks, first_level, strict=False)]
        level = np.stack(levels, axis=1).ravel() if blocks else np.zeros(0, dtype=np.int64)
        values = np.hstack([*(block.columns for block in blocks), np.zeros((n, 0))]).ravel()
        return cls(np.arange(n + 1) * width, level, values, right)

    @classmethod
    def _of_many(cls, blocks: Sequence[Entries], first_level: Ints, right: Floats) -> "RowsByLevel":
        row, level, places = placed(blocks, first_level, len(right))
        values = np.empty(sum(block.columns.size for block in blocks))
        for block, place in zip(blocks, places, strict=True):
            values[place] = block.columns
        start = np.append(0, np.cumsum(np.bincount(row, minlength=len(right))))
        return cls(start, level, values, right)


def placed(blocks: Sequence[Entries], first_level: Ints, n: int) -> tuple[Ints, Ints, list[Ints]]:
    """Row and level of all entries as in `RowsByLevel`, and where each block's values (m, k) are."""
    if not blocks:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), []
    rows = [np.arange(n) if block.row is None else block.row for block in blocks]
    row = np.concatenate(rows)
    level = np.concatenate([b.level + first for b, first in zip(blocks, first_level, strict=False)])
    k = np.repeat([block.columns.shape[1] for block in blocks], [len(each) for each in rows])
    order = np.lexsort((level, row))
    start = np.empty(len(order), dtype=np.int64)
    start[order] = np.cumsum(k[order]) - k[order]
    ends = np.cumsum([len(each) for each in rows])[:-1]
    places = [
        own[:, None] + np.arange(block.columns.shape[1])
        for block, own in zip(blocks, np.split(start, ends), strict=True)
    ]
    return row[order], level[order], places
