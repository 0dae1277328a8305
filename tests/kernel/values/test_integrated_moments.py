"""Densities and moments of β at many points against the rows' dense covariance, of new responses, too."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import bayeslmm as bl
from bayeslmm.kernel.values.integrated_moments import integrated_moments
from bayeslmm.likelihood.refit_many import designs_of

DATA = pd.DataFrame({"g": np.repeat(list("abcdef"), 4), "x": np.tile(np.arange(4.0), 6)})


def designs(rng):
    """A balanced design, whose levels condense, and one that isn't; each with a response of its own."""
    for data in (DATA, DATA.drop(index=[3, 9, 10])):
        model = bl.LinearMixedModel("y ~ x + (x | g)", data.assign(y=rng.normal(size=len(data))))
        _ = model.design.kernel.condensed
        yield from designs_of(model.design, rng.normal(5, 2, size=(2, model.design.n)))


@pytest.mark.parametrize("precision", [np.zeros(2), np.array([0.3, 2.0])])
def test_densities_and_moments_from_dense_matrices(precision):
    rng = np.random.default_rng(0)
    for design in designs(rng):
        kernel, m = design.kernel, 3
        lam, sigma = rng.normal(size=(m, 4)), rng.uniform(0.5, 2, m)
        lam[:, 1] = 0.0
        P, s = np.diag(precision), precision * np.array([1.0, -1.0])
        back = np.linalg.inv(kernel.R_X)
        logp, mean, variance = integrated_moments(lam, sigma, P, s, back, kernel.condensed.problem)
        for i in range(m):
            L = np.kron(np.eye(6), lam[i].reshape(2, 2))
            Z = design.Z.toarray() @ L
            V = sigma[i] ** 2 * (Z @ Z.T + np.eye(design.n))
            Q = design.X @ back
            K = Q.T @ np.linalg.solve(V, Q) + P
            r = design.y - Q @ kernel.gamma_ls
            c = Q.T @ np.linalg.solve(V, r) + s
            np.testing.assert_allclose(mean[i], np.linalg.solve(K, c), rtol=1e-8, atol=1e-10)
            np.testing.assert_allclose(variance[i], np.diag(back @ np.linalg.inv(K) @ back.T), rtol=1e-8)
            at_best = stats.multivariate_normal(Q @ mean[i], V).logpdf(r)
            prior = -0.5 * mean[i] @ P @ mean[i] + s @ mean[i]
            curvature = np.log(2 * np.pi) - 0.5 * np.linalg.slogdet(kernel.R_X.T @ K @ kernel.R_X)[1]
            assert logp[i] == pytest.approx(at_best + prior + curvature, rel=1e-9)
