"""Exact draws of β and b at many (σ, Λ) near each other, where a factor is dear: one serves them all.

In coordinates v of the random effects, b = Λ₀v with Λ₀ a reference, (v, δ) given (σ, Λ) is normal with

    precision J/σ²,  J = [[Λ₀ᵀGΛ₀ + HᵀH, C], [Cᵀ, I + σ²P]],  H = Λ⁻¹Λ₀,  C = Λ₀ᵀZᵀR⁻¹Q,  G = ZᵀR⁻¹Z,

and mean J⁻¹h, h = (Λ₀ᵀZᵀR⁻¹r, σ²s). With n ~ N(0, J), J⁻¹(h + σn) is a draw: perturb, then solve
(Papandreou and Yuille 2010). n comes from a factor at Λ so large that it is one of G itself, and the
equations are solved by conjugate gradients preconditioned by J₀, which is J at the reference. J − J₀ is
block-diagonal, and the eigenvalues of J₀⁻¹J lie between those of HᵀH and 1: posterior draws of Λ are alike,
and some ten steps give ten digits. A step solves with one factor for all draws together. Draws that haven't
converged after `STEPS` get a factor each.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from bayeslmm.kernel.arrays import Floats
from bayeslmm.kernel.effects.by_block import by_block, times_own
from bayeslmm.kernel.effects.conditional import times_factor
from bayeslmm.kernel.effects.draws import draw_effects
from bayeslmm.kernel.factor.blocked import factor, right_sides, tail_inverse
from bayeslmm.kernel.factor.chain import chain_backward, chain_forward, chain_times
from bayeslmm.kernel.factor.pullback import spherical_solution
from bayeslmm.kernel.kernel import Kernel
from bayeslmm.kernel.problem import layout as at
from bayeslmm.kernel.problem.layout import Problem
from bayeslmm.kernel.problem.relation import related
from bayeslmm.kernel.values.fixed_effects import PriorOfDelta

TOLERANCE = 1e-10  # of a solution, relative, in the norm of J₀
STEPS = 60  # as long as a few factors
LARGE = 1e3  # relative sd of whitened columns beside which the identity in M vanishes


@dataclass(frozen=True, slots=True, eq=False)
class _Root:
    """A root of [[G, C'], [C'ᵀ, I]] + ρI on the random effects' part, whitened; C' = ZᵀR⁻¹Q there."""

    panels: Floats
    tail: Floats
    W_Q: Floats
    root_A: Floats

    @classmethod
    def of(cls, kernel: Kernel) -> Self:
        problem, p = kernel.problem, kernel.p
        _, A, panels, tail = factor(LARGE * _coloring(problem), problem)
        values, vectors = np.linalg.eigh(A[:p, :p])
        W_Q = right_sides(panels, tail, problem)[:, :p]
        return cls(panels, tail, W_Q, vectors * np.sqrt(np.maximum(values, 0)))

    def times(self, problem: Problem, z: Floats, z_delta: Floats) -> tuple[Floats, Floats]:
        """(q, m), (p, m) of standard normal (q, m), (p, m)."""
        lead, size = problem.ints[at.Q_LEAD], problem.ints[at.Q_TAIL]
        out = chain_times(self.panels, problem, z)
        out[lead:] += np.tril(self.tail[:size, :size]) @ z[lead:]
        return out / LARGE, self.W_Q.T @ z + self.root_A @ z_delta


@dataclass(frozen=True, slots=True, eq=False)
class _Reference:
    """The factor of J₀ = J at Λ₀ and σ₀.

    Attributes
    ----------
    lam : (n_lam,) Λ₀. inverse : (q_tail, q_tail) M⁻¹ of the tail. B_Q : (q, p), M⁻¹C.
    K_inverse : (p, p) of K = A_QQ + σ₀²P; p is 0 where β is given.
    """

    lam: Floats
    variance: float
    panels: Floats
    inverse: Floats
    B_Q: Floats
    K_inverse: Floats

    @classmethod
    def of(cls, kernel: Kernel, lam: Floats, variance: float, prior: PriorOfDelta | None) -> Self:
        problem = kernel.problem
        _, A, panels, tail = factor(lam, problem)
        p = 0 if prior is None else kernel.p
        K = A[:p, :p] + (0.0 if prior is None else variance * prior.precision)
        B_Q = np.ascontiguousarray(spherical_solution(panels, tail, problem)[:, :p])
        lower = np.tril(tail_inverse(tail, problem))
        return cls(lam, variance, panels, lower + np.tril(lower, -1).T, B_Q, np.linalg.inv(K))

    def solve(self, problem: Problem, f: Floats, g: Floats) -> tuple[Floats, Floats]:
        """J₀⁻¹(f, g), f (q, m), g (p, m)."""
        lead, z = int(problem.ints[at.Q_LEAD]), f.copy()
        chain_forward(self.panels, problem, z)
        z[lead:] = self.inverse @ z[lead:]
        chain_backward(self.panels, problem, z)
        delta = self.K_inverse @ (g - self.B_Q.T @ f)
        z -= self.B_Q @ delta
        return z, delta


@dataclass(frozen=True, slots=True, eq=False)
class NearbyDraws:
    """What draws of β and b at nearby (σ, Λ) have in common.

    Attributes
    ----------
    prior : of δ, None where δ is given. products : (q, p + 1) ZᵀR⁻¹[Q r] of the whitened columns.
    """

    kernel: Kernel
    prior: PriorOfDelta | None
    reference: _Reference
    root: _Root
    products: Floats

    @classmethod
    def around(cls, kernel: Kernel, lam: Floats, sigma: float, prior: PriorOfDelta | None) -> Self:
        """For draws near Λ (n_lam,), which has an inverse, and σ."""
        problem = kernel.problem
        products = right_sides(problem.panels, problem.tail, problem)
        return cls(kernel, prior, _Reference.of(kernel, lam, sigma**2, prior), _Root.of(kernel), products)

    @property
    def n_normals(self) -> int:
        """Standard normal numbers a draw takes."""
        return 2 * (self.kernel.q + self.kernel.p)

    def draw(self, lam: Floats, sigma: Floats, fixed: Floats, z: Floats) -> tuple[Floats, Floats]:
        """Draw δ and b given y at each (σ, Λ); with z = 0 their means.

        Parameters
        ----------
        lam : (m, n_lam). sigma : (m,). z : (m, n_normals) standard normal.
        fixed : (m, p) δ itself where there is no prior because β was sampled.

        Returns
        -------
        delta (m, p), b (m, q) in public order.
        """
        kernel, problem = self.kernel, self.kernel.problem
        precisions = _precisions(problem, lam)
        f, g = self._perturbed(precisions, sigma, z)
        if self.prior is None:
            f -= self._to_v(self.products[:, :-1] @ fixed.T)
        v, delta, converged = self._conjugate_gradients(precisions, sigma, f, g)
        b = related(kernel.known, problem, times_factor(self.reference.lam, problem, v)).T
        delta = fixed.copy() if self.prior is None else np.ascontiguousarray(delta.T)
        for i in np.flatnonzero(~converged):
            own = slice(i, i + 1)
            normal = fixed[own] if self.prior is None else z[own, -kernel.p :]
            delta[own], b[own] = draw_effects(
                kernel, lam[own], sigma[own], normal, z[own, : kernel.q], self.prior
            )
        return delta, b

    def _to_v(self, x: Floats) -> Floats:
        """Λ₀ᵀ times right-hand sides of whitened columns (q, m)."""
        problem = self.kernel.problem
        white = by_block(problem, problem.white[None], self.reference.lam[None], np.matmul)
        return times_own(np.repeat(white.T, x.shape[1], axis=1), problem, x, True)

    def _perturbed(self, precisions: Floats, sigma: Floats, z: Floats) -> tuple[Floats, Floats]:
        """h + σn, (q, m) and (p, m); the latter (0, m) where δ is given."""
        kernel, (q, p) = self.kernel, (self.kernel.q, self.kernel.p)
        first, own, of_delta, of_prior = np.split(np.ascontiguousarray(z.T), [q, 2 * q, 2 * q + p])
        n, n_delta = self.root.times(kernel.problem, first, of_delta)
        roots = by_block(kernel.problem, precisions, precisions, _root_of_rest)
        n += times_own(np.ascontiguousarray(roots.T), kernel.problem, own, False)
        f = self._to_v(self.products[:, -1:] + sigma * n)
        if self.prior is None:
            return f, np.zeros((0, len(sigma)))
        values, vectors = np.linalg.eigh(self.prior.precision)
        n_delta += sigma * ((vectors * np.sqrt(np.maximum(values, 0))) @ of_prior)
        return f, sigma**2 * self.prior.shift[:, None] + sigma * n_delta

    def _conjugate_gradients(
        self, precisions: Floats, sigma: Floats, f: Floats, g: Floats
    ) -> tuple[Floats, Floats, "np.ndarray[tuple[int], np.dtype[np.bool_]]"]:
        """J⁻¹(f, g) column by column, and which columns have converged.

        The product of J₀ with a direction is a sum of residuals and needs no multiplication.
        """
        problem, reference, q = self.kernel.problem, self.reference, len(f)
        excess = np.ascontiguousarray((_excess(problem, reference.lam, precisions)).T)
        of_delta = np.zeros((len(g), len(g))) if self.prior is None else self.prior.precision
        residual = np.concatenate([f, g])
        step = np.concatenate(reference.solve(problem, f, g))
        solution, at_reference = np.zeros(residual.shape), residual.copy()
        size = np.sum(residual * step, axis=0)
        goal = TOLERANCE**2 * size
        direction = step
        for _ in range(STEPS):
            product = at_reference.copy()
            product[:q] += times_own(excess, problem, direction[:q], False)
            product[q:] += (sigma**2 - reference.variance) * (of_delta @ direction[q:])
            length = _ratio(size, np.sum(direction * product, axis=0))
            solution += length * direction
            residual -= length * product
            step = np.concatenate(reference.solve(problem, residual[:q], residual[q:]))
            before, size = size, np.sum(residual * step, axis=0)
            if np.all(size <= goal):
                break
            turn = _ratio(size, before)
            direction = step + turn * direction
            at_reference = residual + turn * at_reference
        return solution[:q], solution[q:], size <= goal


def _ratio(a: Floats, b: Floats) -> Floats:
    """a/b, 0 where b is 0: that column is solved."""
    return np.divide(a, b, out=np.zeros_like(a), where=b != 0)


def _coloring(problem: Problem) -> Floats:
    """C of every block, laid out as Λ is."""
    white = problem.white[None]
    colors = by_block(problem, white, white, lambda own, _: np.linalg.inv(own))
    return np.ascontiguousarray(colors[0])


def _precisions(problem: Problem, lam: Floats) -> Floats:
    """(FFᵀ)⁻¹ with F = C⁻¹Λ of every block, (m, n_lam)."""

    def precision(white: Floats, own: Floats) -> Floats:
        inverse = np.linalg.inv(white @ own)
        return np.swapaxes(inverse, 1, 2) @ inverse

    return by_block(problem, problem.white[None], lam, precision)


def _excess(problem: Problem, lam: Floats, precisions: Floats) -> Floats:
    """HᵀH − I = F₀ᵀ(FFᵀ)⁻¹F₀ − I of every block, (m, n_lam)."""
    scaled = by_block(problem, problem.white[None], lam[None], np.matmul)

    def excess(root: Floats, own: Floats) -> Floats:
        return np.swapaxes(root, 1, 2) @ own @ root - np.eye(root.shape[1])

    return by_block(problem, scaled, precisions, excess)


def _root_of_rest(precision: Floats, _: Floats) -> Floats:
    """A root of (FFᵀ)⁻¹ − ρI: what `_Root` holds already is taken off."""
    values, vectors = np.linalg.eigh(precision)
    return vectors * np.sqrt(np.maximum(values - LARGE**-2, 0))[:, None, :]
