"""What chains tell of a mean: effective sample sizes, R-hat, Monte Carlo error (Vehtari et al. 2021).

Of many variables at once: thousands of random effects take a few array operations and not thousands of calls.
Inside, draws are (k, chains, draws).
"""

import numpy as np
from numpy.typing import NDArray

type Array = NDArray[np.float64]

TOGETHER = 64  # variables that are looked at together: what stays in a processor's cache
TAILS = (0.05, 0.95)
CONSTANT = 1e-15  # range below which a variable is one number
NAMES = ("mcse", "ess_bulk", "ess_tail", "r_hat")


def diagnostics(draws: Array) -> dict[str, Array]:
    """mcse, ess_bulk, ess_tail and r_hat of draws (chains, draws, k), (k,) each; NaN where a draw is."""
    found = np.full((len(NAMES), draws.shape[2]), np.nan)
    for first in range(0, draws.shape[2], TOGETHER):
        some = slice(first, first + TOGETHER)
        with np.errstate(divide="ignore", invalid="ignore"):
            found[:, some] = _of_some(np.ascontiguousarray(np.moveaxis(draws[:, :, some], 2, 0)))
    return dict(zip(NAMES, np.where(np.isnan(draws).any(axis=(0, 1)), np.nan, found), strict=True))


def _of_some(draws: Array) -> Array:
    """(4, k) `NAMES`."""
    halves = _split(draws)
    scores = _normal_scores(halves)
    below = [draws <= q[:, None, None] for q in np.quantile(draws, TAILS, axis=(1, 2))]
    mcse = draws.std(axis=(1, 2), ddof=1) / np.sqrt(_ess(halves))
    tail = np.minimum(*(_ess(_split(each.astype(float))) for each in below))
    return np.array([mcse, _ess(scores), tail, _rank_r_hat(halves, scores)])


def _split(draws: Array) -> Array:
    """Every chain as two, (k, 2·chains, draws // 2)."""
    half = draws.shape[2] // 2
    return np.concatenate([draws[:, :, :half], draws[:, :, -half:]], axis=1)


def _normal_scores(draws: Array) -> Array:
    """Ranks among all draws of a variable, equal ones' averaged, as normal quantiles (Blom 1958)."""
    from scipy.special import ndtri

    flat, out = draws.reshape(len(draws), -1), np.empty(draws.shape)
    size, order = flat.shape[1], np.argsort(flat, axis=1)
    first, last = _runs(np.take_along_axis(flat, order, axis=1))
    of_halved_ranks = ndtri((0.5 * np.arange(2 * size - 1) + 0.625) / (size + 0.25))
    np.put_along_axis(out.reshape(flat.shape), order, of_halved_ranks[first + last], axis=1)
    return out


def _runs(ordered: Array) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Of every value in ordered rows, the first and the last place of those equal to it."""
    n, starts = ordered.shape[1], np.ones(ordered.shape, dtype=bool)
    starts[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    ends, places = np.roll(starts, -1, axis=1), np.arange(n)
    first = np.maximum.accumulate(np.where(starts, places, 0), axis=1)
    return first, np.minimum.accumulate(np.where(ends, places, n)[:, ::-1], axis=1)[:, ::-1]


def _rank_r_hat(halves: Array, scores: Array) -> Array:
    """(k,) the larger of location's and spread's R-hat; NaN for a single chain."""
    if halves.shape[1] == 2:
        return np.full(len(halves), np.nan)
    apart = np.abs(halves - np.median(halves, axis=(1, 2), keepdims=True))
    return np.fmax(_r_hat(scores), _r_hat(_normal_scores(apart)))


def _r_hat(draws: Array) -> Array:
    """(k,) √ of the variance of all draws over that within chains."""
    n = draws.shape[2]
    between, within = draws.mean(axis=2).var(axis=1, ddof=1), draws.var(axis=2, ddof=1).mean(axis=1)
    return np.asarray(np.sqrt(between / within + (n - 1) / n))


def _ess(draws: Array) -> Array:
    """(k,) effective number of draws, autocorrelations summed as far as they tell (Geyer 1992)."""
    _, chains, n = draws.shape
    covariance = _autocovariance(draws)
    within = covariance[:, :1] * n / (n - 1)
    rho = 1 - (within - covariance) / (covariance[:, :1] + draws.mean(axis=2).var(axis=1, ddof=1)[:, None])
    rho[:, 0] = 1
    time = np.maximum(_integrated(rho), 1 / np.log10(chains * n))
    found = np.where(np.isnan(rho).any(axis=1), np.nan, chains * n / time)
    return np.where(np.ptp(draws, axis=(1, 2)) < CONSTANT, chains * n, found)


def _integrated(rho: Array) -> Array:
    """(k,) −1 + 2Σρ of autocorrelations (k, n), over pairs of lags that stay positive and fall."""
    last = max(0, (rho.shape[1] - 3) // 2)
    pairs = rho[:, : 2 * last + 2].reshape(len(rho), last + 1, 2).sum(axis=2)
    ended = pairs <= 0
    ended[:, last] = True
    end = ended.argmax(axis=1)  # the first pair that no longer counts
    falling = np.minimum.accumulate(pairs, axis=1)
    total = np.sum(np.where(np.arange(last + 1) < end[:, None], falling, 0.0), axis=1)
    each = np.arange(len(rho))
    even = rho[each, 2 * end]
    return np.asarray(2 * total - 1 + np.where((even > 0) | (pairs[each, end] >= 0), even, 0.0))


def _autocovariance(draws: Array) -> Array:
    """(k, draws) at every lag, the mean over chains."""
    from scipy.fft import irfft, next_fast_len, rfft

    n = draws.shape[2]
    size = next_fast_len(2 * n, real=True)
    spectrum = rfft(draws - draws.mean(axis=2, keepdims=True), size)
    power = (spectrum.real**2 + spectrum.imag**2).mean(axis=1)
    return np.asarray(irfft(power, size)[:, :n] / n)
