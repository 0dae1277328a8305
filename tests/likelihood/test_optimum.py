"""The optimum: boundary, saddles, scales, and the evidence."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis.strategies import floats, lists
from numpy.testing import assert_allclose

import bayeslmm as bl
from bayeslmm.errors import ConvergenceWarning, OptionError, SingularFitWarning
from bayeslmm.likelihood.criterion import Criterion
from bayeslmm.likelihood.optimum import optimize
from bayeslmm.spec.design import Design


def design(formula: str, data: pd.DataFrame) -> Design:
    return bl.LinearMixedModel(formula, data).design


def criterion(formula: str, data: pd.DataFrame, reml: bool = True) -> Criterion:
    return Criterion.of(design(formula, data), reml)


def newton_distance(c: Criterion, x: np.ndarray) -> float:
    """Length in natural units of the Newton step that is left on free directions."""
    gradient, hessian = c.scale * c(x)[1], c.hessian(x) * np.outer(c.scale, c.scale)
    free = np.abs(gradient) > 1e-13
    values, vectors = np.linalg.eigh(hessian[np.ix_(free, free)])
    curved = values > 1e-7 * np.max(values, initial=0.0)
    return float(np.linalg.norm(vectors.T[curved] @ gradient[free] / values[curved]))


@pytest.fixture(scope="module")
def sleepstudy() -> pd.DataFrame:
    return bl.load_dataset("sleepstudy")


def planted(rank: int, seed: int = 0) -> pd.DataFrame:
    """Data whose 3 x 3 covariance of (1, a, b | g) is estimated to have this rank.

    The noise has no part along (1, a, b) within a group, so that nothing is left for the other directions.
    """
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(40), 12)
    columns = np.column_stack([np.ones(len(g)), rng.normal(size=(len(g), 2))])
    effects = rng.normal(size=(40, rank)) @ rng.normal(size=(rank, 3))
    noise = 0.5 * rng.normal(size=len(g))
    for level in range(40):
        own = columns[g == level]
        noise[g == level] -= own @ np.linalg.lstsq(own, noise[g == level])[0]
    y = columns @ [1.0, 1.0, 0.0] + np.einsum("ij,ij->i", effects[g], columns) + noise
    return pd.DataFrame({"y": y, "a": columns[:, 1], "b": columns[:, 2], "g": pd.Categorical(g)})


def test_a_variance_of_zero_is_exactly_zero() -> None:
    with pytest.warns(SingularFitWarning, match="Batch: no variance along 1·Intercept"):
        fit = bl.LinearMixedModel("Yield ~ 1 + (1 | Batch)", bl.load_dataset("Dyestuff2")).fit()
    assert fit.theta.to_list() == [0.0]
    assert fit.is_singular
    assert_allclose(fit.beta["Intercept"], bl.load_dataset("Dyestuff2")["Yield"].mean(), rtol=1e-14)


@pytest.mark.parametrize("reml", [True, False])
def test_a_start_on_the_boundary_is_left(sleepstudy: pd.DataFrame, reml: bool) -> None:
    c = criterion("Reaction ~ Days + (Days | Subject)", sleepstudy, reml)
    away, stuck = optimize(c), optimize(c, start=np.zeros(3))
    assert_allclose(stuck.value, away.value, atol=1e-9)
    assert_allclose(stuck.x, away.x, rtol=1e-8)


def crossed(seed: int) -> pd.DataFrame:
    """Slopes and crossed intercepts, some of which are estimated to have no variance."""
    rng = np.random.default_rng(seed)
    g, h, x, z = rng.integers(0, 12, 200), rng.integers(0, 7, 200), *rng.normal(size=(2, 200))
    sizes = rng.choice([0.0, 0.3, 1.0], 3)
    effects = sizes[0] * rng.normal(size=12)[g] + sizes[1] * rng.normal(size=12)[g] * x
    y = 1 + x + effects + sizes[2] * rng.normal(size=7)[h] + rng.normal(size=200)
    return pd.DataFrame({"y": y, "x": x, "z": z, "g": g.astype(str), "h": h.astype(str)})


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("seed", range(8))
def test_theta_is_exact_where_something_vanished_too(seed: int, reml: bool) -> None:
    c = criterion("y ~ x + (x + z | g) + (1 | h)", crossed(seed), reml)
    best = optimize(c)
    assert newton_distance(c, best.x) < 1e-8
    theta = c.coordinates.theta(best.x)
    slots = c.covariance.slots
    assert len(best.convergence.vanished) == sum(
        len(slot.structure.vanished(theta[slot.theta], slot.gram, ("",) * slot.structure.k)) for slot in slots
    )


@pytest.mark.parametrize("rank", [1, 2])
def test_lost_ranks_are_found_and_named(rank: int) -> None:
    c = criterion("y ~ a + (1 + a + b | g)", planted(rank))
    best = optimize(c)
    factor = c.covariance.factors(best.x)[0]
    assert len(best.convergence.vanished) == 3 - rank
    assert np.linalg.matrix_rank(factor @ factor.T) == rank
    assert all(v.slope > 0 for v in best.convergence.vanished)
    assert best.convergence.converged
    for start in np.random.default_rng(1).normal(size=(5, 6)):
        assert optimize(c, start).value >= best.value - 1e-8


def test_the_slope_is_the_derivative_in_T() -> None:
    """The criterion along T + eps a a' rises by eps times the slope."""
    c = criterion("Yield ~ 1 + (1 | Batch)", bl.load_dataset("Dyestuff2"))
    best = optimize(c)
    eps = 1e-6
    rise = (c(np.array([np.sqrt(eps)]))[0] - best.value) / eps
    assert_allclose(best.convergence.vanished[0].slope, rise, rtol=1e-3)


def slope_sd(theta: np.ndarray) -> float:
    """Relative sd of the second coef of a 2 x 2 factor."""
    return float(np.hypot(theta[1], theta[2]))


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e5])
@pytest.mark.parametrize("shift", [0.0, 100.0])
def test_units_and_origins_of_a_covariate_do_not_matter(
    sleepstudy: pd.DataFrame, unit: float, shift: float
) -> None:
    plain = optimize(criterion("Reaction ~ Days + (Days | Subject)", sleepstudy))
    moved = sleepstudy.assign(Days=unit * (sleepstudy["Days"] + shift))
    best = optimize(criterion("Reaction ~ Days + (Days | Subject)", moved))
    # REML contains log|X'X|, which the unit moves
    assert_allclose(best.value - 2 * np.log(unit), plain.value, atol=1e-7)
    assert_allclose(unit * slope_sd(best.x), slope_sd(plain.x), rtol=1e-7)


def test_no_absolute_threshold_calls_a_rescaled_fit_singular(sleepstudy: pd.DataFrame) -> None:
    tiny = sleepstudy.assign(Days=1e6 * sleepstudy["Days"])
    fit = bl.LinearMixedModel("Reaction ~ Days + (Days | Subject)", tiny).fit()
    assert fit.theta.iloc[2] < 1e-6
    assert not fit.is_singular


def test_the_hessian_is_the_derivative_of_the_gradient(sleepstudy: pd.DataFrame) -> None:
    c = criterion("Reaction ~ Days + (Days | Subject)", sleepstudy)
    theta = np.array([0.9, 0.1, 0.3])

    def second(size: float) -> np.ndarray:
        """By differences of values; the error is of the order of size²."""
        steps = size * np.eye(3)
        return np.array(
            [
                [
                    c(theta + a + b)[0] - c(theta + a - b)[0] - c(theta - a + b)[0] + c(theta - a - b)[0]
                    for a in steps
                ]
                for b in steps
            ]
        ) / (4 * size**2)

    extrapolated = (4 * second(2e-3) - second(4e-3)) / 3
    assert_allclose(c.hessian(theta), extrapolated, rtol=1e-5, atol=1e-5 * np.abs(extrapolated).max())


@pytest.mark.parametrize("structure", ["us", "diag", "cs", "ar1"])
def test_many_points_are_evaluated_as_each_is(structure: str) -> None:
    formula = f"score ~ Machine + {structure}(0 + Machine | Worker)"
    c = criterion(formula, bl.load_dataset("Machines"))
    points = c.start() * np.random.default_rng(2).uniform(0.5, 1.5, size=(4, c.coordinates.n))
    values, gradients = c.many(points)
    assert_allclose(values, [c(x)[0] for x in points], rtol=1e-13)
    assert_allclose(gradients, [c(x)[1] for x in points], rtol=1e-10, atol=1e-10)
    assert_allclose(c.values(points), values, rtol=1e-13)


def test_evaluations_that_run_out_are_told(sleepstudy: pd.DataFrame) -> None:
    model = bl.LinearMixedModel("Reaction ~ Days + (Days | Subject)", sleepstudy)
    with pytest.warns(ConvergenceWarning, match="raise max_iter"):
        fit = model.fit(max_iter=3)
    assert not fit.convergence.converged


def test_bad_options_are_refused(sleepstudy: pd.DataFrame) -> None:
    model = bl.LinearMixedModel("Reaction ~ Days + (Days | Subject)", sleepstudy)
    with pytest.raises(OptionError, match="REML"):
        model.fit("RELM")
    with pytest.raises(OptionError, match="start has 2 values; 3 needed: theta"):
        model.fit(start=[1, 1])
    with pytest.raises(OptionError, match="max_iter is a whole number of at least 1, got 0"):
        model.fit(max_iter=0)
    with pytest.raises(OptionError, match=r"sigma is 1e-200, whose square"):
        bl.LinearMixedModel("Reaction ~ Days", sleepstudy, sigma=1e-200)


@given(start=lists(floats(), min_size=3, max_size=3))
@example(start=[1e200, 0.0, 1.0])
@example(start=[1e8, 0.0, 1e8])
@example(start=[1e-200, 0.0, 1e-200])
@example(start=[np.nan, 0.0, 1.0])
@example(start=[0.0, 0.0, 4999997.0])
@settings(max_examples=30)
@pytest.mark.filterwarnings("ignore::bayeslmm.errors.ConvergenceWarning")
def test_any_start_leads_to_the_optimum_or_is_told_of(start: list[float]) -> None:
    model = bl.LinearMixedModel("Reaction ~ Days + (Days | Subject)", bl.load_dataset("sleepstudy"))
    try:
        found = model.fit(start=start)
    except OptionError:
        assert not (np.abs(start) < 1e8).all()
    else:
        if found.convergence.converged:
            assert_allclose(found.criterion_value, 1743.628271958479, rtol=1e-12)


def test_a_start_without_a_criterion_is_left_for_the_usual_one(monkeypatch):
    model = bl.LinearMixedModel("Reaction ~ Days + (Days | Subject)", bl.load_dataset("sleepstudy"))
    criterion = Criterion.of(model.design, True)
    usual = optimize(criterion)
    monkeypatch.setattr(Criterion, "start", lambda self: np.full(self.coordinates.n, 1e200))
    assert not np.isfinite(criterion(criterion.start())[0])
    found = optimize(criterion)
    assert found.convergence.converged
    assert found.value == pytest.approx(usual.value, rel=1e-12)
