"""One prediction: at one θ both engines say the same, whatever is asked, but for Monte Carlo error."""

import warnings
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import bayeslmm as bl
from bayeslmm.errors import BayesLMMWarning
from bayeslmm.likelihood.fit import LikelihoodFit
from bayeslmm.likelihood.inference.coef_table import t_frame
from bayeslmm.likelihood.inference.ddf.normal import Normal
from bayeslmm.likelihood.quantities import variance_parts as fit_parts
from bayeslmm.posterior.correlations import BlockCorrelation
from bayeslmm.posterior.effects.recover import recover_effects
from bayeslmm.posterior.parameters import Parameters, relative_factors
from bayeslmm.posterior.predictive import predict
from bayeslmm.posterior.quantities import blup, variance_parts
from bayeslmm.posterior.summary.tree import Draws
from bayeslmm.spec.contrasts import contrasts
from bayeslmm.spec.grid import Functions, Grid, GridOptions
from bayeslmm.spec.prediction import NEW_LEVELS, PredictOptions
from bayeslmm.spec.priors import default_priors

LAW = settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
FORMULAS = (
    "y ~ x + (1 | g)",
    "y ~ x + (x | g) + (1 | h)",
    "y ~ x + (x || g) + (0 + x | h)",
    "y ~ 0 + (1 + x | g)",
    "y ~ f + cs(0 + f | g) + (1 | g:h)",
    "y ~ f + (0 + f | g) + diag(1 + x | h)",
)
N = 4000
PROB = 0.8
FAR = 5.0  # standard errors
LIMIT = 1.71  # standard error of a normal sample's 10 % quantile, in sd/√N


@st.composite
def models(draw: st.DrawFn, formulas: tuple[str, ...] = FORMULAS) -> bl.LinearMixedModel:
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    n, n_g = draw(st.integers(60, 90)), draw(st.integers(5, 8))
    g, h, f = (rng.permutation(np.resize(np.arange(levels), n)) for levels in (n_g, 4, 3))
    x = rng.uniform(-1, 3, n)
    y = x + f + rng.normal(size=(n_g, 3))[g, f] + rng.normal(size=n_g)[g] * x + rng.normal(size=4)[h]
    table = {"y": y + rng.normal(size=n), "x": x, "w": rng.uniform(0.2, 5, n), "o": rng.normal(size=n)}
    labels = {"g": [f"g{i}" for i in g], "h": [f"h{i}" for i in h], "f": [f"f{i}" for i in f]}
    names = [f"g{i}" for i in range(n_g + 1)]  # one of them has no data
    lag = np.abs(np.subtract.outer(range(n_g + 1), range(n_g + 1)))
    K = pd.DataFrame((1 + lag.max(axis=0)) * 0.6**lag, index=names, columns=names)
    K = (K + K.T) / 2
    return bl.LinearMixedModel(
        draw(st.sampled_from(formulas)),
        pd.DataFrame(table | labels).sample(frac=1, random_state=1),
        weights=draw(st.sampled_from([None, "w"])),
        offset=draw(st.sampled_from([None, "o"])),
        sigma=draw(st.sampled_from([None, 1.3])),
        covariance=draw(st.sampled_from([{}, {"g": K}])),
    )


def fitted(model: bl.LinearMixedModel) -> LikelihoodFit:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesLMMWarning)
        return model.fit()


def draws_at(fit: LikelihoodFit, known_sigma: bool, seed: int) -> Draws:
    """Draws whose σ, sd and cor are the fit's; β (flat prior) and b come from their conditional."""
    assume(not fit.is_singular)  # sd and cor of a singular T don't say all of it
    design = fit.design
    natural = design.covariance.natural(fit.theta_values, fit.sigma)
    sd = {group: np.tile(values, (N, 1)) for group, values in natural.sd.items()}
    z = {
        block.group: np.tile(BlockCorrelation.of(block).free(natural.cor[block.group]), (N, 1))
        for block in design.blocks
    }
    parameters = Parameters(np.full(N, fit.sigma), sd, z, None, np.zeros((N, 0)))
    T = [factor @ factor.T for factor in design.covariance.factors(fit.theta_values)]
    own = relative_factors(design, parameters)[0]
    for expected, factor in zip(T, design.covariance.unflatten(own), strict=True):
        assert_allclose(factor @ factor.T, expected, atol=1e-9)
    priors = default_priors(design)
    beta, b = recover_effects(design, priors, parameters, np.random.SeedSequence(seed))
    return Draws((parameters,), beta[None], b[None], {})


def new_rows(data: pd.DataFrame) -> pd.DataFrame:
    """Fitted rows with other values; then unseen levels of one group, of the other, of both."""
    rows = data.iloc[[3, 1, 4, 1, 5, 9]].copy()
    rows["x"] = [0.0, 1.0, 2.0, 5.0, -1.0, 2.0]
    rows.iloc[2, rows.columns.get_loc("g")] = "someone"
    rows.iloc[3, rows.columns.get_loc("h")] = "somewhere"
    rows.iloc[4:, [rows.columns.get_loc(name) for name in ("g", "h")]] = ["nobody", "nowhere"]
    return rows


def choices(fit: LikelihoodFit) -> list[object]:
    block = fit.design.blocks[-1]
    return ["all", "none", [block.group], [f"{block.group}: {block.coefs[-1]}"]]


@LAW
@given(model=models(), seed=st.integers(0, 1000))
def test_both_engines_predict_alike(model: bl.LinearMixedModel, seed: int) -> None:
    fit = fitted(model)
    draws = draws_at(fit, model.spec.sigma is not None, seed)
    new = new_rows(model.data)
    for random, levels, interval in product(choices(fit), NEW_LEVELS, ("confidence", "prediction")):
        rows = None if levels == "error" else new
        mine = fit.predict(rows, random, levels, interval, PROB, seed)
        asked = PredictOptions(random, levels, interval, PROB, seed)
        theirs = predict(fit.design, model.recipe, draws, rows, asked)
        assert mine.index.equals(theirs.index)
        unit = mine["se"] / np.sqrt(N)
        assert (np.abs(theirs["prediction"] - mine["prediction"]) <= FAR * unit + 1e-9).all()
        assert (np.abs(theirs["se"] - mine["se"]) <= FAR * unit / np.sqrt(2) + 1e-9).all()
        for end in ("lower", "upper"):
            assert (np.abs(theirs[end] - mine[end]) <= FAR * LIMIT * unit + 1e-9).all()


@LAW
@given(model=models(FORMULAS[:4]), seed=st.integers(0, 1000))
def test_both_engines_draw_unseen_levels_alike(model: bl.LinearMixedModel, seed: int) -> None:
    """With one seed the very same effects, one a level."""
    fit = fitted(model)
    draws = draws_at(fit, model.spec.sigma is not None, seed)
    new = new_rows(model.data)
    for random in choices(fit):
        population, draw = (PredictOptions(random, levels, seed=seed) for levels in NEW_LEVELS[1:])
        mine = fit.predict(new, random, "draw", seed=seed) - fit.predict(new, random, "population")
        theirs = [predict(fit.design, model.recipe, draws, new, asked) for asked in (draw, population)]
        assert_allclose(theirs[0] - theirs[1], mine, atol=1e-6)
        assert (mine.iloc[:2] == 0).all()


@LAW
@given(model=models())
def test_the_fitted_rows_handed_back_are_the_fitted_rows(model: bl.LinearMixedModel) -> None:
    fit = fitted(model)
    for random, interval in product(choices(fit), (None, "confidence", "prediction")):
        own = fit.predict(random=random, interval=interval)
        assert own.index.equals(model.data.index)
        again = fit.predict(model.data.iloc[::-1], random=random, interval=interval)
        assert_allclose(again.loc[own.index], own, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("chosen", ["all", "none", ["g: x"]])
def test_an_observation_at_an_unseen_level_has_all_its_variance(chosen: object) -> None:
    """x'Var(β̂)x + z'Tz + σ², whichever effects are said to be 0."""
    rng = np.random.default_rng(3)
    g, x = np.repeat(np.arange(12), 8), rng.uniform(0, 3, 96)
    b = rng.multivariate_normal([0, 0], [[1, 0.7], [0.7, 1]], 12)
    y = b[g, 0] + b[g, 1] * x + rng.normal(size=96)
    fit = bl.LinearMixedModel("y ~ x + (x | g)", {"y": y, "x": x, "g": g}).fit()
    z = np.array([1.0, 2.0])
    (factor,) = fit.design.covariance.factors(fit.theta_values)
    T = fit.sigma**2 * factor @ factor.T
    assert T[0, 1] > 0.1
    expected = np.sqrt(z @ (fit.vcov_values + T) @ z + fit.sigma**2)
    found = fit.predict({"x": 2.0, "g": 99}, chosen, "population", "prediction")
    assert found["se"].iloc[0] == pytest.approx(expected, rel=1e-9)


@settings(LAW, max_examples=6)
@given(model=models(), seed=st.integers(0, 1000))
def test_both_engines_average_alike(model: bl.LinearMixedModel, seed: int) -> None:
    """Means, contrasts, slopes and combinations have one centre and one width; shares at one β are one."""
    fit = fitted(model)
    draws = draws_at(fit, model.spec.sigma is not None, seed)
    for functions in grids(model):
        mine = t_frame(Normal(fit), functions.kept, functions.values(fit.beta_values), 0 * functions.c, PROB)
        theirs = functions.values(draws.beta)[0]
        unit = mine["se"] / np.sqrt(N) + 1e-9
        assert (np.abs(theirs.mean(axis=0) - mine["estimate"]) <= FAR * unit).all()
        assert (np.abs(theirs.std(axis=0) - mine["se"]) <= FAR * unit).all()
        limits = np.quantile(theirs, [0.1, 0.9], axis=0)
        assert (np.abs(limits - mine[["lower", "upper"]].T) <= FAR * LIMIT * unit.to_numpy()).all(axis=None)
    rng = np.random.default_rng(seed)
    c, d = rng.normal(size=fit.design.p), rng.normal(size=fit.design.q)
    own, (other,) = fit.blup(c, d).frame.iloc[0], blup(fit.design, draws, c, d, PROB).frame.itertuples()
    assert abs(other.mean - own["estimate"]) <= FAR * own["se"] / np.sqrt(N)
    assert abs(other.sd - own["se"]) <= FAR * own["se"] / np.sqrt(N)
    at_estimate = replace(draws, beta=np.broadcast_to(fit.beta_values, draws.beta.shape))
    for source, value in variance_parts(fit.design, at_estimate).items():
        assert_allclose(value, fit_parts(fit)[source], rtol=1e-8, atol=1e-9)


def grids(model: bl.LinearMixedModel) -> list[Functions]:
    names = model.recipe.fixed_variables
    asked = GridOptions(
        [name for name in ("f",) if name in names], at={"x": [0.5, 2]} if "x" in names else {}
    )
    means = Grid(model.design, model.recipe, asked).means()
    found = [means] if names else []
    if "f" in names:
        found.append(contrasts(means, "pairwise"))
    if "x" in names:
        found.append(Grid(model.design, model.recipe, GridOptions(())).slopes("x"))
    return found
