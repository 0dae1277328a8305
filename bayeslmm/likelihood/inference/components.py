"""V₀⁻¹ seen from the random effects, piece by piece where rows share no effect: no n × n matrix.

Levels joined by a row, directly or through others, make a component; ZᵀV₀⁻¹Z is block-diagonal over
components. With one grouping factor, or nested ones, components are small and many, and those of one shape
are computed together; with crossed factors there may be a single one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayeslmm.errors import OptionError
from bayeslmm.spec.design import Design
from bayeslmm.spec.units import Units

if TYPE_CHECKING:
    from scipy.sparse import csr_array

type Array = NDArray[np.float64]
type Codes = NDArray[np.int64]

LARGEST = 10_000  # effects in one component; its dense matrices take 0.8 GB each


class Part(NamedTuple):
    """A block's share of a component: where its effects are among the component's, and their shape."""

    effects: slice
    n_levels: int
    k: int


@dataclass(frozen=True, slots=True)
class Components:
    """Components of one shape, s of them with m effects each.

    Attributes
    ----------
    parts : one a block. N : (s, m, m) ZᵀV₀⁻¹Z, the columns of Z in given units. U : (s, m, c) ZᵀV₀⁻¹ of
        given columns.
    """

    parts: tuple[Part, ...]
    N: Array
    U: Array


def components(design: Design, units: Units, columns: Array) -> Iterator[Components]:
    """All components at one θ, in its units, grouped by shape.

    Parameters
    ----------
    columns : (n, c) that are seen from the effects, whitened.

    Raises
    ------
    OptionError
        When a component has too many effects to hold its dense matrices.
    """
    from scipy.sparse import csr_array

    levels = [block.n_levels for block in design.blocks]
    Z = design.residual.whiten(units.columns(design.independent_Z, levels))
    covariances = [factor @ factor.T for factor in units.factors]
    G, C = csr_array(Z.T @ Z), Z.T @ columns
    for parts, effects in _shapes(design):
        gram = _dense_blocks(G, effects)
        N, U = _whitened(gram, C[effects], parts, covariances)
        yield Components(parts, N, U)


def _component_of_level(design: Design) -> list[Codes]:
    """The component of each level, one array a block."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    first = np.cumsum([0, *(block.n_levels for block in design.blocks)])
    nodes = [block.codes + start for block, start in zip(design.blocks, first, strict=False)]
    # a known covariance between levels joins them all
    chains = [
        np.arange(a, b)
        for block, (a, b) in zip(design.blocks, pairwise(first), strict=True)
        if block.known is not None
    ]
    pairs = [(nodes[0], node) for node in nodes] + [(chain[1:], chain[:-1]) for chain in chains]
    joined = np.hstack([np.stack(pair) for pair in pairs])
    graph = coo_array((np.ones(joined.shape[1]), joined), shape=(first[-1], first[-1]))
    labels = connected_components(graph, directed=False)[1].astype(np.int64)
    return [labels[a:b] for a, b in pairwise(first)]


def _shapes(design: Design) -> Iterator[tuple[tuple[Part, ...], Codes]]:
    """Each shape of component: its parts, and the effects (s, m) of the components that have it."""
    if not design.blocks:
        return
    of_level = _component_of_level(design)
    n_components = 1 + max(int(labels.max()) for labels in of_level)
    counts = np.stack([np.bincount(labels, minlength=n_components) for labels in of_level], axis=1)
    shapes, shape_of = np.unique(counts, axis=0, return_inverse=True)
    first = np.cumsum([0, *(block.q for block in design.blocks)])
    for number, shape in enumerate(shapes):
        chosen = shape_of.ravel() == number
        effects = [
            _effects(labels, chosen, int(levels), block.k) + start
            for labels, levels, block, start in zip(of_level, shape, design.blocks, first, strict=False)
        ]
        ks = [block.k for block in design.blocks]
        yield _parts(shape, ks), _checked(np.hstack(effects))


def _effects(of_level: Codes, chosen: NDArray[np.bool_], n_levels: int, k: int) -> Codes:
    """(s, n_levels k) effects of one block in the chosen components."""
    order = np.argsort(of_level, kind="stable")
    levels = order[chosen[of_level[order]]].reshape(-1, n_levels) if n_levels else np.zeros((chosen.sum(), 0))
    return (levels[:, :, None] * k + np.arange(k)).reshape(len(levels), n_levels * k).astype(np.int64)


def _parts(shape: Codes, ks: list[int]) -> tuple[Part, ...]:
    ends = np.cumsum([0, *(int(levels) * k for levels, k in zip(shape, ks, strict=True))])
    return tuple(
        Part(slice(int(a), int(b)), int(levels), k)
        for a, b, levels, k in zip(ends, ends[1:], shape, ks, strict=False)
    )


def _checked(effects: Codes) -> Codes:
    if effects.shape[1] > LARGEST:
        raise OptionError(
            f"{effects.shape[1]} random effects are joined by crossed factors; this method holds their "
            f"covariance dense and stops at {LARGEST}: use ddf='satterthwaite', which doesn't"
        )
    return effects


def _dense_blocks(G: "csr_array", effects: Codes) -> Array:
    """(s, m, m) diagonal blocks of a sparse matrix."""
    s, m = effects.shape
    place = np.zeros(G.shape[0], dtype=np.int64)
    place[effects] = np.arange(m)
    entries = G[effects.ravel()].tocoo()
    row, column = entries.coords
    out = np.zeros((s, m, m))
    out[row // m, row % m, place[column]] = entries.data
    return out


def _whitened(
    gram: Array, cross: Array, parts: tuple[Part, ...], covariances: Sequence[Array]
) -> tuple[Array, Array]:
    """ZᵀV₀⁻¹[Z columns] = (I + GT)⁻¹[G C]: nothing cancels however large T is."""
    m = gram.shape[1]
    joined = np.eye(m) + _times(gram, parts, covariances)
    solved = np.linalg.solve(joined, np.concatenate([gram, cross], axis=2))
    N = solved[:, :, :m]
    return 0.5 * (N + N.transpose(0, 2, 1)), solved[:, :, m:]


def _times(rows: Array, parts: tuple[Part, ...], covariances: Sequence[Array]) -> Array:
    """Rows (s, r, m) times T, level by level."""
    out = np.empty_like(rows)
    for part, T in zip(parts, covariances, strict=True):
        own = rows[:, :, part.effects]
        levels = own.reshape(*own.shape[:2], part.n_levels, part.k)
        out[:, :, part.effects] = (levels @ T).reshape(own.shape)
    return out
