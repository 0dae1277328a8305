"""log p(y_j | y_-j, σ, Λ) of groups of rows left out in turn, from one factor; no refits.

With rows whitened, V₀⁻¹ = I − UUᵀ, U = ZΛL⁻ᵀ. For the rows of group j let N = (V₀⁻¹)_jj and
F = (V₀⁻¹[Q r])_j. The other rows alone have A_-j = A − FᵀN⁻¹F and log|V₀,-j| = log|V₀| + log|N|
(block inverse), and log p(y_j | y_-j) is the difference of two integrated likelihoods.
"""

from dataclasses import dataclass

import numpy as np

from bayeslmm.kernel.arrays import Floats, Ints
from bayeslmm.kernel.compiled import compiled, compiled_always
from bayeslmm.kernel.copies import put_rows
from bayeslmm.kernel.effects.conditional import solve_transposed, times_factor
from bayeslmm.kernel.factor.blocked import factor
from bayeslmm.kernel.factor.dense import cholesky_leading
from bayeslmm.kernel.problem import layout as at
from bayeslmm.kernel.problem.layout import Problem
from bayeslmm.kernel.values.fixed_effects import PriorOfDelta, fixed_effects_factor

LOG_2PI = float(np.log(2 * np.pi))


@dataclass(frozen=True, slots=True, eq=False)
class GroupedRows:
    """Rows whitened and sorted by group, in the kernel's coordinates.

    Attributes
    ----------
    values, columns, pointer : compressed rows of R^{-½}Z (n, q), known covariances between levels put in.
    right : (n, p + 1), [Q r]. starts : (J + 1,) first row of each group. log_det : (J,) log|R| of each group.
    """

    values: Floats
    columns: Ints
    pointer: Ints
    right: Floats
    starts: Ints
    log_det: Floats


@compiled
def _scaled_rows(
    lam: Floats,
    panels: Floats,
    tail: Floats,
    values: Floats,
    columns: Ints,
    pointer: Ints,
    problem: Problem,
) -> Floats:
    """U = ZΛL⁻ᵀ, (n, q)."""
    q = problem.ints[at.Q_LEAD] + problem.ints[at.Q_TAIL]
    root = times_factor(lam, problem, solve_transposed(panels, tail, problem, np.eye(q)))
    U = np.zeros((len(pointer) - 1, q))
    for i in range(U.shape[0]):
        for e in range(pointer[i], pointer[i + 1]):
            for c in range(q):
                U[i, c] += values[e] * root[columns[e], c]
    return U


@compiled
def _met(U: Floats) -> Ints:
    """The columns in which some of these rows isn't 0: of the levels they meet, and their ancestors."""
    found, n_found = np.empty(U.shape[1], dtype=np.int64), 0
    for c in range(U.shape[1]):
        for i in range(U.shape[0]):
            if U[i, c] != 0.0:
                found[n_found] = c
                n_found += 1
                break
    return found[:n_found]


@compiled
def _projected(U: Floats, right: Floats) -> Floats:
    """V₀⁻¹[Q r] = [Q r] − UUᵀ[Q r], (n, p + 1)."""
    inner, F = np.zeros((U.shape[1], right.shape[1])), right.copy()
    for i in range(U.shape[0]):
        for c in range(U.shape[1]):
            if U[i, c] != 0.0:
                for j in range(right.shape[1]):
                    inner[c, j] += U[i, c] * right[i, j]
    for i in range(U.shape[0]):
        for c in range(U.shape[1]):
            if U[i, c] != 0.0:
                for j in range(right.shape[1]):
                    F[i, j] -= U[i, c] * inner[c, j]
    return F


@compiled
def _energy(
    A: Floats, sigma: float, delta: Floats, precision: Floats, shift: Floats, integrates: bool
) -> float:
    """What −2 log likelihood has of A: log|K| + A_rr/σ² − cᵀK⁻¹c, or (−δ, 1)A(−δ, 1)ᵀ/σ² at δ."""
    p = len(delta)
    if integrates:
        K = fixed_effects_factor(A, sigma, precision, shift)
        integrated: float = A[p, p] / sigma**2
        for i in range(p):
            integrated += 2.0 * np.log(K[i, i]) - K[p, i] ** 2
        return integrated
    given: float = A[p, p]
    for i in range(p):
        given -= 2.0 * delta[i] * A[i, p]
        for j in range(p):
            given += delta[i] * A[i, j] * delta[j]
    return given / sigma**2


@compiled
def _without(U: Floats, F: Floats, A: Floats) -> tuple[float, Floats]:
    """log|N| and A_-j from a group's rows of U and of V₀⁻¹[Q r]."""
    n, p1, met = U.shape[0], F.shape[1], _met(U)
    bordered = np.empty((n + p1, n + p1))
    for i in range(n):
        for j in range(i + 1):
            x = 1.0 if i == j else 0.0
            for c in met:
                x -= U[i, c] * U[j, c]
            bordered[i, j] = x
        for c in range(p1):
            bordered[n + c, i] = F[i, c]
    put_rows(A, bordered[n:, n:])
    logdet = cholesky_leading(bordered, n)
    rest = np.empty((p1, p1))
    for i in range(p1):
        for j in range(i + 1):
            rest[i, j] = bordered[n + i, n + j]
            rest[j, i] = bordered[n + i, n + j]
    return logdet, rest


@compiled_always
def _all_groups(
    lam: Floats,
    sigma: Floats,
    delta: Floats,
    precision: Floats,
    shift: Floats,
    integrates: bool,
    values: Floats,
    columns: Ints,
    pointer: Ints,
    right: Floats,
    starts: Ints,
    problem: Problem,
) -> Floats:
    """As `group_log_densities`, log|R| left out."""
    out = np.empty((len(sigma), len(starts) - 1))
    for d in range(len(sigma)):
        _, A, panels, tail = factor(lam[d], problem)
        U = _scaled_rows(lam[d], panels, tail, values, columns, pointer, problem)
        F = _projected(U, right)
        whole = _energy(A, sigma[d], delta[d], precision, shift, integrates)
        for g in range(out.shape[1]):
            first, last = starts[g], starts[g + 1]
            logdet, rest = _without(U[first:last], F[first:last], A)
            others = _energy(rest, sigma[d], delta[d], precision, shift, integrates)
            constant = (last - first) * (LOG_2PI + 2.0 * np.log(sigma[d]))
            out[d, g] = -0.5 * (constant - logdet + whole - others)
    return out


def group_log_densities(
    lam: Floats,
    sigma: Floats,
    delta: Floats,
    prior: PriorOfDelta | None,
    rows: GroupedRows,
    problem: Problem,
) -> Floats:
    """log p(y_j | y_-j, σ, Λ), (m, J), b integrated out, and β too unless δ is given.

    A group without whose rows a flat β has no posterior gets NaN or −inf: its density doesn't exist.

    Parameters
    ----------
    lam : (m, n_lam). sigma : (m,). delta : (m, p) δ where there is no prior. rows : of every group.
    """
    p = delta.shape[1]
    held = prior or PriorOfDelta.flat(p)
    found = _all_groups(
        np.ascontiguousarray(lam),
        np.ascontiguousarray(sigma),
        delta,
        held.precision,
        held.shift,
        prior is not None,
        rows.values,
        rows.columns,
        rows.pointer,
        rows.right,
        rows.starts,
        problem,
    )
    return found - 0.5 * rows.log_det
