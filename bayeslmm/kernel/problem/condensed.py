"""Levels with equal ZᵀZ condensed: the same (log|V₀|, A) from fewer nodes.

Effects of a block's levels are independent with one law, so levels may be rotated among each other. J leaves
of the chain with the same G = ZⱼᵀZⱼ, the same ancestors and the same tail rows keep G under any rotation
[U₁ U₂], and so their M; what they share with ancestors, tail, Q and r is rotated. U₁ (J, ρ) spans the
products with ancestors, tail and Q: ρ is 1 where levels are replicates of each other, else 1 + the number of
covariates that vary between them. The other J − ρ know nothing but r, hence

    log|M| = (J − ρ) log|M_j| + ...,      A_yy = ... − tr(ΛM_j⁻¹Λᵀ S),   S = Σ rⱼrⱼᵀ = FᵀF,

and k nodes with the rows of F as their r stand for all of them that have this G; one of these is counted
J − ρ times in log|M|, the others share its factor. In balanced data this is the analysis of variance,
between and within.
"""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bayeslmm.kernel.arrays import Floats, Ints
from bayeslmm.kernel.problem import layout as at
from bayeslmm.kernel.problem.blocks import BlockSize
from bayeslmm.kernel.problem.elimination import Elimination
from bayeslmm.kernel.problem.layout import Node, Problem
from bayeslmm.kernel.problem.sufficient import read_response, write_response
from bayeslmm.kernel.problem.tables import lay_out

if TYPE_CHECKING:
    from scipy.sparse import csr_array

TOLERANCE = 1e-12  # of the size of a product, below which a difference is rounding


@dataclass(frozen=True, slots=True, eq=False)
class Condensed:
    """A packed problem with the (log|V₀|, A) of another, and how responses are carried over.

    Attributes
    ----------
    problem : packed, as `layout` says; its levels aren't those of the data.
    rotation : (q_kept, q) orthonormal rows, from Z̃ᵀr to that of the nodes that know more than r; None where
        nothing is condensed and the problem is the original.
    within : positions (N, k) of the levels that share one G, for each G.
    first : position of the nodes that know nothing but r.
    alike : (n,) for each leaf of the original the first one with its G; empty where nothing is condensed.
    """

    problem: Problem
    rotation: "csr_array | None" = None
    within: tuple[Ints, ...] = ()
    first: int = 0
    alike: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def products(self, zr: Floats) -> Floats:
        """Z̃ᵀr of m responses, (m, q) to that of this problem, (m, q')."""
        if self.rotation is None:
            return zr
        kept = (self.rotation @ zr.T).T
        rest = zr - (self.rotation.T @ kept.T).T
        roots = [_root(rest[:, positions]) for positions in self.within]
        return np.ascontiguousarray(np.hstack([kept[:, : self.first], *roots, kept[:, self.first :]]))

    def responding(self, zr: Floats, gamma: Floats, rr: float) -> "Condensed":
        """The same of another response to the original problem, whose cross-products these are."""
        problem = self.problem._replace(floats=self.problem.floats.copy())
        write_response(problem, self.products(zr[None])[0], gamma, rr)
        return replace(self, problem=problem)


def _root(r: Floats) -> Floats:
    """F with FᵀF = Σ rⱼrⱼᵀ of (m, N, k), flat: (m, k²)."""
    values, vectors = np.linalg.eigh(np.swapaxes(r, 1, 2) @ r)
    F = np.sqrt(np.maximum(values, 0.0))[:, :, None] * np.swapaxes(vectors, 1, 2)
    return np.asarray(F.reshape(len(r), -1))


def condense(problem: Problem) -> Condensed:
    """Condense the leaves of a packed problem, where there are fewer nodes to be had."""
    if problem.ints[at.N_NODES] == 0:
        return Condensed(problem)
    leaves = _Leaves(problem)
    teams = [] if leaves.meet else leaves.teams()
    if not teams:
        return Condensed(problem)
    return _Condenser(leaves, teams).condensed()


class _Team(NamedTuple):
    """Leaves that are condensed together.

    Attributes
    ----------
    members : (J,) leaves. number : of their G. basis : (J, rho) U₁. shared : (rho, height) what the first
    rho rotated ones share with ancestors, tail and Q, rows of k.
    """

    members: Ints
    number: int
    basis: Floats
    shared: Floats


@dataclass(frozen=True, eq=False)
class _Leaves:
    """The finest block of a packed problem."""

    problem: Problem

    @cached_property
    def nodes(self) -> Node[Ints]:
        """The table of nodes."""
        return self.problem.nodes

    @property
    def n_nodes(self) -> int:
        """Nodes of the chain."""
        return len(self.nodes.k)

    @property
    def p1(self) -> int:
        """Columns of [Q r]."""
        return self.problem.p + 1

    @cached_property
    def ks(self) -> Ints:
        """(n_blocks,) coefs of each block, in elimination order."""
        return self.problem.blocks.k

    @cached_property
    def levels(self) -> Ints:
        """(n_blocks,) levels of each block, in elimination order."""
        return np.bincount(self.problem.position_block, minlength=len(self.ks)) // self.ks

    @cached_property
    def n_chain(self) -> int:
        """Blocks of the chain."""
        return int(self.nodes.block[-1]) + 1

    @property
    def n(self) -> int:
        """Levels of the finest block."""
        return int(self.levels[0])

    @property
    def meet(self) -> bool:
        """Does R join some of them? Then they aren't independent given the ancestors."""
        return bool(np.any(self.problem.ancestors.node < self.n))

    @property
    def k(self) -> int:
        """Its coefs."""
        return int(self.ks[0])

    @cached_property
    def panel_start(self) -> Ints:
        """(n + 1,) where the leaves' panels start and the others' do."""
        panel, height, k = self.nodes.panel, self.nodes.height, self.nodes.k
        last = self.n - 1
        return np.append(panel[: self.n], panel[last] + height[last] * k[last])

    @cached_property
    def own(self) -> Floats:
        """(n, k²) G of each leaf."""
        return np.asarray(self.problem.panels[self.panel_start[:-1, None] + np.arange(self.k**2)])

    @cached_property
    def numbers(self) -> Ints:
        """(n,) equal numbers for equal G."""
        size = TOLERANCE * np.abs(self.own).max(axis=1)
        along = self.own @ np.sqrt(np.arange(2.0, self.k**2 + 2))
        order = np.argsort(along, kind="stable")
        apart = np.diff(along[order]) > self.k**2 * size[order[1:]]
        numbers = np.empty(self.n, dtype=np.int64)
        numbers[order] = np.cumsum(np.append(0, apart))
        _, first = np.unique(numbers, return_index=True)
        unlike = np.any(np.abs(self.own - self.own[first[numbers]]) > size[:, None], axis=1)
        numbers[unlike] = len(first) + np.arange(np.sum(unlike))
        return numbers

    @property
    def alike(self) -> Ints:
        """(n,) the first leaf with the same G."""
        _, first, number = np.unique(self.numbers, return_index=True, return_inverse=True)
        return np.asarray(first[number])

    def met(self, node: int) -> Ints:
        """Positions of ancestors and tail rows that a node meets."""
        start = self.nodes.rows[node]
        stop = start + self.nodes.height[node] - self.p1
        return self.problem.ints[start + self.nodes.k[node] : stop]

    def tail_levels(self, node: int) -> Ints:
        """Numbers of the tail's levels that a node meets."""
        met = self.met(node) - self.problem.ints[at.Q_LEAD]
        return np.unique(self._tail_level[met[met >= 0]])

    @cached_property
    def _tail_level(self) -> Ints:
        """(q_tail,) level that each row of the tail belongs to."""
        of_level = np.repeat(self.ks[self.n_chain :], self.levels[self.n_chain :])
        return np.repeat(np.arange(len(of_level)), of_level)

    def ancestors(self, node: int) -> Ints:
        """A node's ancestors, nearest first."""
        return self.problem.ancestors.node[self.nodes.ancestors[node] : self.nodes.ancestors_stop[node]]

    def shared(self, leaves: Ints) -> Floats:
        """(J, height k) what leaves of equal height share with ancestors, tail and Q."""
        start, stop = self.panel_start[leaves] + self.k**2, self.panel_start[leaves[0] + 1] - self.k
        return self.problem.panels[start[:, None] + np.arange(stop - start[0])]

    def teams(self) -> list[_Team]:
        """Leaves that are worth condensing: fewer nodes come out than go in."""
        alike: dict[tuple[int, bytes], list[int]] = {}
        for leaf, number in enumerate(self.numbers.tolist()):
            alike.setdefault((number, self.met(leaf).tobytes()), []).append(leaf)
        teams = [self._team(np.array(members), key[0]) for key, members in alike.items() if len(members) > 1]
        spared = np.zeros(self.n, dtype=np.int64)
        for team in teams:
            spared[team.number] += len(team.members) - team.basis.shape[1]
        return [t for t in teams if spared[t.number] > self.k and t.basis.shape[1] < len(t.members)]

    def _team(self, members: Ints, number: int) -> _Team:
        shared = self.shared(members)
        # |zᵀq| ≤ |z| and |zᵀz'| ≤ |z||z'|: what rounding leaves of a product is small beside that
        size = np.sqrt(np.abs(self.own[members[0]]).max()) or 1.0
        scale = np.full(shared.shape[1], size)
        scale[: self.k * len(self.met(int(members[0])))] *= size
        basis, values, _ = np.linalg.svd(shared / scale, full_matrices=False)
        basis = basis[:, values > TOLERANCE * np.sqrt(len(members))]
        return _Team(members, number, basis, basis.T @ shared)


@dataclass(frozen=True, eq=False)
class _Condenser:
    """Puts the condensed problem together. Its leaves: those that stay, rotated ones, those within."""

    leaves: _Leaves
    teams: list[_Team]

    def condensed(self) -> Condensed:
        old, first = self.leaves, self.leaves.k * len(self.like)
        problem = self.filled(self.plan.pack_ints(int(old.problem.ints[at.N_ROWS])))
        within = tuple(map(self.within, self.numbers))
        out = Condensed(problem, self.rotation(), within, first, old.alike)
        products, gamma, rr = read_response(old.problem)
        write_response(problem, out.products(products[None])[0], gamma, rr)
        return out

    @cached_property
    def numbers(self) -> list[int]:
        """The numbers of G that are condensed."""
        return sorted({team.number for team in self.teams})

    @cached_property
    def staying(self) -> Ints:
        """Leaves that stay as they are."""
        return np.setdiff1d(np.arange(self.leaves.n), np.concatenate([team.members for team in self.teams]))

    @cached_property
    def like(self) -> Ints:
        """The leaves whose places those that stay and the rotated ones take."""
        rotated = [np.repeat(team.members[0], team.basis.shape[1]) for team in self.teams]
        return np.concatenate([self.staying, *rotated])

    def within(self, number: int) -> Ints:
        """(N, k) positions of all leaves with this G that are condensed."""
        members = np.concatenate([team.members for team in self.teams if team.number == number])
        return members[:, None] * self.leaves.k + np.arange(self.leaves.k)

    @cached_property
    def shares(self) -> tuple[Ints, Floats]:
        """Of every node the one whose own rows of the factor are its own too, and its weight."""
        k, n_like = self.leaves.k, len(self.like)
        share = np.arange(n_like + k * len(self.numbers) + self.leaves.n_nodes - self.leaves.n)
        weight = np.ones(len(share))
        for first, number in enumerate(self.numbers):
            isolated = self._isolated(number)
            alike = np.append(isolated, np.arange(n_like + k * first, n_like + k * (first + 1)))
            spared = sum(len(t.members) - t.basis.shape[1] for t in self.teams if t.number == number)
            share[alike], weight[alike] = alike[0], 0.0
            weight[alike[0]] = len(isolated) + spared
        return share, weight

    def _isolated(self, number: int) -> Ints:
        """Rotated leaves with this G that have neither ancestors nor tail rows."""
        stops = len(self.staying) + np.cumsum([team.basis.shape[1] for team in self.teams])
        for team, stop in zip(self.teams, stops, strict=True):
            if team.number == number and not len(self.leaves.met(int(team.members[0]))):
                return np.arange(stop - team.basis.shape[1], stop)
        return np.zeros(0, dtype=np.int64)

    @cached_property
    def plan(self) -> Elimination:
        """Where everything lies in the condensed problem."""
        old, n_within = self.leaves, self.leaves.k * len(self.numbers)
        n_leaves = len(self.like) + n_within
        levels = np.append(n_leaves, old.levels[1:])
        nodes = [*self.like.tolist(), *[None] * n_within, *range(old.n, old.n_nodes)]
        none = np.zeros(0, dtype=np.int64)
        met = [none if node is None else old.tail_levels(node) for node in nodes]
        above = [none if node is None else old.ancestors(node) + n_leaves - old.n for node in nodes]
        tail_k = np.repeat(old.ks[old.n_chain :], levels[old.n_chain :])
        position = np.sum((levels * old.ks)[: old.n_chain]) + np.append(0, np.cumsum(tail_k))
        panels = lay_out(
            np.repeat(np.arange(old.n_chain), levels[: old.n_chain]),
            np.repeat([old.p1, 1, old.p1], [len(self.like), n_within, len(nodes) - n_leaves]),
            self.shares[0],
            old.ks,
            np.array([len(each) for each in above]),
            np.concatenate(above),
            np.array([len(each) for each in met]),
            np.concatenate(met),
            tail_k,
            position,
            old.p1,
        )
        public = np.argsort(old.problem.blocks.lam)
        order = np.argsort(public).tolist()
        blocks = tuple(BlockSize(int(levels[e]), int(old.ks[e])) for e in public)
        chain, tail = tuple(order[: old.n_chain]), tuple(order[old.n_chain :])
        return Elimination(blocks, chain, tail, panels, old.p1, (False,) * len(blocks))

    def filled(self, ints: Ints) -> Problem:
        """The problem with its numbers, without the response."""
        old, k, source = self.leaves, self.leaves.k, self.leaves.problem
        own = {team.number: old.own[team.members[0]] for team in self.teams}
        start, stop = old.panel_start[:-1], old.panel_start[1:]
        panels = [source.panels[start[leaf] : stop[leaf]] for leaf in self.staying]
        panels += [
            part
            for team in self.teams
            for row in team.shared
            for part in (own[team.number], row, np.zeros(k))
        ]
        panels += [part for each in self.numbers for part in k * [own[each], np.zeros(k)]]
        panels.append(source.panels[stop[-1] :])
        problem = Problem(ints, np.zeros(ints[at.CONSTANTS] + len(source.constants)))
        problem.panels[:], problem.node_weight[:] = np.concatenate(panels), self.shares[1]
        problem.white[:], problem.tail[:], problem.R_X[:] = source.white, source.tail, source.R_X
        problem.gamma[:], problem.constants[:] = source.gamma, source.constants
        return problem

    def rotation(self) -> "csr_array":
        """The rotation of Z̃ᵀr, nodes within left out."""
        from scipy.sparse import block_diag, coo_array, csr_array, eye_array, kron

        old, n = self.leaves, len(self.staying)
        values, rows, columns = [np.ones(n)], [np.arange(n)], [self.staying]
        for members, _, basis, _ in self.teams:
            rho = basis.shape[1]
            values.append(basis.T.ravel())
            rows.append(np.repeat(n + np.arange(rho), len(members)))
            columns.append(np.tile(members, rho))
            n += rho
        places = (np.concatenate(rows), np.concatenate(columns))
        leaves = coo_array((np.concatenate(values), places), shape=(n, old.n))
        others = eye_array(int(np.sum((old.levels * old.ks)[1:])))
        return csr_array(block_diag([kron(leaves, eye_array(old.k)), others]))
