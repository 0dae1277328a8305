"""Rows that are correlated in groups, and unequally spread: R = S C S / w."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cached_property
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self

import numpy as np

from .base import Array, Codes, Parameters, Residual
from .correlations import CorrelationStructure
from .natural import is_absolute, natural_parameters
from .places import correlation_slopes, correlations
from .precision import Precision
from .prior_weights import along
from .roots import Joined, Root
from .roots.base import Unique, distinct, row_dots
from .spread_rows import SpreadRows
from .squares import squares_of
from .structure import Part, slopes
from .variances import FITTED, VarianceFunction

if TYPE_CHECKING:
    from scipy.sparse import csr_array

# whatever φ is
OF_ROWS = ("names", "groups", "starts", "_own", "_coordinates", "_root", "_spread_rows", "_kept")
GROUP, STRATUM, COORDINATE = "group", "stratum", "coordinate"  # of the correlation, what its rows are


@dataclass(frozen=True, eq=False)
class Structured(Residual):
    """R = W^{-½} S(δ) C(φ) S(δ) W^{-½}, W of prior weights; parameters are those of C, then of S.

    Data are `weights` where there are some; `group`, `stratum` and `coordinate 0`, ... of the correlation;
    `values k` and `stratum k` of the k-th variance function.

    Attributes
    ----------
    correlation : C, None for the identity. variances : whose product S is.
    """

    keyword: ClassVar[str] = "structured"
    is_identity = False

    correlation: Part[CorrelationStructure] | None = None
    spreads: tuple[Part[VarianceFunction], ...] = ()

    @classmethod
    def example(cls, n: int, generator: np.random.Generator, sigma: float | None = None) -> Self:
        from .examples import example

        return example(cls, n, generator, sigma)

    @property
    def parts(self) -> tuple[Part[Any], ...]:
        """All of them, in the order of their parameters."""
        return (*([self.correlation] if self.correlation else []), *self.spreads)

    def _split(self, phi: Any) -> list[Any]:
        """φ of each part."""
        return [phi[own] for own in self._own]

    @cached_property
    def _own(self) -> list[slice]:
        """Where φ of each part is."""
        ends = accumulate((part.n for part in self.parts), initial=0)
        return [slice(first, end) for first, end in pairwise(ends)]

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(label for part in self.parts for label in part.labels)

    @property
    def start(self) -> Array:
        return self.starts[0] if self.settled is None else self.settled

    @property
    def usual(self) -> Array:
        return np.concatenate([part.usual for part in self.parts])

    @cached_property
    def starts(self) -> Array:
        """φ (m, n_phi): the usual one, then each part's others beside it."""
        usual = [part.starts[0] for part in self.parts]
        out = [np.concatenate(usual)]
        for number, part in enumerate(self.parts):
            out += [
                np.concatenate([*usual[:number], other, *usual[number + 1 :]]) for other in part.starts[1:]
            ]
        return np.array(out)

    @property
    def description(self) -> str:
        words = [part.structure.said for part in self.parts]
        return " and ".join([*words, *(["prior weights"] if "weights" in self.data else [])])

    @cached_property
    def groups(self) -> Codes | None:
        return self.data[GROUP].astype(np.int64) if self.correlation else None

    @cached_property
    def _coordinates(self) -> Array:
        """(n, d) of the correlation."""
        names = [name for name in self.data if name.startswith(COORDINATE)]
        return np.column_stack([np.zeros((self.n, 0)), *(self.data[name] for name in names)])

    @cached_property
    def _root(self) -> Root | None:
        part = self.correlation
        if part is None:
            return None
        strata = self.data[STRATUM].astype(np.int64)
        joined = Joined.of(self.data[GROUP].astype(np.int64), self._coordinates, strata)
        return part.structure.root(joined).of(joined, self._place)

    @property
    def order(self) -> Codes:
        return np.arange(self.n) if self._root is None else self._root.joined.order

    def _root_rho(self, phi: Array) -> Array:
        assert self._root is not None and self.correlation is not None
        unique = self._root.unique
        return np.asarray(correlations(self.correlation, phi, unique.places, unique.strata))

    @cached_property
    def precision(self) -> Precision | None:
        columns = [each for rows in self._spread_rows for each in (rows.values, rows.strata)]
        first, kinds = distinct(*columns) if columns else (np.zeros(1, np.int64), np.zeros(self.n, np.int64))
        squares = squares_of(self._root, kinds, self._place)
        if squares is None:
            return None
        weights = self.data.get("weights", np.ones(self.n))
        return Precision(squares, self.correlation, self._of_kinds(first), np.bincount(kinds), weights)

    def _of_kinds(self, rows: Codes) -> Self:
        """Single rows, all but the variance functions left out."""
        data = {
            f"{word} {k}": self.data[f"{word} {k}"][rows]
            for k in range(len(self.spreads))
            for word in ("values", "stratum")
        }
        return type(self)(len(rows), data=data, spreads=self.spreads)

    def roots(self, delta: Array) -> Array:
        """1/s (n,) of rows that nothing joins, of the variance functions' own δ."""
        return np.asarray(1 / np.exp(self._log_sds(self._split(delta))))

    def pull_roots(self, roots: Array, by_roots: Array, delta: Array) -> Array:
        """Gradient in δ of a function of these roots."""
        return -(self._by_log_sds(delta) @ (by_roots * roots))

    def _place(self, a: Array, b: Array) -> Array:
        assert self.correlation is not None
        return self.correlation.structure.place(a, b, self.correlation.learnt)

    @cached_property
    def _spread_rows(self) -> tuple[SpreadRows, ...]:
        return tuple(
            SpreadRows(part, self.data[f"values {k}"], self.data[f"stratum {k}"].astype(np.int64))
            for k, part in enumerate(self.spreads)
        )

    def _log_sds(self, deltas: list[Any]) -> Any:
        """(n,) of S W^{-½}."""
        out: Any = -0.5 * np.log(self.data["weights"]) if "weights" in self.data else np.zeros(self.n)
        for rows, delta in zip(self._spread_rows, deltas, strict=True):
            out = out + rows.log_sds(delta)
        return out

    def _at(self, phi: Array) -> "AtPhi":
        """What φ makes of R; of the last φ that was asked for it is kept."""
        key = phi.tobytes()
        if (known := self._kept.get(key)) is not None:
            return known
        own = self._split(phi)
        rho = self._root_rho(own[0]) if self._root else np.zeros(0)
        found = AtPhi(np.exp(self._log_sds(own[self._root is not None :])), rho)
        self._kept.clear()  # another thread may ask for another φ meanwhile
        self._kept[key] = found
        return found

    @cached_property
    def _kept(self) -> "dict[bytes, AtPhi]":
        return {}

    def spread(self, rows: "csr_array") -> "csr_array":
        if self._root is not None and self._root.reach is not None:
            return _csr(self._root.reach @ abs(rows))
        return super().spread(rows)

    def _whiten(self, rows: Any, phi: Array) -> Any:
        sds, rho = self._at(phi)
        if isinstance(rows, np.ndarray):
            scaled = rows / along(sds, rows)
            return scaled if self._root is None else _flat(self._root.whiten, rho, scaled)
        scaled = _times(1 / sds, rows)
        return scaled if self._root is None else _csr(self._root.matrix(rho) @ scaled)

    def _unwhiten(self, rows: Array, phi: Array) -> Array:
        sds, rho = self._at(phi)
        joined = rows if self._root is None else _flat(self._root.unwhiten, rho, rows)
        return joined * along(sds, rows)

    def _untransposed(self, rows: Array, phi: Array) -> Array:
        sds, rho = self._at(phi)
        scaled = rows * along(sds, rows)
        return scaled if self._root is None else _flat(self._root.untransposed, rho, scaled)

    def _transposed(self, rows: Array, phi: Array) -> Array:
        sds, rho = self._at(phi)
        joined = rows if self._root is None else _flat(self._root.transposed, rho, rows)
        return joined / along(sds, rows)

    def _pull(self, rows: Any, by_whitened: Any, phi: Array) -> Array:
        sds, rho = self._at(phi)
        dense = isinstance(rows, np.ndarray)
        scaled = rows / along(sds, rows) if dense else _times(1 / sds, rows)
        by_scaled, out = by_whitened, []
        if (root := self._root) is not None:
            out.append(self._by_rho(phi) @ root.pull(rho, scaled, by_whitened))
            if self.spreads:
                by_scaled = root.transposed(rho, by_whitened) if dense else root.matrix(rho).T @ by_whitened
        if self.spreads:
            out.append(-self._by_log_sds(phi) @ row_dots(by_scaled, scaled))
        return np.concatenate([np.zeros(0), *out])

    def _by_rho(self, phi: Array) -> Array:
        """d rho / dφ, (n, u) of the correlation's own."""
        assert self._root is not None and self.correlation is not None
        return correlation_slopes(self.correlation, self._split(phi)[0], self._root.unique)

    def _by_log_sds(self, phi: Array) -> Array:
        """d log sds / dδ, (n_delta, n)."""
        deltas = self._split(phi)[self._root is not None :]
        own = [rows.slopes(delta) for rows, delta in zip(self._spread_rows, deltas, strict=True)]
        return np.vstack([np.zeros((0, self.n)), *own])

    def _log_det_gradient(self, phi: Array) -> Array:
        out = (
            [] if self._root is None else [self._by_rho(phi) @ self._root.log_det_gradient(self._at(phi).rho)]
        )
        return np.concatenate([*out, 2 * self._by_log_sds(phi).sum(axis=1)])

    def _log_pivots(self, phi: Array) -> Array:
        sds, rho = self._at(phi)
        return 2 * np.log(sds) + (0.0 if self._root is None else self._root.log_pivots(rho))

    def _variances(self, phi: Array) -> Array:
        return self._at(phi).sds ** 2

    def _elements(self, i: Codes, j: Codes, phi: Array) -> tuple[Array, Array]:
        alike = (i == j) | (False if self.groups is None else self.groups[i] == self.groups[j])
        values, by_phi = np.zeros(len(i)), np.zeros((len(phi), len(i)))
        values[alike], by_phi[:, alike] = self._within(i[alike], j[alike], phi)
        return values, by_phi

    def _within(self, i: Codes, j: Codes, phi: Array) -> tuple[Array, Array]:
        """`elements` of pairs of one group."""
        sds, by_log_sds = self._at(phi).sds, self._by_log_sds(phi)
        values = sds[i] * sds[j]
        if (part := self.correlation) is None:
            return values, values * (by_log_sds[:, i] + by_log_sds[:, j])
        apart, own = i != j, self._split(phi)[0]
        places = self._place(self._coordinates[i[apart]], self._coordinates[j[apart]])
        unique = Unique.of(places, self.data[STRATUM][i[apart]].astype(np.int64))
        rho, by_own = np.ones(len(i)), np.zeros((part.n, len(i)))
        rho[apart] = correlations(part, own, unique.places, unique.strata)[unique.which]
        by_own[:, apart] = correlation_slopes(part, own, unique)[:, unique.which]
        by_spread = values * rho * (by_log_sds[:, i] + by_log_sds[:, j])
        return values * rho, np.vstack([values * by_own, by_spread])

    def _covariance(self, new: Self, phi: Array) -> "csr_array":
        from scipy.sparse import csr_array

        if self.correlation is None:
            return csr_array((new.n, self.n))
        i, j = _pairs(new.data[GROUP], self.data[GROUP])
        part, own = self.correlation, self._split(phi)[0]
        places = self._place(new._coordinates[i], self._coordinates[j])
        rho = correlations(part, own, places, self.data[STRATUM][j].astype(np.int64))
        values = rho * new._at(phi).sds[i] * self._at(phi).sds[j]
        return csr_array((values, (i, j)), shape=(new.n, self.n))

    @property
    def coordinates(self) -> Array | None:
        return self._coordinates if self._coordinates.shape[1] else None

    @property
    def mean_variance(self) -> float:
        variances = self.variances() * self.data.get("weights", 1.0)
        return float(np.mean(variances))

    @property
    def of_fitted(self) -> bool:
        return any(part.structure.of == FITTED for part in self.spreads)

    @property
    def kinked(self) -> bool:
        return any(part.structure.kinked for part in self.parts)

    def with_fitted(self, values: Array) -> Self:
        of_fitted = {k: part.structure for k, part in enumerate(self.spreads) if part.structure.of == FITTED}
        for structure in of_fitted.values():
            structure.check(FITTED, values)
        own = {f"values {k}": values for k in of_fitted}
        return self.of_rows(self.n, {**self.data, **own})

    def parameters(self, phi: Array, sigma: float) -> Parameters:
        return Parameters.joined(
            [
                natural_parameters(part, own, sigma)
                for part, own in zip(self.parts, self._split(phi), strict=True)
            ]
        )

    def kept(self, sigma: float) -> Parameters:
        released = [part.released for part in self.parts if part.held is not None and part.width]
        found = Parameters.joined([natural_parameters(part, part.starts[0], sigma) for part in released])
        return found._replace(slopes=found.slopes[:, -1:])

    def ratios(self, phi: Array) -> Array:
        return np.concatenate([part.natural(own) for part, own in self._with_own(phi)])

    def of_ratios(self, ratios: Array) -> Array:
        return np.concatenate([part.free(own) for part, own in self._with_own(ratios)])

    def ratio_slopes(self, phi: Array) -> Array:
        from scipy.linalg import block_diag

        own = [slopes(part.natural, each, part.n).T for part, each in self._with_own(phi)]
        return np.asarray(block_diag(*own))

    def _with_own(self, phi: Any) -> "Iterator[tuple[Part[Any], Any]]":
        """Each part with its φ."""
        return zip(self.parts, self._split(phi), strict=True)

    def natural(self, phi: Array, sigma: Array) -> Array:
        columns = [np.zeros((len(sigma), 0))]
        for part, own in zip(self.parts, self._split(phi.T), strict=True):
            values = np.array([part.natural(each) for each in own.T]).reshape(len(sigma), part.n)
            columns += [sigma[:, None] * np.insert(values, 0, 1.0, axis=1)] if is_absolute(part) else [values]
        return np.hstack(columns)

    def free(self, natural: Array, sigma: Array) -> Array:
        columns, first = [np.zeros((len(sigma), 0))], 0
        for part in self.parts:
            own = natural[:, (begun := first + is_absolute(part)) : (first := begun + part.n)]
            own = own / sigma[:, None] if is_absolute(part) else own
            columns.append(np.array([part.free(each) for each in own]).reshape(len(sigma), part.n))
        return np.hstack(columns)

    def settle(self, phi: Array) -> Self:
        other = super().settle(phi)
        vars(other).update({name: vars(self)[name] for name in OF_ROWS if name in vars(self)})
        return other

    def __getstate__(self) -> dict[str, Any]:
        # what is cached can be had again
        return {field.name: getattr(self, field.name) for field in fields(self)}


class AtPhi(NamedTuple):
    """What one φ makes of R: sds (n,) of S W^{-½}, and rho (u,) at the places of C's root."""

    sds: Array
    rho: Array


def _flat(through: Any, rho: Array, rows: Array) -> Array:
    """A root's verb on rows (n, ...)."""
    return np.asarray(through(rho, rows.reshape(len(rows), -1)).reshape(rows.shape))


def _times(scale: Array, rows: Any) -> Any:
    return _csr(rows.multiply(scale[:, None]))


def _csr(rows: Any) -> "csr_array":
    from scipy.sparse import csr_array

    return csr_array(rows)


def _pairs(new: Array, old: Array) -> tuple[Codes, Codes]:
    """Every new row with every old one of its group."""
    order = np.argsort(old, kind="stable")
    first, end = (np.searchsorted(old[order], new, side=side) for side in ("left", "right"))
    counts = end - first
    i = np.repeat(np.arange(len(new)), counts)
    within = np.arange(len(i)) - np.repeat(np.cumsum(counts) - counts, counts)
    return i, order[np.repeat(first, counts) + within]
