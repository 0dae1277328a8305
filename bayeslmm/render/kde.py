"""Density of draws on a bounded range."""

import numpy as np
from numpy.typing import NDArray

type Array = NDArray[np.float64]

POINTS = 200


def density(draws: Array, lower: float = -np.inf, upper: float = np.inf) -> tuple[Array, Array]:
    """Estimate the density of draws by a Gaussian kernel, reflected at the bounds.

    Parameters
    ----------
    draws : (n,)
    lower, upper : float
        Bounds of the quantity; mass that leaks over a bound is folded back.

    Returns
    -------
    x, y : (200,)
        Grid over the draws' central 99.8 % (to the bound where it is near) and the density on it. The
        bandwidth is Silverman's: 0.9 min(sd, IQR / 1.34) n^(-1/5).
    """
    bandwidth = _bandwidth(draws)
    low, high = np.quantile(draws, [0.001, 0.999])
    x = np.linspace(max(low - 2 * bandwidth, lower), min(high + 2 * bandwidth, upper), POINTS)
    folded = [draws, *(2 * bound - draws for bound in (lower, upper) if np.isfinite(bound))]
    return x, sum((_smooth(part, x, bandwidth, len(draws)) for part in folded), np.zeros(POINTS))


def _bandwidth(draws: Array) -> float:
    low, high = np.quantile(draws, [0.25, 0.75])
    sd = float(np.std(draws))
    spread = min(sd, float(high - low) / 1.34) or sd or 1.0
    return float(0.9 * spread * len(draws) ** -0.2)


def _smooth(draws: Array, x: Array, bandwidth: float, n: int) -> Array:
    """Kernel sum over bins finer than the bandwidth: exact enough to draw, and no n × 200 array."""
    pad = 5 * bandwidth
    edges = np.linspace(x[0] - pad, x[-1] + pad, 2049)
    counts, _ = np.histogram(draws, edges)
    centres = (edges[1:] + edges[:-1]) / 2
    kernel = np.exp(-0.5 * ((x[:, None] - centres) / bandwidth) ** 2)
    result: Array = kernel @ counts / (n * bandwidth * np.sqrt(2 * np.pi))
    return result


def density_at(draws: Array, x: float, lower: float = -np.inf) -> float:
    """The same estimate at one point, not below the bound."""
    bandwidth = _bandwidth(draws)
    folded = [draws] if np.isinf(lower) else [draws, 2 * lower - draws]
    kernels = (np.exp(-0.5 * ((x - part) / bandwidth) ** 2).mean() for part in folded)
    return float(sum(kernels) / (bandwidth * np.sqrt(2 * np.pi))) if x >= lower else 0.0
