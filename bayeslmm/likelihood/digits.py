"""The criterion where σ is small against the effects: from rows, where their cross-products lack the digits.

r² from cross-products is known to the rounding of yᵀy, the information on β to that of XᵀX; both shrink by
(σ/sd)². With u the spherical effects of [Q r] and E = [Q r] − ZΛu what they leave of its rows,

    A = [Q r]ᵀV₀⁻¹[Q r] = EᵀE + uᵀu,

a least-squares problem: an error of u enters squared, and one triangle of [E; u] has A_QQ, δ̂ and r². What
the effects see of the rows, U = ZᵀV₀⁻¹[Q r] = ZᵀE, is a difference of large sums where T is large, but
ΛᵀU = u; in the units b = S b̃ with SSᵀ = G⁻¹ + T both add up to it, each where it has its digits:

    SᵀU = (S⁻¹Λ)u + S⁻¹G⁻¹ZᵀE.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bayeslmm.errors import OptionError
from bayeslmm.kernel.effects.conditional import Conditional
from bayeslmm.kernel.factor.pullback import pullback
from bayeslmm.kernel.search.optimizer import Status
from bayeslmm.kernel.values.criterion import LOG_2PI
from bayeslmm.kernel.values.solved import Solved
from bayeslmm.likelihood.criterion import Criterion, MovingCriterion, PointByPoint
from bayeslmm.spec.covariance.algebra import contribution
from bayeslmm.spec.design import Design
from bayeslmm.spec.relative import CovarianceMap, flatten
from bayeslmm.spec.units import spread_roots

type Array = NDArray[np.float64]

SHORT = 30.0  # times σ, an effect's root mean square from which on rows are asked
FEW = 1e4  # from which on cross-products have too few, and rows for two grouping factors at once
NONE = 1e9  # from which on nothing has digits left


def effect_sizes(covariance: CovarianceMap, theta: Array) -> list[float]:
    """The largest root mean square of a bar's zᵀb in each block, in units of σ; the largest first."""
    sizes = [0.0] * len(covariance.groups)
    for slot in covariance.slots:
        own = contribution(slot.structure.factor(theta[slot.theta]), slot.gram)
        sizes[slot.block] = max(sizes[slot.block], own)
    return sorted(sizes, reverse=True)


def given_start(design: Design, theta: Sequence[float]) -> Array:
    """x (n,) of a θ (n_theta,) that somebody gives to begin with.

    Raises
    ------
    OptionError
        When it is so large that nothing there has digits.
    """
    names, scale, values = design.covariance.names, design.covariance.scale, np.array(theta)
    for name, value, size in zip(names, values.tolist(), (np.abs(values) / scale).tolist(), strict=True):
        if size > NONE:
            raise OptionError(
                f"start of {name} is {value:g}, effects of some {size:.2g} times sigma, where the criterion "
                "has no digits; theta is relative to sigma: begin near 1 over the covariate's size"
            )
    return design.coordinates.start(values)


def with_digits(criterion: Criterion, design: Design, x: Array) -> Criterion:
    """The criterion itself, or the one of rows where x asks for its digits and the rows are there.

    Where R has parameters rows are whitened at every φ, and it is of their cross-products.
    """
    if isinstance(criterion, MovingCriterion):
        return criterion.sharp_at(x)
    largest = max(effect_sizes(criterion.covariance, criterion.coordinates.theta(x)), default=0.0)
    return CriterionOfRows.of_rows(criterion, design) if largest > SHORT and design.in_memory else criterion


def shortage(criterion: Criterion, x: Array) -> Status | None:
    """What double precision can't tell of a criterion at x."""
    sizes = effect_sizes(criterion.covariance, criterion.coordinates.theta(x))
    if max(sizes, default=0.0) > NONE:
        return Status.EXPLAINED
    together = sizes[1:] if isinstance(criterion, CriterionOfRows) else sizes
    return Status.DIGITS if max(together, default=0.0) > FEW else None


def left_over(design: Design, columns: Array, found: Conditional) -> Array:
    """E (n, p + 1): [Q r], or its first columns, without what the effects take."""
    b = np.column_stack([found.b_Q, found.b_r])[:, : columns.shape[1]]
    return columns - np.asarray(design.residual.whiten(design.Z) @ b)


def seen_by_effects(design: Design, found: Conditional, E: Array) -> list[Array]:
    """SᵀU of each block (J, k, c), effects independent between levels; E (n, c) is what they leave over."""
    covariance, factors = design.covariance, unflattened(design.covariance, found.lam)
    roots = spread_roots(covariance, factors)
    none = [np.zeros_like(root) for root in roots]
    for slot in covariance.slots:
        none[slot.block][slot.coefs, slot.coefs] = slot.root @ slot.root.T
    products = by_level(design, np.asarray(design.residual.whiten(design.independent_Z).T @ E))
    own = by_level(design, found.u[:, : E.shape[1]])
    return [
        np.linalg.solve(S, factor @ u + inverse @ product)
        for S, factor, inverse, u, product in zip(roots, factors, none, own, products, strict=True)
    ]


def by_level(design: Design, effects: Array) -> list[Array]:
    """(q, c) as (J, k, c) for each block."""
    ends = np.cumsum([block.q for block in design.blocks])[:-1]
    parts = np.split(effects, ends) if design.blocks else []
    return [
        part.reshape(block.n_levels, block.k, -1) for part, block in zip(parts, design.blocks, strict=True)
    ]


def unflattened(covariance: CovarianceMap, lam: Array) -> list[Array]:
    """Λ (k, k) of each block."""
    return [
        lam[first : first + k * k].reshape(k, k)
        for first, k in zip(covariance.offsets, covariance.sizes, strict=True)
    ]


@dataclass(frozen=True, eq=False)
class CriterionOfRows(PointByPoint):
    """The same criterion, its moments from rows.

    Attributes
    ----------
    design : the rows. columns : (n, p + 1) [Q r], whitened.
    """

    design: Design
    columns: Array

    @classmethod
    def of_rows(cls, criterion: Criterion, design: Design) -> "CriterionOfRows":
        """A criterion of rows in memory."""
        Q, y = design.orthonormal_columns, design.residual.whiten(design.y - design.offset)
        columns = np.column_stack([Q, y - Q @ design.kernel.gamma_ls])
        return cls(criterion.kernel, criterion.coordinates, criterion.reml, design, columns)

    def conditional(self, lam: Array) -> Conditional:
        found = self.kernel.conditional(lam)
        triangle = _triangle(self._left_over(found), found)
        return replace(found, A=triangle.T @ triangle)

    def solved(self, conditional: Conditional) -> Solved:
        return _solved(_triangle(self._left_over(conditional), conditional))

    def at(self, lam: Array, phi: Array) -> tuple[float, Array]:
        del phi
        found = self.kernel.conditional(lam)
        if not np.isfinite(found.logdet):
            return np.inf, np.zeros(len(lam))
        E = self._left_over(found)
        solved = _solved(_triangle(E, found))
        m = self.kernel.n - self.kernel.p * self.reml
        sigma2 = solved.r2 / m if self.coordinates.residual.sigma_free else self.sigma**2
        if not sigma2 > 0:
            return np.inf, np.zeros(len(lam))
        a = np.append(-solved.delta, 1.0)
        A_bar = np.outer(a, a) / sigma2
        value = found.logdet + m * (LOG_2PI + np.log(sigma2)) + solved.r2 / sigma2
        if self.reml:
            A_bar[:-1, :-1] += solved.inverse
            value += solved.logdet + 2 * float(np.sum(np.log(np.abs(np.diag(self.kernel.R_X)))))
        return float(value), self._of_logdet(found) + self._of_moments(found, E, A_bar)

    def of_moments(self, x: Array, A_bar: Array) -> Array:
        found = self.kernel.conditional(self.coordinates.flat(x))
        return self.coordinates.pull(x, self._of_moments(found, self._left_over(found), A_bar))

    def _left_over(self, found: Conditional) -> Array:
        return left_over(self.design, self.columns, found)

    def _of_logdet(self, found: Conditional) -> Array:
        """d log|V₀| / dΛ, (n_lam,)."""
        none = np.zeros_like(found.A)
        return pullback(1.0, none, found.lam, self.kernel.problem, found.panels, found.tail)

    def _of_moments(self, found: Conditional, E: Array, A_bar: Array) -> Array:
        """tr(A_bar dA) / dΛ = −2 Σ_j U_j A_bar u_jᵀ, (n_lam,)."""
        roots = spread_roots(self.covariance, unflattened(self.covariance, found.lam))
        seen, own = seen_by_effects(self.design, found, E), by_level(self.design, found.u)
        return flatten(
            [
                -2 * np.linalg.solve(S.T, np.einsum("jac,cd,jbd->ab", U, A_bar, u, optimize=True))
                for S, U, u in zip(roots, seen, own, strict=True)
            ]
        )


def _triangle(E: Array, found: Conditional) -> Array:
    """R (p + 1, p + 1) of the rows [E; u]."""
    return np.asarray(np.linalg.qr(np.vstack([E, found.u]), mode="r"))


def _solved(triangle: Array) -> Solved:
    inverse = np.linalg.inv(triangle[:-1, :-1])
    logdet = 2 * float(np.sum(np.log(np.abs(np.diag(triangle)[:-1]))))
    return Solved(inverse @ triangle[:-1, -1], float(triangle[-1, -1] ** 2), inverse @ inverse.T, logdet)
