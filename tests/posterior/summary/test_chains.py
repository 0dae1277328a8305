"""Diagnostics of many variables at once are ArviZ's of each."""

import numpy as np
import pytest
from arviz_stats.base import array_stats

from bayeslmm.posterior.summary.chains import TOGETHER, diagnostics

EACH = {"chain_axis": 0, "draw_axis": 1}


def of_arviz(draws):
    with np.errstate(all="ignore"):
        return {
            "mcse": array_stats.mcse(draws, method="mean", **EACH),
            "ess_bulk": array_stats.ess(draws, method="bulk", **EACH),
            "ess_tail": array_stats.ess(draws, method="tail", prob=(0.05, 0.95), **EACH),
            "r_hat": array_stats.rhat(draws, method="rank", **EACH),
        }


def correlated(shape, phi, rng):
    draws = rng.normal(size=shape)
    for t in range(1, shape[1]):
        draws[:, t] += phi * draws[:, t - 1]
    return draws


@pytest.mark.parametrize("chains", [1, 2, 4])
@pytest.mark.parametrize("n", [4, 5, 7, 8, 10, 101, 500])
@pytest.mark.parametrize("phi", [-0.95, -0.3, 0.0, 0.6, 0.99])
def test_they_are_those_of_arviz(chains, n, phi):
    draws = correlated((chains, n, 6), phi, np.random.default_rng(n))
    draws[..., 0] = np.round(draws[..., 0])  # ties
    draws[..., 1] = draws[:, :1, 1]  # chains that don't move
    draws[..., 2] = np.tile([1.0, -1.0], n)[:n]
    draws[..., 3] = 2.5
    draws[0, 1, 4] = np.nan
    ours, theirs = diagnostics(draws), of_arviz(draws)
    for name, values in theirs.items():
        np.testing.assert_allclose(ours[name], values, rtol=1e-8, err_msg=name)


def test_every_variable_is_looked_at_by_itself():
    draws = correlated((4, 60, 2 * TOGETHER + 3), 0.5, np.random.default_rng(1))
    together = diagnostics(draws)
    for k in (0, TOGETHER - 1, TOGETHER, 2 * TOGETHER + 2):
        alone = diagnostics(draws[..., k : k + 1])
        assert {name: values[k] for name, values in together.items()} == pytest.approx(
            {name: values[0] for name, values in alone.items()}, rel=1e-12
        )


def test_no_variable_has_no_diagnostics():
    assert all(values.shape == (0,) for values in diagnostics(np.zeros((2, 10, 0))).values())
