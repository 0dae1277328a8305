"""Draws of the posterior find their labels, also those that coefs share."""

import numpy as np
import pytest

from bayeslmm.datasets import load_dataset
from bayeslmm.parity.draws import posterior_draws
from bayeslmm.spec.build import build
from bayeslmm.spec.model_spec import ModelSpec


@pytest.mark.parametrize(("keyword", "n_sd"), [("homcs", 1), ("cs", 3)])
def test_parameters_that_coefs_share(keyword, n_sd):
    design = build(ModelSpec(f"score ~ 1 + {keyword}(0 + Machine | Worker)"), load_dataset("Machines")).design
    sd = np.arange(2.0 * 5 * n_sd).reshape(2, 5, n_sd)
    posterior = {"beta": np.zeros((2, 5, 1)), "sd_Worker": sd, "cor_Worker": np.ones((2, 5, 1))}
    draws = posterior_draws({"posterior": posterior}, design)
    assert "cor[Worker]" in draws
    name = "sd[Worker]" if n_sd == 1 else "sd[Worker: Machine[A]]"
    np.testing.assert_array_equal(draws[name], sd[..., 0].ravel())
