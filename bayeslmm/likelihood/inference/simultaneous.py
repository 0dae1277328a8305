"""Tails of the studentized range and of the largest of correlated t statistics, without a seed."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

type Array = NDArray[np.float64]

TINY = 1e-16  # mass of a tail left out
S_NODES, Z_NODES, Z_LIMIT = 129, 161, 8.5
POINTS = 1 << 14
LARGEST_T = 1e6


def range_sf(q: float, k: int, df: float) -> float:
    """P(Q > q), Q the range of k standard normal numbers over an independent √(χ²/df).

    The range alone is P(W > w) = k∫φ(z)[Φ(z)ᵏ⁻¹ − (Φ(z) − Φ(z − w))ᵏ⁻¹]dz, the largest being z; both
    integrals by the trapezoid rule, which converges geometrically for such integrands.
    """
    from scipy.special import ndtr

    s, weights = _scale_nodes(df)
    z = np.linspace(-Z_LIMIT, Z_LIMIT, Z_NODES)
    largest = ndtr(z)
    beyond = -np.expm1((k - 1) * np.log1p(-np.minimum(ndtr(z - q * s[:, None]) / largest, 1 - TINY)))
    density = k * np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi) * largest ** (k - 1) * (z[1] - z[0])
    return float(np.clip(weights @ (beyond @ density), 0.0, 1.0))


def _scale_nodes(df: float) -> tuple[Array, Array]:
    """Nodes and weights of s = √(χ²/df), equally spaced in log s."""
    from scipy.special import gammainccinv, gammaincinv, gammaln

    if np.isinf(df):
        return np.ones(1), np.ones(1)
    half = df / 2
    low, high = max(gammaincinv(half, TINY), 1e-300), gammainccinv(half, TINY)
    log_x = np.linspace(np.log(low), np.log(high), S_NODES)
    log_density = half * log_x - np.exp(log_x) - gammaln(half)
    return np.exp(0.5 * (log_x - np.log(half))), np.exp(log_density) * (log_x[1] - log_x[0])


def largest_t_sf(t: float, root: Array, df: float) -> float:
    """P(max|T_i| > t), T = root·z/s with z standard normal and s² = χ²/df.

    Coordinates are integrated one after the other given those before (Genz 1992), over a Richtmyer lattice
    folded to be periodic: the same points always. The error is about 1e-6.

    Parameters
    ----------
    root : (k, k) lower, with rows of length 1.
    """
    from scipy.special import ndtr, ndtri

    points = _lattice(len(root))
    bound = t * _scales(df)
    z, inside = np.zeros((POINTS, len(root))), np.ones(POINTS)
    for i, row in enumerate(root):
        shift = z[:, :i] @ row[:i]
        low, high = ndtr((-bound - shift) / row[i]), ndtr((bound - shift) / row[i])
        inside *= high - low
        if i + 1 < len(root):
            z[:, i] = ndtri(np.clip(low + points[:, i + 1] * (high - low), TINY, 1 - TINY))
    return float(np.clip(1 - inside.mean(), 0.0, 1.0))


@lru_cache(maxsize=8)
def _scales(df: float) -> Array:
    """√(χ²/df) at the lattice's first coordinate."""
    from scipy.special import gammaincinv

    u = _lattice(1)[:, 0]
    return np.ones(len(u)) if np.isinf(df) else np.sqrt(2 * gammaincinv(df / 2, u) / df)


@lru_cache(maxsize=8)
def _lattice(dimension: int) -> Array:
    """(POINTS, dimension) in the unit cube: multiples of roots of primes, folded."""
    primes = [n for n in range(2, 12 * dimension + 12) if all(n % d for d in range(2, int(n**0.5) + 1))]
    steps = np.sqrt(np.array(primes[:dimension], dtype=np.float64))
    return np.abs(2 * ((np.arange(1, POINTS + 1)[:, None] * steps) % 1.0) - 1)


def critical_value(sf: Callable[[float], float], prob: float) -> float:
    """Where a tail probability is 1 − prob, to six digits."""
    from scipy.optimize import brentq

    def gap(t: float) -> float:
        return sf(t) - (1 - prob)

    high = 4.0
    while gap(high) > 0 and high < LARGEST_T:
        high *= 2
    return float(brentq(gap, 0.0, high, xtol=1e-7))


def each_df(value: Callable[[float], float], df: Array) -> Array:
    """A value (k,) for each number of degrees of freedom, made once for those equal to ten digits."""
    told_apart = [float(f"{one:.10g}") for one in df]
    made = {one: value(one) for one in set(told_apart)}
    return np.array([made[one] for one in told_apart])
