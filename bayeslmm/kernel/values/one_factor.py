"""One grouping factor: value and gradient in one pass over its levels, compiled for the sizes of the problem.

Its levels don't touch each other, so nothing is looked up, and of a level only its factor and p + 1 rows are
kept: for sampling, which asks for a density hundreds of thousands of times. With F = C⁻¹Λ, M = FᵀGF + I = LLᵀ
and W = L⁻¹FᵀB of a level, B its rows of Z̃ᵀ[Q r] and w its weight,

    log|V₀| = Σ w log|M| + log|R|,          A = [Q r]ᵀ[Q r] − Σ WᵀW,
    d log|V₀| = 2 tr(Σ w (GFM⁻¹)ᵀ dF),      d tr(ĀA) = −2 tr(Σ (UĀuᵀ)ᵀ dF),   u = L⁻ᵀW,   U = B − GFu:

the sums of `factor` and `pullback`, which serve every other problem.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from bayeslmm.kernel.arrays import Floats
from bayeslmm.kernel.compiled import copied, inlined
from bayeslmm.kernel.problem import layout as at
from bayeslmm.kernel.problem.layout import Problem, node_of
from bayeslmm.kernel.values.density import integrated_at, marginal_at


def one_factor_sizes(problem: Problem) -> tuple[int, int] | None:
    """(k, p) of a problem with one grouping factor, held by nodes that don't meet; None of any other."""
    if len(problem.blocks.k) != 1 or problem.ints[at.Q_TAIL] > 0 or len(problem.ancestors.node) > 0:
        return None
    return int(problem.blocks.k[0]), problem.p


@cache
def integrated_for_one_factor(k: int, p: int) -> Callable[..., Any]:
    """`density.integrated` of problems with these `one_factor_sizes`."""

    @copied
    def integrated(
        lam: Floats, sigma: float, precision: Floats, shift: Floats, problem: Problem
    ) -> tuple[float, Floats, float]:
        logdet, A, work = _factor(k, p + 1, lam, problem)
        logp, A_bar, dsigma = integrated_at(logdet, A, sigma, precision, shift, problem)
        return logp, _pull_back(logp, k, p + 1, work, A_bar, problem), dsigma

    return integrated


@cache
def marginal_for_one_factor(k: int, p: int) -> Callable[..., Any]:
    """`density.marginal` of problems with these `one_factor_sizes`."""

    @copied
    def marginal(
        lam: Floats, sigma: float, beta: Floats, problem: Problem
    ) -> tuple[float, Floats, float, Floats]:
        logdet, A, work = _factor(k, p + 1, lam, problem)
        logp, A_bar, dsigma, dbeta = marginal_at(logdet, A, sigma, beta, problem)
        return logp, _pull_back(logp, k, p + 1, work, A_bar, problem), dsigma, dbeta

    return marginal


@inlined
def _factor(k: int, p1: int, lam: Floats, problem: Problem) -> tuple[float, Floats, Floats]:
    """log|V₀|, −inf where M can't be factored, A, and GF, L and W of every level one after the other."""
    ints, floats = problem.ints, problem.floats
    logdet, size = floats[ints[at.CONSTANTS]], (2 * k + p1) * k
    F, work, A = np.zeros(k * k), np.empty(ints[at.N_NODES] * size), np.empty((p1, p1))
    for i in range(k):
        for j in range(k):
            for m in range(k):
                F[i * k + j] += floats[i * k + m] * lam[m * k + j]
    for i in range(p1):
        for j in range(p1):
            A[i, j] = floats[ints[at.TAIL] + i * p1 + j]
    for i in range(ints[at.N_NODES]):
        node = node_of(problem, i)
        G, L, first = ints[at.PANELS] + node.panel, node.like * size + k * k, p1 - node.border
        if node.like == i:
            logdet += floats[ints[at.NODE_WEIGHT] + i] * _factor_own(k, G, L, F, work, floats)
        B, W = G + (k - first) * k, i * size + 2 * k * k
        for j in range(first, p1):
            for c in range(k):
                x = 0.0
                for m in range(k):
                    x += floats[B + j * k + m] * F[m * k + c]
                for m in range(c):
                    x -= work[W + j * k + m] * work[L + c * k + m]
                work[W + j * k + c] = x / work[L + c * k + c]
            for m in range(first, j + 1):
                for c in range(k):
                    A[j, m] -= work[W + j * k + c] * work[W + m * k + c]
    for i in range(p1):
        for j in range(i):
            A[j, i] = A[i, j]
    return logdet, A, work


@inlined
def _factor_own(k: int, G: int, L: int, F: Floats, work: Floats, floats: Floats) -> float:
    """GF at L − k², the factor of FᵀGF + I at L, and its log determinant."""
    logdet, GF = 0.0, L - k * k
    for r in range(k):
        for c in range(k):
            work[GF + r * k + c] = 0.0
            for m in range(k):
                work[GF + r * k + c] += floats[G + r * k + m] * F[m * k + c]
    for c in range(k):
        for r in range(c, k):
            x = 1.0 if r == c else 0.0
            for m in range(k):
                x += F[m * k + r] * work[GF + m * k + c]
            for m in range(c):
                x -= work[L + r * k + m] * work[L + c * k + m]
            if r > c:
                work[L + r * k + c] = x / work[L + c * k + c]
                continue
            if not x > 0.0:
                return -np.inf
            logdet += np.log(x)
            work[L + c * k + c] = np.sqrt(x)
    return logdet


@inlined
def _pull_back(logp: float, k: int, p1: int, work: Floats, A_bar: Floats, problem: Problem) -> Floats:
    """The derivative by Λ of tr(ĀA) − ½log|V₀|, 0 where `logp` isn't finite; overwrites `work`."""
    ints, floats = problem.ints, problem.floats
    grad, out, size = np.zeros(k * k), np.zeros(k * k), (2 * k + p1) * k
    if not np.isfinite(logp):
        return out
    for n in range(ints[at.N_NODES] - 1, -1, -1):  # a level that shares another's factor comes after it
        node = node_of(problem, n)
        G, GF, first = ints[at.PANELS] + node.panel, node.like * size, p1 - node.border
        L, B, u = GF + k * k, G + (k - first) * k, n * size + 2 * k * k
        for j in range(first, p1):
            for c in range(k - 1, -1, -1):
                for m in range(c + 1, k):
                    work[u + j * k + c] -= work[L + m * k + c] * work[u + j * k + m]
                work[u + j * k + c] /= work[L + c * k + c]
        for j in range(first, p1):
            for r in range(k):
                U = floats[B + j * k + r]
                for m in range(k):
                    U -= work[GF + r * k + m] * work[u + j * k + m]
                for i in range(first, p1):
                    x = -2.0 * U * A_bar[j, i]
                    for c in range(k):
                        grad[r * k + c] += x * work[u + i * k + c]
        if node.like == n:
            _subtract_trace(k, floats[ints[at.NODE_WEIGHT] + n], GF, L, work, grad)
    for i in range(k):
        for j in range(k):
            for m in range(k):
                out[i * k + j] += floats[m * k + i] * grad[m * k + j]
    return out


@inlined
def _subtract_trace(k: int, weight: float, GF: int, L: int, work: Floats, grad: Floats) -> None:
    """Subtract weight GF(LLᵀ)⁻¹ from `grad`; overwrites GF."""
    for r in range(k):
        row = GF + r * k
        for c in range(k):
            for m in range(c):
                work[row + c] -= work[row + m] * work[L + c * k + m]
            work[row + c] /= work[L + c * k + c]
        for c in range(k - 1, -1, -1):
            for m in range(c + 1, k):
                work[row + c] -= work[row + m] * work[L + m * k + c]
            work[row + c] /= work[L + c * k + c]
            grad[r * k + c] -= weight * work[row + c]
