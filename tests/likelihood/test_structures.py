"""Fits of every covariance structure: against the dense V, on their boundaries, and with known relations."""

import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import bayeslmm as bl
from bayeslmm.errors import SingularFitWarning
from bayeslmm.likelihood.criterion import Criterion
from bayeslmm.likelihood.optimum import optimize
from bayeslmm.spec.covariance import structures_by_keyword

KEYWORDS = list(structures_by_keyword())
every_keyword = pytest.mark.parametrize("keyword", KEYWORDS)


def model(keyword: str, data: pd.DataFrame | None = None, **options: object) -> bl.LinearMixedModel:
    data = bl.load_dataset("Machines") if data is None else data
    return bl.LinearMixedModel(f"score ~ Machine + {keyword}(0 + Machine | Worker)", data, **options)


def dense_deviance(model: bl.LinearMixedModel, theta: np.ndarray, sigma: float, reml: bool) -> float:
    """−2 (restricted) log-likelihood from V itself."""
    design = model.design
    V, X = model.V(theta, sigma), design.X
    A = X.T @ np.linalg.solve(V, X)
    beta = np.linalg.solve(A, X.T @ np.linalg.solve(V, design.y))
    rest = design.y - X @ beta
    value = np.linalg.slogdet(V)[1] + rest @ np.linalg.solve(V, rest)
    if reml:
        return float(value + np.linalg.slogdet(A)[1] + (design.n - design.p) * np.log(2 * np.pi))
    return float(value + design.n * np.log(2 * np.pi))


@every_keyword
@pytest.mark.parametrize("criterion", ["REML", "ML"])
def test_the_dense_V_agrees_and_has_no_better_neighbour(keyword: str, criterion: str) -> None:
    m = model(keyword)
    fit = m.fit(criterion)
    assert fit.convergence.converged
    best = dense_deviance(m, fit.theta_values, fit.sigma, fit.reml)
    assert_allclose(fit.criterion_value, best, atol=1e-9)
    for step in 1e-3 * np.random.default_rng(1).normal(size=(10, m.design.n_theta)):
        assert dense_deviance(m, fit.theta_values + step, fit.sigma, fit.reml) >= best - 1e-9


@every_keyword
def test_every_start_finds_the_optimum(keyword: str) -> None:
    criterion = Criterion.of(model(keyword).design, True)
    best = optimize(criterion)
    covariance = criterion.covariance
    for scale in (0.1, 1.0, 5.0):
        assert_allclose(optimize(criterion, scale * covariance.start()).value, best.value, atol=1e-8)
    zero = np.zeros(covariance.n_theta)
    assert_allclose(optimize(criterion, zero).value, best.value, atol=1e-8)


@every_keyword
def test_standard_errors_are_those_of_the_natural_parameters(keyword: str) -> None:
    """The delta method through the structure against the inverse Hessian of the dense deviance."""
    m = model(keyword)
    fit = m.fit("ML")
    covariance = m.design.covariance
    natural = covariance.natural(fit.theta_values, fit.sigma)
    sd, cor = natural.sd["Worker"], natural.cor["Worker"]
    point = np.concatenate([sd, cor, [fit.sigma]])

    def deviance(x: np.ndarray) -> float:
        parts = {"Worker": x[: len(sd)]}, {"Worker": x[len(sd) : -1]}
        theta = covariance.theta_of_natural(*parts, x[-1])
        return dense_deviance(m, theta, x[-1], False)

    steps = np.diag(2e-3 * np.abs(point))
    hessian = np.array(
        [
            [
                (
                    deviance(point + a + b)
                    - deviance(point + a - b)
                    - deviance(point - a + b)
                    + deviance(point - a - b)
                )
                / (4 * a.sum() * b.sum())
                for a in steps
            ]
            for b in steps
        ]
    )
    expected = np.sqrt(np.diag(2 * np.linalg.inv(hessian)))
    errors = fit.natural_errors
    found = np.concatenate([errors.sd["Worker"], errors.cor["Worker"], [errors.sigma]])
    assert_allclose(found, expected, rtol=2e-3)


def planted(cov: np.ndarray, seed: int = 0) -> pd.DataFrame:
    """Data whose covariance (3, 3) of `0 + Machine | Worker` is estimated to be singular as `cov` is.

    The noise has no part along the cells' means, so that nothing is left for other directions.
    """
    rng = np.random.default_rng(seed)
    worker, machine = (part.ravel() for part in np.meshgrid(np.arange(40), np.arange(3), indexing="ij"))
    values, vectors = np.linalg.eigh(cov)
    effects = rng.normal(size=(40, 3)) * np.sqrt(np.clip(values, 0, None)) @ vectors.T
    effects -= effects.mean(axis=0)
    noise = rng.normal(size=(120, 4))
    noise -= noise.mean(axis=1, keepdims=True)
    y = (effects[worker, machine] + np.array([1.0, 2.0, 3.0])[machine])[:, None] + noise
    return pd.DataFrame(
        {
            "score": y.ravel(),
            "Worker": pd.Categorical(np.repeat(worker, 4)),
            "Machine": pd.Categorical(np.repeat(machine, 4)),
        }
    )


LAG = np.abs(np.subtract.outer(np.arange(3), np.arange(3)))
SINGULAR = {
    "homdiag": (np.zeros((3, 3)), ["no variance"]),
    "homcs": (np.ones((3, 3)), ["no variance of the coefs about their mean"]),
    "cs": (np.outer([1, 2, 3], [1, 2, 3]), ["the correlation is 1"]),
    "ar1": (np.ones((3, 3)), ["the correlation is 1"]),
    "hetar1": (np.outer([1, -2, 1], [1, -2, 1]), ["the correlation is -1"]),
    "diag": (np.diag([1.0, 0.0, 2.0]), ["no variance along"]),
}


@pytest.mark.parametrize("keyword", SINGULAR)
def test_what_vanished_is_found_and_named(keyword: str) -> None:
    cov, words = SINGULAR[keyword]
    with pytest.warns(SingularFitWarning, match=words[0]):
        fit = model(keyword, planted(np.asarray(cov, dtype=float))).fit()
    assert fit.convergence.converged
    assert [word for v, word in zip(fit.convergence.vanished, words, strict=True) if word in v.what] == words
    assert all(v.slope > 0 for v in fit.convergence.vanished)


@pytest.mark.parametrize("low", ["homcs", "cs"])
def test_the_least_correlation_of_compound_symmetry(low: str) -> None:
    data = planted(np.eye(3) - 1 / 3)
    with pytest.warns(SingularFitWarning):
        fit = model(low, data).fit()
    found = fit.estimates().frame.loc["cor[Worker]"]
    assert_allclose(found["estimate"], -0.5, atol=1e-12)
    assert np.isnan(found["se"])


def test_one_sd_may_vanish_beside_correlated_others() -> None:
    data = planted(np.array([[1.0, 0.5, 0.0], [0.5, 1.0, 0.0], [0.0, 0.0, 0.0]]))
    with pytest.warns(SingularFitWarning, match=r"no variance of Machine\[2\]"):
        fit = model("cs", data).fit()
    sd = fit.design.covariance.natural(fit.theta_values, fit.sigma).sd["Worker"]
    assert sd[2] == 0.0
    assert fit.convergence.converged


@every_keyword
def test_bootstrap_and_simulation(keyword: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = model(keyword).fit()
        boot = fit.bootstrap(n=12, seed=1, progress=False)
    assert boot.n_failed == 0
    assert boot.labels == tuple(fit.estimates().frame.index)
    assert np.isfinite(boot.values).mean() > 0.9


def pedigree(levels: list[str], extra: int = 2) -> pd.DataFrame:
    """Relationship of animals whose parents are the two before them, unrelated at first."""
    names = levels + [f"calf{i}" for i in range(extra)]
    J = len(names)
    K = np.zeros((J, J))
    for i in range(J):
        parents = [i - 1, i - 2] if i > 3 else []
        K[i, :i] = K[:i, i] = 0.5 * K[parents, :i].sum(axis=0) if parents else 0.0
        K[i, i] = 1 + (0.5 * K[parents[0], parents[1]] if parents else 0.0)
    return pd.DataFrame(K, index=names, columns=names)


@pytest.fixture(scope="module")
def related() -> bl.LinearMixedModel:
    data = bl.load_dataset("Machines")
    K = pedigree([str(level) for level in data["Worker"].unique()])
    return bl.LinearMixedModel(
        "score ~ Machine + (0 + Machine | Worker) + (1 | Worker:Machine)", data, covariance={"Worker": K}
    )


@pytest.mark.parametrize("criterion", ["REML", "ML"])
def test_known_covariance_against_the_dense_V(related: bl.LinearMixedModel, criterion: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SingularFitWarning)
        fit = related.fit(criterion)
    assert fit.convergence.converged
    assert_allclose(
        fit.criterion_value, dense_deviance(related, fit.theta_values, fit.sigma, fit.reml), atol=1e-8
    )
    design = fit.design
    block, factor = design.blocks[0], design.covariance.factors(fit.theta_values)[0]
    K = block.known @ block.known.T
    rest = np.linalg.solve(related.V(fit.theta_values), design.y - design.X @ fit.beta_values)
    G = np.kron(K, factor @ factor.T)
    Z = design.Z[:, : block.q]
    assert_allclose(fit.b[: block.q], G @ (Z.T @ rest), atol=1e-8)


def test_levels_without_data_are_predicted_through_relatives(related: bl.LinearMixedModel) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SingularFitWarning)
        fit = related.fit()
    effects = fit.ranef()["Worker"]
    assert_allclose(effects.loc["calf0"], effects.iloc[[4, 5]].mean(), atol=1e-8)
    rows = pd.DataFrame({"Worker": ["calf0"], "Machine": ["B"]})
    predicted = fit.predict(rows, random=["Worker"], interval="confidence")
    assert predicted.loc[0, "prediction"] == pytest.approx(
        fit.beta.iloc[:2].sum() + effects.loc["calf0", "Machine[B]"]
    )
    assert (
        predicted.loc[0, "se"]
        > fit.predict(rows.assign(Worker="1"), random=["Worker"], interval="confidence").loc[0, "se"]
    )


def test_simulated_effects_have_the_known_covariance(related: bl.LinearMixedModel) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SingularFitWarning)
        fit = related.fit()
    simulated = fit.simulate(4000, seed=1).to_numpy()
    V = related.V(fit.theta_values, fit.sigma)
    spread = np.sqrt(np.diag(V))
    assert_allclose(np.cov(simulated) / np.outer(spread, spread), V / np.outer(spread, spread), atol=0.08)
    boot = fit.bootstrap(n=200, seed=1, progress=False, ranef=True)
    assert boot.n_failed == 0
    assert_allclose(
        np.sqrt(np.nanmean(boot.ranef_errors**2, axis=0))[: fit.design.blocks[0].q],
        fit.sd_prediction[: fit.design.blocks[0].q],
        rtol=0.35,
    )


@pytest.mark.parametrize("ddf", ["satterthwaite", "kenward-roger"])
def test_degrees_of_freedom_know_the_relation(ddf: str) -> None:
    """The same model by columns: Z(L ⊗ I) as the left side of one group whose every coef has one variance."""
    data = bl.load_dataset("Machines_unbal")
    workers = sorted(data["Worker"].astype(str).unique())
    K = pedigree(workers, extra=0)
    L = np.linalg.cholesky(K)
    known = bl.LinearMixedModel("score ~ Machine + (1 | Worker)", data, covariance={"Worker": K}).fit()
    columns = {f"c{i}": L[data["Worker"].astype(str).map(workers.index), i] for i in range(len(workers))}
    left = " + ".join(columns)
    # a second group without effects keeps the first from having one level only
    spread = data.assign(**columns, all="one")
    twin = pd.concat([spread, spread.assign(all="two")], ignore_index=True)
    own = bl.LinearMixedModel(f"score ~ Machine + homdiag(0 + {left} | all)", twin)
    doubled = bl.LinearMixedModel(
        "score ~ Machine + (1 | Worker)",
        twin.assign(Worker=twin["Worker"].astype(str) + twin["all"]),
        covariance={"Worker": twin_relation(K)},
    )
    a, b = own.fit().coef_table(ddf=ddf), doubled.fit().coef_table(ddf=ddf)
    assert_allclose(a.to_numpy(dtype=float), b.to_numpy(dtype=float), rtol=1e-5)
    assert known.coef_table(ddf=ddf).to_numpy(dtype=float).shape == a.shape


def twin_relation(K: pd.DataFrame) -> pd.DataFrame:
    """Two unrelated copies of a pedigree, levels suffixed."""
    names = [name + side for side in ("one", "two") for name in K.index]
    return pd.DataFrame(np.kron(np.eye(2), K), index=names, columns=names)
