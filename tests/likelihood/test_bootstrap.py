"""The bootstrap: statistics against rows, refits against fits, the same numbers whatever the jobs."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bayeslmm.errors import OptionError, SingularFitWarning
from bayeslmm.kernel.values.solved import Solved
from bayeslmm.likelihood.bootstrap.intervals import IntervalMethod, Sample
from bayeslmm.likelihood.bootstrap.kinds.parametric import Parametric, StatisticsSampler
from bayeslmm.likelihood.bootstrap.reduction import RowReduction
from bayeslmm.likelihood.bootstrap.refits import Refitter
from bayeslmm.likelihood.bootstrap.responses import Responses
from bayeslmm.likelihood.bootstrap.task import RefitTask
from bayeslmm.runs.plan import Plan, generators
from bayeslmm.runs.replicates import run

MODELS = {
    "slopes": ("Reaction ~ Days + (Days | Subject)", "sleepstudy"),
    "independent slopes": ("Reaction ~ Days + (Days || Subject)", "sleepstudy"),
    "nested": ("strength ~ 1 + (1 | batch / cask)", "Pastes"),
    "crossed": ("diameter ~ 1 + (1 | plate) + (1 | sample)", "Penicillin"),
    "singular": ("Yield ~ 1 + (1 | Batch)", "Dyestuff2"),
    "no random effects": ("Reaction ~ Days", "sleepstudy"),
}
every_model = pytest.mark.parametrize("name", MODELS)


def limits(method, sample, prob):
    return IntervalMethod.kinds()[method]().limits(sample, prob)


def row_sampler(fit):
    rows, reduction = Parametric().rows(fit), RowReduction(fit.design, fit.design.kernel)
    return lambda generator: reduction(*rows(generator))


@pytest.mark.parametrize("criterion", ["REML", "ML"])
@every_model
def test_refits_are_fits(fitter, name, criterion):
    """Compiled refits of simulated rows against whole fits of the same rows."""
    fit = fitter(*MODELS[name], criterion)
    mean = fit.design.X @ fit.beta_values
    simulated = fit.simulate(12, seed=5).to_numpy()
    reduce = RowReduction(fit.design, fit.design.kernel)
    refits = Refitter.of(fit)(Responses.of([reduce(y - mean, np.zeros(fit.design.q)) for y in simulated.T]))
    assert not refits.failed.any()
    for i, y in enumerate(simulated.T):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SingularFitWarning)
            whole = fit.refit(y)
        assert refits.criterion[i] == pytest.approx(whole.criterion_value, abs=2e-7)
        np.testing.assert_allclose(refits.x[i], whole.theta_values, atol=2e-3)
        np.testing.assert_allclose(
            refits.beta[i] + fit.beta_values, whole.beta_values, atol=1e-3 * whole.se.max()
        )
        assert refits.sigma[i] == pytest.approx(whole.sigma, rel=1e-4)
        assert refits.singular[i] == whole.is_singular


@pytest.mark.parametrize("name", ["slopes", "nested", "singular"])
def test_both_searches_find_the_same(fitter, name):
    """The compiled search, and the one that large problems take."""
    fit = fitter(*MODELS[name])
    refitter, sampler = Refitter.of(fit), StatisticsSampler.of(fit)
    responses = sampler(generators(8, range(20)))
    condensed = refitter.condensed(responses)
    fast, slow = refitter._search_compiled(condensed), refitter._search_each(condensed)
    np.testing.assert_allclose(fast.x, slow.x, rtol=1e-6, atol=1e-7)
    np.testing.assert_array_equal(fast.found, slow.found)
    lam = fit.design.coordinates.flat(fast.x)
    delta, r2, values = refitter._solve(lam, condensed)
    for i, x in enumerate(fast.x):
        criterion = refitter.criterion_of(responses, i)
        solved = Solved.of(criterion.kernel.moments(lam[i]).A)
        np.testing.assert_allclose(values[i], criterion(x)[0], rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(delta[i], solved.delta, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(r2[i], solved.r2, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("weights", [None, "w"])
@every_model
def test_statistics_have_the_law_of_rows(fitter, name, weights):
    """Two-sample Kolmogorov-Smirnov tests of (Z̃ᵀr, γ, rᵀr) and of random projections of them together."""
    fit = fitter(*MODELS[name], weights=weights)
    direction = np.random.default_rng(0)
    of_rows = row_sampler(fit)
    by_rows = Responses.of([of_rows(each) for each in generators(2, range(1500))])
    made = (StatisticsSampler.of(fit)(generators(1, range(1500))), by_rows)
    samples = [np.column_stack([each.zr, each.gamma, each.rr, each.b]) for each in made]
    scale = samples[1].std(axis=0) + 1e-12
    mixtures = direction.standard_normal((samples[0].shape[1], 10)) / scale[:, None]
    columns = [np.hstack([sample, sample @ mixtures]) for sample in samples]
    pvalues = [stats.ks_2samp(a, b).pvalue for a, b in zip(columns[0].T, columns[1].T, strict=True)]
    assert min(pvalues) > 1e-3 / len(pvalues)


def test_rank_is_not_the_number_of_columns(sleep):
    """[X Z] of sleepstudy has 38 columns and rank 36: X lies in the span of Z."""
    law = StatisticsSampler.of(sleep).law
    assert law.root.shape == (36, 34)
    assert law.df == 180 - 36


def test_same_numbers_whatever_the_jobs_and_chunks(sleep):
    one = sleep.bootstrap(n=130, seed=9, progress=False, ranef=True)
    two = sleep.bootstrap(n=130, seed=9, progress=False, ranef=True, n_jobs=2)
    np.testing.assert_array_equal(one.values, two.values)
    np.testing.assert_array_equal(one.ranef_errors, two.ranef_errors)
    task = RefitTask(Parametric().engine(sleep, False), sleep.design.coordinates)
    np.testing.assert_array_equal(run(task, Plan(130, 9, chunk=7))[:, :6], one.values)
    np.testing.assert_array_equal(sleep.bootstrap(n=40, seed=9, progress=False).values, one.values[:40])


def test_boundary_replicates_are_exactly_zero(singular):
    """From a fit at 0, the chance of an estimate of 0 is P(F ≤ 1), F with 5 and 24 degrees of freedom."""
    boot = singular.bootstrap(n=2000, seed=3, progress=False)
    sd = boot.draws["sd[Batch: Intercept]"]
    chance = stats.f(5, 24).cdf(1.0)
    assert (sd == 0).mean() == pytest.approx(chance, abs=4 * np.sqrt(chance * (1 - chance) / 2000))
    assert sd[sd > 0].min() > 1e-4
    np.testing.assert_array_equal(boot.singular, sd == 0)
    assert boot.n_singular == (sd == 0).sum()
    assert "singular" in boot.notes[0]


def test_estimates(sleep):
    boot = sleep.bootstrap(n=400, seed=2, progress=False, ranef=True)
    table = boot.estimates(prob=0.9, method="basic", ranef=True)
    assert (table.source, table.interval, len(table)) == ("bootstrap", "basic", 6 + 36)
    np.testing.assert_allclose(
        table.frame["estimate"], sleep.estimates(ranef=True).frame["estimate"], rtol=1e-12
    )
    row, draws = table.row("beta[Days]"), boot.draws["beta[Days]"]
    assert row["se"] == pytest.approx(draws.std())
    assert row["bias"] == pytest.approx(draws.mean() - row["estimate"])
    assert row["n_ok"] == 400
    effects = table.select("ranef").frame
    assert (effects["se"] / sleep.sd_prediction).between(0.85, 1.35).all()
    assert list(boot.estimates().frame.index) == list(boot.labels)


def test_known_sigma_and_its_absence(fitter):
    fit = fitter("Reaction ~ Days + (Days | Subject)", "sleepstudy", sigma=25.0)
    boot = fit.bootstrap(n=300, seed=1, progress=False)
    assert "sigma" not in boot.labels
    assert boot.draws["beta[Days]"].std() == pytest.approx(fit.se["Days"], rel=4 / np.sqrt(600))


def test_results_pickle(sleep):
    boot = sleep.bootstrap(n=20, seed=2, progress=False)
    pd.testing.assert_frame_equal(pickle.loads(pickle.dumps(boot)).draws, boot.draws)
    assert not boot.values.flags.writeable
    assert "20 replicates, seed 2" in repr(boot)


def test_seed_nobody_chose_is_recorded(sleep):
    boot = sleep.bootstrap(n=5, progress=False)
    np.testing.assert_array_equal(sleep.bootstrap(n=5, seed=boot.seed, progress=False).values, boot.values)


def test_intervals_by_hand():
    draws = np.arange(101.0)
    sample = Sample(40.0, draws)
    assert limits("percentile", sample, 0.9) == pytest.approx((5.0, 95.0))
    assert limits("basic", sample, 0.9) == pytest.approx((-15.0, 75.0))
    half = 1.6448536 * np.std(draws, ddof=1)
    assert limits("normal", sample, 0.9) == pytest.approx((30 - half, 30 + half), rel=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": 0}, "at least 1"),
        ({"n": 10.5}, "whole number"),
        ({"seed": -1}, "seed is a whole number"),
        ({"kind": "parametrik"}, "did you mean 'parametric'"),
        ({"n_jobs": 0}, "n_jobs"),
    ],
)
def test_bad_options(sleep, options, message):
    with pytest.raises(OptionError, match=message):
        sleep.bootstrap(**{"progress": False} | options)


def test_unknown_interval_names_the_choices(sleep):
    boot = sleep.bootstrap(n=5, seed=1, progress=False)
    with pytest.raises(OptionError, match="'basic', 'bca', 'normal', 'percentile', 'studentized'"):
        boot.confint("quantile")
    with pytest.raises(OptionError, match="between 0 and 1"):
        boot.confint(prob=95)
