"""The covariance map: θ in lme4's order ↔ the relative factors of all blocks ↔ natural sd and cor."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate, combinations
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .covariance import CovarianceStructure
from .residual import Residual
from .term_slot import TermSlot

type Array = NDArray[np.float64]
type ByGroup = Mapping[str, ArrayLike]


class Grouped(Protocol):
    """What the map reads of a block."""

    @property
    def group(self) -> str: ...
    @property
    def coefs(self) -> tuple[str, ...]: ...
    @property
    def columns(self) -> Array: ...
    @property
    def n_levels(self) -> int: ...
    @property
    def structures(self) -> tuple[CovarianceStructure, ...]: ...
    @property
    def term_numbers(self) -> tuple[int, ...]: ...


class Natural(NamedTuple):
    """Absolute standard deviations and correlations by group.

    Free ones only: sd[group] has shape (n_sd,), n_sd = k but where coefs share one; cor[group] (n_pairs,),
    NaN where one of the two sds is 0.
    """

    sd: dict[str, Array]
    cor: dict[str, Array]


@dataclass(frozen=True, eq=False)
class CovarianceMap:
    """Relative covariance of a model: θ ↔ Λ, and Λ ↔ (sd, cor).

    θ is public and has lme4's order: bars by decreasing number of levels, ties by their place in the formula.
    `flat` is the kernel's view: every block's Λ (k, k) row by row, blocks in formula order.

    Attributes
    ----------
    groups : group of each block
    coefs : coefs of each block
    slots : one per bar, in block order
    """

    groups: tuple[str, ...]
    coefs: tuple[tuple[str, ...], ...]
    slots: tuple[TermSlot, ...]

    @classmethod
    def build(cls, blocks: Sequence[Grouped], residual: Residual | None = None) -> "CovarianceMap":
        """The map of these blocks; the residual, R = I for None, only shapes the start."""
        columns = [block.columns for block in blocks]
        white = columns if residual is None else [residual.whiten(z, residual.start) for z in columns]
        return cls.of_grams(blocks, [gram(z) for z in white])

    @classmethod
    def of_grams(cls, blocks: Sequence[Grouped], grams: Sequence[Array]) -> "CovarianceMap":
        """The map of blocks whose mean of z zᵀ over whitened rows, (k, k), is known."""
        return cls(
            tuple(block.group for block in blocks),
            tuple(block.coefs for block in blocks),
            tuple(_slots(blocks, grams)),
        )

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """Number of coefs of each block."""
        return tuple(len(coefs) for coefs in self.coefs)

    @cached_property
    def offsets(self) -> tuple[int, ...]:
        """Where each block's Λ begins in `flat`."""
        return tuple(accumulate((k * k for k in self.sizes), initial=0))[:-1]

    @cached_property
    def n_theta(self) -> int:
        return sum(slot.structure.n_params for slot in self.slots)

    @cached_property
    def n_lam(self) -> int:
        """Length of `flat`."""
        return sum(k * k for k in self.sizes)

    @cached_property
    def linear(self) -> bool:
        """Is Λ linear in θ? Then flat(θ) = θ · jacobian."""
        return all(slot.structure.linear for slot in self.slots)

    @cached_property
    def straightened(self) -> "CovarianceMap":
        """The same map, or with `Unstructured` for curved structures that have as many θ."""
        slots = tuple(slot.straightened for slot in self.slots)
        same = all(one is other for one, other in zip(slots, self.slots, strict=True))
        return self if same else replace(self, slots=slots)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Labels of θ: theta[group: coef] or theta[group: coef, coef]."""
        out = np.empty(self.n_theta, dtype=object)
        for slot in self.slots:
            names = slot.structure.names(self.coefs[slot.block][slot.coefs])
            out[slot.theta] = [f"theta[{self.groups[slot.block]}: {name}]" for name in names]
        return tuple(out)

    @cached_property
    def lower(self) -> Array:
        """Lower bounds of θ, shape (n_theta,)."""
        return self._gather(slot.structure.lower for slot in self.slots)

    @cached_property
    def scale(self) -> Array:
        """Size of a natural change of each θ, (n_theta,): one that adds about σ to the response."""
        scale = np.empty(self.n_theta)
        for slot in self.slots:
            derivative = slot.structure.derivative(slot.start)
            effect = np.einsum("pia,ij,pja->p", derivative, slot.gram, derivative)
            scale[slot.theta] = 1 / np.sqrt(np.where(effect > 0, effect, 1.0))
        return scale

    def start(self) -> Array:
        """A θ away from 0 at which each coef contributes about as much as the residual, shape (n_theta,)."""
        return self._gather(slot.start for slot in self.slots)

    def normalize(self, theta: ArrayLike) -> Array:
        """The θ of the same covariance whose factors have no negative diagonal element."""
        parts = self._split(theta)
        return self._gather(
            slot.structure.normalize(part) for slot, part in zip(self.slots, parts, strict=True)
        )

    def factors(self, theta: ArrayLike) -> tuple[Array, ...]:
        """The relative factor Λ of each block, shapes (k, k)."""
        parts = self._split(theta)
        return self._assemble(
            slot.structure.factor(part) for slot, part in zip(self.slots, parts, strict=True)
        )

    def from_factors(self, factors: Sequence[ArrayLike]) -> Array:
        """θ of the blocks' factors: the inverse of `factors`."""
        return self._gather(
            slot.structure.parameters(np.asarray(factors[slot.block])[slot.coefs, slot.coefs])
            for slot in self.slots
        )

    def flat(self, theta: ArrayLike) -> Array:
        """Every block's Λ, row by row, (n_lam,); of m θ (m, n_theta) at once, (m, n_lam)."""
        values = np.asarray(theta, dtype=float)
        if self.linear:
            return np.asarray(values @ self._map)
        if values.ndim == 1:
            return flatten(self.factors(values))
        return np.array([self.flat(each) for each in values]).reshape(len(values), self.n_lam)

    def pull(self, theta: Array, by_lam: Array) -> Array:
        """The gradient in θ (..., n_theta) of a function of Λ, given that in Λ (..., n_lam)."""
        if self.linear or theta.ndim == 1:
            return np.asarray(by_lam @ self.jacobian(theta).T)
        return np.array([self.pull(*each) for each in zip(theta, by_lam, strict=True)]).reshape(theta.shape)

    def jacobian(self, theta: ArrayLike) -> Array:
        """d flat / dθ, shape (n_theta, n_lam)."""
        return self._map if self.linear else self._derivative(theta)

    def unflatten(self, flat: ArrayLike) -> tuple[Array, ...]:
        """The factors held in `flat`, shapes (k, k)."""
        values = np.asarray(flat, dtype=float)
        return tuple(
            values[offset : offset + k * k].reshape(k, k)
            for offset, k in zip(self.offsets, self.sizes, strict=True)
        )

    def natural(self, theta: ArrayLike, sigma: float) -> Natural:
        """Absolute sd and cor at residual standard deviation `sigma`: σ²ΛΛᵀ."""
        return self.natural_of(self.factors(theta), sigma)

    def natural_of(self, factors: Sequence[Array], sigma: float) -> Natural:
        """The same of the blocks' factors (k, k)."""
        sd, cor = {}, {}
        for block, factor in enumerate(factors):
            root = sigma * factor
            spread = np.sqrt(np.einsum("ij,ij->i", root, root))
            sd[self.groups[block]] = spread[list(self.block_sds(block))]
            cor[self.groups[block]] = correlations(root, spread, self.block_pairs(block))
        return Natural(sd, cor)

    def from_natural(self, sd: ByGroup, cor: ByGroup, sigma: float) -> Array:
        """`flat` of absolute sd and cor at `sigma`: the relative factors are the absolute ones over σ."""
        return flatten(self._natural_factors(sd, cor)) / sigma

    def theta_of_natural(self, sd: ByGroup, cor: ByGroup, sigma: float) -> Array:
        """θ of absolute sd and cor at `sigma`."""
        return self.from_factors([factor / sigma for factor in self._natural_factors(sd, cor)])

    def block_pairs(self, block: int) -> tuple[tuple[int, int], ...]:
        """Coef pairs of a block whose correlation is free: those inside its bars, none across.

        Where all correlations of a bar follow from one, its first pair stands for them.
        """
        return tuple(pair for slot in self.slots_of(block) for pair in slot.pairs)

    def correlated_pairs(self, block: int) -> tuple[tuple[int, int], ...]:
        """Coef pairs of a block that may be correlated: all inside its bars with a correlation."""
        return tuple(
            (slot.first + i, slot.first + j)
            for slot in self.slots_of(block)
            for i, j in combinations(range(slot.structure.k * bool(slot.structure.pairs)), 2)
        )

    def block_sds(self, block: int) -> tuple[int, ...]:
        """Coefs of a block whose standard deviation is free; a bar's first where all its coefs share one."""
        return tuple(coef for slot in self.slots_of(block) for coef in slot.sd_index)

    def sd_of_coef(self, block: int) -> tuple[int, ...]:
        """Which of a block's free standard deviations each coef has."""
        out: list[int] = []
        for slot in self.slots_of(block):
            first = out[-1] + 1 if out else 0
            out += [first + i for i in slot.structure.sd_of_coef]
        return tuple(out)

    def cor_bounds(self, block: int) -> Array:
        """Range (n_pairs, 2) of each free correlation of a block."""
        ranges = [
            slot.structure.cor_range or (-1.0, 1.0) for slot in self.slots_of(block) for _ in slot.pairs
        ]
        return np.array(ranges, dtype=float).reshape(-1, 2)

    def slots_of(self, block: int) -> tuple[TermSlot, ...]:
        """The bars of a block."""
        return tuple(slot for slot in self.slots if slot.block == block)

    def sd_names(self, block: int) -> tuple[str, ...]:
        """What each free sd of a block belongs to: a coef, or as `shared_name` says."""
        coefs = self.coefs[block]
        return tuple(
            self.shared_name(slot) if slot.structure.shared_sd else coefs[i]
            for slot in self.slots_of(block)
            for i in slot.sd_index
        )

    def cor_names(self, block: int) -> tuple[str, ...]:
        """What each free correlation of a block belongs to: two coefs, or as `shared_name` says."""
        coefs = self.coefs[block]
        return tuple(
            self.shared_name(slot) if slot.structure.cor_range is not None else f"{coefs[i]}, {coefs[j]}"
            for slot in self.slots_of(block)
            for i, j in slot.pairs
        )

    def shared_name(self, slot: TermSlot) -> str:
        """What a parameter shared by all coefs of a bar belongs to: "" where they are the whole block."""
        whole, own = self.coefs[slot.block], self.coefs[slot.block][slot.coefs]
        if len(own) == len(whole):
            return ""
        return own[0] if len(own) == 1 else f"{own[0]} ... {own[-1]}"

    @cached_property
    def _map(self) -> Array:
        return self._derivative(np.zeros(self.n_theta))

    def _derivative(self, theta: ArrayLike) -> Array:
        out = np.zeros((self.n_theta, self.n_lam))
        for slot, part in self._with(self._split(theta)):
            coefs = np.arange(slot.first, slot.coefs.stop)
            inside = self.offsets[slot.block] + self.sizes[slot.block] * coefs[:, None] + coefs
            out[slot.theta][:, inside] = slot.structure.derivative(part)
        return out

    def _natural_factors(self, sd: ByGroup, cor: ByGroup) -> tuple[Array, ...]:
        return self._assemble(
            slot.structure.factor_natural(own_sd, own_cor)
            for slot, own_sd, own_cor in self._natural_parts(sd, cor)
        )

    def _natural_parts(self, sd: ByGroup, cor: ByGroup) -> Iterator[tuple[TermSlot, Array, Array]]:
        """Each bar with its own part of the group's sds and correlations."""
        for block, group in enumerate(self.groups):
            sds = np.asarray(sd[group], dtype=float)
            cors = np.asarray(cor.get(group, ()), dtype=float)
            for slot in self.slots_of(block):
                n_sd, n_pairs = len(slot.structure.sd_index), len(slot.structure.pairs)
                yield slot, sds[:n_sd], cors[:n_pairs]
                sds, cors = sds[n_sd:], cors[n_pairs:]

    def _with[P](self, parts: Iterable[P]) -> Iterator[tuple[TermSlot, P]]:
        """Each bar with its part."""
        return zip(self.slots, parts, strict=True)

    def _split(self, theta: ArrayLike) -> Iterator[Array]:
        values = np.asarray(theta, dtype=float)
        return (values[slot.theta] for slot in self.slots)

    def _gather(self, parts: Iterator[Array]) -> Array:
        out = np.empty(self.n_theta)
        for slot, part in self._with(parts):
            out[slot.theta] = part
        return out

    def _assemble(self, parts: Iterator[Array]) -> tuple[Array, ...]:
        out = tuple(np.zeros((k, k)) for k in self.sizes)
        for slot, part in self._with(parts):
            out[slot.block][slot.coefs, slot.coefs] = part
        return out


def _slots(blocks: Sequence[Grouped], grams: Sequence[Array]) -> Iterator[TermSlot]:
    places = _theta_slices(blocks)
    for number, (block, mean) in enumerate(zip(blocks, grams, strict=True)):
        first = 0
        for structure, term in zip(block.structures, block.term_numbers, strict=True):
            coefs = slice(first, first + structure.k)
            yield TermSlot(number, first, places[term], structure, mean[coefs, coefs])
            first = coefs.stop


def _theta_slices(blocks: Sequence[Grouped]) -> dict[int, slice]:
    """Place in θ of each bar, by its number in the formula."""
    bars = sorted(
        (-block.n_levels, term, structure.n_params)
        for block in blocks
        for structure, term in zip(block.structures, block.term_numbers, strict=True)
    )
    places, first = {}, 0
    for _, term, n_params in bars:
        places[term] = slice(first, first + n_params)
        first += n_params
    return places


def gram(columns: Array) -> Array:
    """Mean (k, k) of z zᵀ over rows (n, k)."""
    return columns.T @ columns / len(columns)


def flatten(factors: Sequence[Array]) -> Array:
    """Blocks' factors (k, k) as the kernel takes them: row by row, one after the other."""
    return np.concatenate([factor.ravel() for factor in factors]) if factors else np.zeros(0)


def correlations(root: Array, spread: Array, pairs: tuple[tuple[int, int], ...]) -> Array:
    """cor of the given coef pairs of root·rootᵀ, NaN where an sd is 0."""
    out = np.full(len(pairs), np.nan)
    for number, (i, j) in enumerate(pairs):
        if spread[i] > 0 and spread[j] > 0:
            out[number] = np.clip(root[i] @ root[j] / (spread[i] * spread[j]), -1.0, 1.0)
    return out
