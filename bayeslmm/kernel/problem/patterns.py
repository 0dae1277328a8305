"""Precision matrices of patterns of rows, at many φ: what R⁻¹'s sum of squares is made from."""

from math import log
from typing import NamedTuple

import numpy as np

from bayeslmm.kernel.arrays import Floats, Ints
from bayeslmm.kernel.compiled import compiled_always


class PatternRows(NamedTuple):
    """Patterns of rows, one after the other.

    Attributes
    ----------
    sizes : (P,) rows m of each. counts : (P,) groups that have it. kinds : m of each pattern.
    places : m² of each pattern, of pairs of rows, in their lower triangles.
    """

    sizes: Ints
    counts: Floats
    kinds: Ints
    places: Ints


@compiled_always
def squares_at(rho: Floats, roots: Floats, patterns: PatternRows) -> tuple[Floats, Floats, Floats]:
    """Coefficients of the squares of rows and of differences, log|C| and the largest element of C⁻¹.

    With P = S⁻¹C⁻¹S⁻¹ of a pattern these are Σ_j P_ij of rows i, then −P_ij of pairs i < j. NaN, NaN and
    infinity where a C isn't positive definite.

    Parameters
    ----------
    rho : (N, u) correlations at their places. roots : (N, S) 1/s of each kind of row.

    Returns
    -------
    (N, K), (N,), (N,).
    """
    sizes, counts, kinds, places = patterns
    width = np.sum(sizes * (sizes + 1)) // 2
    coefficients, log_dets, largest = np.zeros((len(rho), width)), np.zeros(len(rho)), np.zeros(len(rho))
    widest = np.max(sizes)
    L, inverse = np.zeros((widest, widest)), np.zeros((widest, widest))
    for n in range(len(rho)):
        row, place, first = 0, 0, 0
        for number in range(len(sizes)):
            m = sizes[number]
            log_det = _inverted(rho[n], places, place, m, L, inverse)
            if not np.isfinite(log_det):
                coefficients[n, :], log_dets[n], largest[n] = np.nan, np.nan, np.inf
                break
            log_dets[n] += counts[number] * log_det
            for i in range(m):
                largest[n] = max(largest[n], inverse[i, i])
            pair = first + m
            for i in range(m):
                scale = roots[n, kinds[row + i]]
                coefficients[n, first + i] += inverse[i, i] * scale * scale
                for j in range(i + 1, m):
                    element = inverse[i, j] * scale * roots[n, kinds[row + j]]
                    coefficients[n, first + i] += element
                    coefficients[n, first + j] += element
                    coefficients[n, pair] = -element
                    pair += 1
            row, place, first = row + m, place + m * m, pair
    return coefficients, log_dets, largest


@compiled_always
def _inverted(rho: Floats, places: Ints, place: int, m: int, L: Floats, inverse: Floats) -> float:
    """Fill the upper triangle of C⁻¹ (m, m), and return log|C|; −∞ where it isn't positive definite."""
    log_det = 0.0
    for i in range(m):
        for j in range(i):
            x = rho[places[place + i * m + j]]
            for k in range(j):
                x -= L[i, k] * L[j, k]
            L[i, j] = x / L[j, j]
        pivot = 1.0
        for k in range(i):
            pivot -= L[i, k] * L[i, k]
        if not pivot > 0.0:
            return -np.inf
        L[i, i] = np.sqrt(pivot)
        log_det += log(pivot)
    for j in range(m):  # columns of L⁻¹, kept above the diagonal of `inverse` as rows
        inverse[j, j] = 1.0 / L[j, j]
        for i in range(j + 1, m):
            x = 0.0
            for k in range(j, i):
                x -= L[i, k] * inverse[j, k]
            inverse[j, i] = x / L[i, i]
    for i in range(m):  # C⁻¹ = L⁻ᵀL⁻¹, where each element needs only what lies after it
        for j in range(i, m):
            x = 0.0
            for k in range(j, m):
                x += inverse[i, k] * inverse[j, k]
            inverse[i, j] = x
    return log_det
