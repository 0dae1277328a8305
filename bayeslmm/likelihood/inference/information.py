"""What the variance parameters do to Var(β̂), and what the data know of them: the pieces of Kenward and Roger.

In units of σ the covariance of the rows is V = Σ_i t_i Z E_i Zᵀ + R, t_i the free elements of T = ΛΛᵀ and
E_i the symmetric matrices they multiply. With U = ZᵀV⁻¹[Q e], e = y − Xβ̂, and N = ZᵀV⁻¹Z,

    P_i = −UᵀE_iU,   Q_ij = UᵀE_i N E_jU,   K_ij = tr(N E_i N E_j),

and the residual's come from R = V − Σ t_i Z E_i Zᵀ, by linearity. With Φ = (QᵀV⁻¹Q)⁻¹ and the parts of P
and Q that belong to Q and to e,

    tr(PV_iPV_j) = K_ij − 2 tr(ΦQ_ij) + tr(ΦP_iΦP_j),    yᵀPV_iPV_jPy = Q_ij^ee − P_i^eQ Φ P_j^Qe

are twice the expected information of the variances in units of σ², and what the observed one has beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from bayeslmm.errors import OptionError
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.likelihood.inference.components import Components, components
from bayeslmm.spec.covariance import CovarianceStructure
from bayeslmm.spec.covariance.algebra import of_unit_size
from bayeslmm.spec.relative import CovarianceMap
from bayeslmm.spec.units import Units

type Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Direction:
    """A parameter of a block's T: the symmetric matrix E (k, k) it multiplies, and its value."""

    block: int
    E: Array
    value: float


@dataclass(frozen=True, slots=True, eq=False)
class Information:
    """What is known of r variance parameters, in the kernel's coordinates of [Q e].

    The parameters are those of T in units that make them of size 1; what is inverted is free of others.

    Attributes
    ----------
    bordered_P : (r, p + 1, p + 1). bordered_Q : (r, r, p + 1, p + 1). K : (r, r).
    """

    bordered_P: Array
    bordered_Q: Array
    K: Array

    @property
    def P(self) -> Array:
        """(r, p, p)."""
        return self.bordered_P[:, :-1, :-1]

    @property
    def Q(self) -> Array:
        """(r, r, p, p)."""
        return self.bordered_Q[:, :, :-1, :-1]

    def expected(self, Phi: Array) -> Array:
        """tr(PV_iPV_j), (r, r)."""
        PhiP = Phi @ self.P
        return np.asarray(
            self.K - 2 * np.einsum("ab,ijba->ij", Phi, self.Q) + np.einsum("iab,jba->ij", PhiP, PhiP)
        )

    def observed(self, Phi: Array, sigma: float) -> Array:
        """2 yᵀPV_iPV_jPy/σ² − tr(PV_iPV_j), (r, r), to first order in V."""
        cross = self.bordered_P[:, :-1, -1]
        quadratic = self.bordered_Q[:, :, -1, -1] - cross @ Phi @ cross.T
        return np.asarray(2 * quadratic / sigma**2 - self.expected(Phi))


def directions(covariance: CovarianceMap, theta: Array, units: Units) -> tuple[Direction, ...]:
    """The parameters of every bar's T, in which it is linear, or to first order; in units of a point.

    Where T is linear in its free elements (all of them, the diagonal, one variance, one variance and one
    covariance) they are the parameters. Other structures have θ's: what Kenward & Roger's correction owes to
    their curvature is left out, as SAS does by `ddfm=kr(firstorder)`.
    """
    found: list[Direction] = []
    for slot in covariance.slots:
        root, factor = (each[slot.block][slot.coefs, slot.coefs] for each in (units.roots, units.factors))
        T = factor @ factor.T
        basis = _closed(slot.structure, root)
        values, rest = _combination(basis, T)
        if rest > 1e-9:
            half = np.linalg.solve(root, slot.structure.derivative(theta[slot.theta])) @ factor.T
            basis = of_unit_size(half + half.transpose(0, 2, 1))
            values, rest = _combination(basis, T)
        if rest > 1e-6:
            raise OptionError(
                f"Kenward-Roger doesn't know the derivatives of a {slot.structure.keyword!r} covariance "
                "on its boundary: use ddf='satterthwaite'"
            )
        k = covariance.sizes[slot.block]
        found += [
            Direction(slot.block, _placed(E, slot.coefs, k), float(value))
            for E, value in zip(basis, values, strict=True)
        ]
    return tuple(found)


def _closed(structure: CovarianceStructure, root: Array) -> Array:
    """The symmetric matrices of `elements` in the units of S; all of them span the same in any unit."""
    basis = elements(structure)
    if len(basis) == structure.k * (structure.k + 1) // 2:
        return basis
    inverse = np.linalg.inv(root)
    return of_unit_size(inverse @ basis @ inverse.T)


def elements(structure: CovarianceStructure) -> Array:
    """The symmetric matrices (r, k, k) that the free variances and covariances multiply."""
    k = structure.k
    if structure.shared_sd:
        return np.stack([np.eye(k), 1 - np.eye(k)][: 1 + len(structure.pairs)])
    places = [*((i, i) for i in structure.sd_index), *structure.pairs]
    basis = np.zeros((len(places), k, k))
    for E, (i, j) in zip(basis, places, strict=True):
        E[i, j] = E[j, i] = 1.0
    return basis


def _combination(basis: Array, T: Array) -> tuple[Array, float]:
    """T as Σ value E, and what is left of it, relative to its size."""
    flat = basis.reshape(len(basis), -1).T
    values = np.linalg.lstsq(flat, T.ravel(), rcond=None)[0]
    size = max(float(np.abs(T).max()), np.finfo(float).tiny)
    return values, float(np.abs(flat @ values - T.ravel()).max()) / size


def _placed(E: Array, coefs: slice, k: int) -> Array:
    """E at its bar's coefs of the block's k."""
    out = np.zeros((k, k))
    out[coefs, coefs] = E
    return out


def information(fit: Fitted) -> Information:
    """The information of all variance parameters at θ̂, the residual variance last where σ is estimated."""
    design, theta = fit.design, fit.theta_values
    units = Units.at(design.covariance, theta)
    along = directions(design.covariance, theta, units)
    r, width = len(along), design.p + 1
    P, Q, K = np.zeros((r, width, width)), np.zeros((r, r, width, width)), np.zeros((r, r))
    trace = np.zeros(r)
    e = design.residual.whiten(design.y - design.offset - design.X @ fit.beta_values)
    for group in components(design, units, np.column_stack([design.orthonormal_columns, e])):
        _add(group, along, P, Q, K, trace)
    effects = Information(P, Q, K)
    if not design.residual.sigma_free:
        return effects
    A = np.zeros((width, width))
    A[:-1, :-1], A[-1, -1] = fit.conditional.A[:-1, :-1], fit.pwrss
    return _with_residual(effects, np.array([each.value for each in along]), A, trace, design.n)


def _add(group: Components, along: Sequence[Direction], P: Array, Q: Array, K: Array, trace: Array) -> None:
    """Add the share of some components."""
    turned = [_turned(group, each) for each in along]
    solved = [
        group.N[:, :, group.parts[e.block].effects] @ part for e, part in zip(along, turned, strict=True)
    ]
    for i, one in enumerate(along):
        own = group.parts[one.block]
        P[i] -= _crossed(group.U[:, own.effects], turned[i])
        trace[i] += np.einsum("sjajb,ab->", _levels(group, one.block, one.block), one.E)
        for j in range(i, len(along)):
            Q[i, j] += _crossed(turned[i], solved[j][:, own.effects])
            Q[j, i] = Q[i, j].T
    grams = {(a, b): _gram(group, a, b) for a, b in product({each.block for each in along}, repeat=2)}
    for (i, one), (j, other) in product(enumerate(along), repeat=2):
        K[i, j] += np.einsum("ac,bd,adcb->", one.E, other.E, grams[one.block, other.block])


def _turned(group: Components, one: Direction) -> Array:
    """E U of the block's own effects, (s, J k, p)."""
    part = group.parts[one.block]
    own = group.U[:, part.effects]
    return (one.E @ own.reshape(len(own), part.n_levels, part.k, own.shape[2])).reshape(own.shape)


def _crossed(left: Array, right: Array) -> Array:
    """Σ_s leftᵀright, (p, p)."""
    rows, p = left.shape[0] * left.shape[1], left.shape[2]
    return left.reshape(rows, p).T @ right.reshape(rows, p)


def _levels(group: Components, a: int, b: int) -> Array:
    """N between two blocks by level and coef, (s, J_a, k_a, J_b, k_b)."""
    one, other = group.parts[a], group.parts[b]
    shape = (len(group.N), one.n_levels, one.k, other.n_levels, other.k)
    return group.N[:, one.effects, other.effects].reshape(shape)


def _gram(group: Components, a: int, b: int) -> Array:
    """Σ over pairs of levels of N[i, j] N[k, l], (k_a, k_b, k_a, k_b)."""
    N = _levels(group, a, b)
    k = (N.shape[2], N.shape[4])
    flat = N.transpose(0, 1, 3, 2, 4).reshape(-1, k[0] * k[1])
    return (flat.T @ flat).reshape(*k, *k)


def _with_residual(effects: Information, t: Array, A: Array, trace: Array, n: int) -> Information:
    """Append the residual variance: R = V − Σ t_i Z E_i Zᵀ."""
    P, Q, K = effects.bordered_P, effects.bordered_Q, effects.K
    tP, tQ = np.tensordot(t, P, 1), np.einsum("j,ijab->iab", t, Q)
    edge = -P - tQ
    corner = A + 2 * tP + np.tensordot(t, tQ, 1)
    rows = np.concatenate([Q, edge[:, None]], axis=1)
    last = np.concatenate([edge.transpose(0, 2, 1), corner[None]])
    tK = trace - K @ t
    return Information(
        np.concatenate([P, (-A - tP)[None]]),
        np.concatenate([rows, last[None]]),
        np.block([[K, tK[:, None]], [tK[None], np.array([[n - t @ trace - t @ tK]])]]),
    )
