import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import bayeslmm as bl
from bayeslmm.errors import OptionError
from bayeslmm.likelihood.bootstrap.kinds.parametric import NormalRows
from bayeslmm.likelihood.studies.truth import simulator, standing_at, true_values
from bayeslmm.parity.calibration.methods import Method, Study
from bayeslmm.parity.calibration.methods.bootstrap import Bootstrap
from bayeslmm.parity.calibration.run import truths_of
from bayeslmm.parity.calibration.task import CalibrationTask
from bayeslmm.runs.plan import generator
from bayeslmm.runs.store import Store
from bayeslmm.spec.labels import parameter_labels

QUICK = ["z", "satterthwaite", "kenward-roger", "deviance", "eti", "hdi"]


def one_way(groups, size, seed=0):
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(groups), size)
    x = rng.normal(size=groups)[g]
    y = 1 + 0.5 * x + rng.normal(size=groups)[g] + rng.normal(size=len(g))
    return pd.DataFrame({"y": y, "x": x, "g": g.astype(str)})


@pytest.fixture(scope="module")
def model():
    return bl.LinearMixedModel("y ~ x + (1 | g)", one_way(8, 4))


@pytest.fixture(scope="module")
def found(model):
    return bl.calibrate(model, n=30, seed=1, methods=QUICK, progress=False)


TRUTH = {"beta[Intercept]": 1.0, "beta[x]": 0.5, "sd[g: Intercept]": 1.0, "sigma": 1.0}


def test_methods_say_what_public_calls_say(model, found):
    """The same data sets, each given to a model of its own."""
    truth = found.truth
    for i in (0, 7):
        seen = calibration_data(model, truth, seed=1, number=i)
        alone = bl.LinearMixedModel(model.spec.formula, model.data.assign(y=seen), priors=model.priors.table)
        fit = alone.fit()
        for word, ddf in (("z", "normal"), ("satterthwaite", "satterthwaite"), ("kenward-roger",) * 2):
            table = fit.coef_table(ddf=ddf)
            np.testing.assert_allclose(found.said(word).lower[i, :2], table["lower"], rtol=1e-5, atol=1e-6)
        limits = fit.confint(method="profile")
        inside = (limits["lower"] <= truth[limits.index]) & (truth[limits.index] <= limits["upper"])
        np.testing.assert_array_equal(found.said("deviance").covers[i], inside[list(found.labels)])
        for word in ("eti", "hdi"):
            table = alone.sample(method="quadrature").estimates(interval=word).frame
            apart = np.abs(found.said(word).lower[i] - table["lower"]) / table["sd"]
            assert apart.max() < (0.12 if word == "eti" else 0.25)


def test_the_fit_by_ml_is_of_the_same_responses(model):
    truth = true_values(model.design, TRUTH, model.fit)
    study = Study(standing_at(truth, model.design, "REML"), truth, model.priors, 0.95, tuple(truth.index))
    task = CalibrationTask(truths_of(model.design, truth.to_frame().T), simulator(study.fit, truth), ())
    case, _, _ = task.case(generator(1, 3))
    np.testing.assert_allclose(case.ml(study).design.y, case.fit.design.y)
    again = bl.LinearMixedModel(model.spec.formula, model.data.assign(y=case.fit.design.y)).fit("ML")
    assert case.ml(study).criterion_value == pytest.approx(again.criterion_value, abs=1e-7)
    np.testing.assert_allclose(case.ml(study).beta_values, again.beta_values, atol=1e-6)


def calibration_data(model, truth, seed, number):
    """The responses of one data set, from the generator of its number alone."""
    rng = generator(seed, number)
    design, sigma = model.design, truth["sigma"]
    theta = np.array([truth["sd[g: Intercept]"] / sigma])
    b = design.Z @ (sigma * theta[0] * rng.standard_normal(design.q))
    return (
        design.X @ truth[["beta[Intercept]", "beta[x]"]].to_numpy()
        + b
        + sigma * rng.standard_normal(design.n)
    )


def test_numbers_are_the_same_whatever_runs_beside(model, found):
    again = bl.calibrate(model, n=30, seed=1, methods=QUICK, progress=False, n_jobs=2)
    np.testing.assert_array_equal(found.rows, again.rows)


def test_a_study_goes_on_where_it_was_cut_off(model, found, tmp_path):
    path = tmp_path / "study"
    bl.calibrate(model, n=13, seed=1, methods=QUICK, progress=False, store=path)
    with path.open("ab") as file:
        file.write(b"torn")
    again = bl.calibrate(model, n=30, methods=QUICK, progress=False, store=path)
    assert Store.read(path).n == 30 and again.seed == 1
    np.testing.assert_array_equal(found.rows, again.rows)
    with pytest.raises(OptionError, match="another run"):
        bl.calibrate(model, n=30, methods=["z"], progress=False, store=path)


KILLED = """
import sys
import pandas as pd
import bayeslmm as bl
model = bl.LinearMixedModel("y ~ x + (1 | g)", pd.read_csv(sys.argv[1], dtype={"g": str}))
bl.calibrate(model, n=100_000, seed=1, store=sys.argv[2], progress=False)
"""


@pytest.mark.slow
def test_a_killed_study_goes_on_with_the_same_numbers(model, tmp_path):
    """kill -9 of a process in the midst of its data sets."""
    path, rows = tmp_path / "study", tmp_path / "rows.csv"
    model.data.to_csv(rows, index=False)
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(rows), str(path)])
    while not path.exists() or Store.read(path).n < 20:
        assert process.poll() is None
        time.sleep(0.2)
    process.kill()
    assert process.wait(20) == -signal.SIGKILL
    kept = Store.read(path).n
    read = bl.LinearMixedModel("y ~ x + (1 | g)", pd.read_csv(rows, dtype={"g": str}))
    resumed = bl.calibrate(read, n=kept + 20, store=path, progress=False)
    undisturbed = bl.calibrate(read, n=kept + 20, seed=1, progress=False)
    np.testing.assert_array_equal(resumed.rows, undisturbed.rows)


def test_shares_and_errors_are_those_of_the_rows(found):
    row = found.table.loc[("beta[x]", "z")]
    said = found.said("z")
    truth = found.truth["beta[x]"]
    inside = (said.lower[:, 1] <= truth) & (truth <= said.upper[:, 1])
    assert row["coverage"] == pytest.approx(inside.mean())
    assert row["type_1"] == pytest.approx(1 - inside.mean())
    assert row["bias"] == pytest.approx(said.point[:, 1].mean() - truth)
    assert row["width_mcse"] == pytest.approx(stats.sem(said.upper[:, 1] - said.lower[:, 1]))
    assert set(found.trust.index) == set(found.labels)
    assert all("trust" in each or "nominal" in each for each in found.trust["sentence"])


def test_a_balanced_slope_between_groups_has_an_exact_t(model):
    """With groups of one size β̂ of their covariate is least squares of means: t with J − 2 df is exact."""
    found = bl.calibrate(
        model,
        truth={**TRUTH, "sd[g: Intercept]": 3.0},
        n=400,
        seed=2,
        methods=["z", "kenward-roger"],
        progress=False,
    )
    half = stats.t.ppf(0.975, 6)
    exact = 2 * stats.t.cdf(stats.norm.ppf(0.975), 6) - 1
    coverage, error = found.table["coverage"], np.sqrt(0.05 * 0.95 / 400)
    assert abs(coverage["beta[x]", "kenward-roger"] - 0.95) < 3.5 * error
    assert abs(coverage["beta[x]", "z"] - exact) < 3.5 * np.sqrt(exact * (1 - exact) / 400)
    said = [found.said(word) for word in ("kenward-roger", "z")]
    ratio = (said[0].upper - said[0].lower)[:, 1] / (said[1].upper - said[1].lower)[:, 1]
    regular = found.rows[:, 1] == 0
    np.testing.assert_allclose(ratio[regular], half / stats.norm.ppf(0.975), rtol=1e-6)
    assert found.trust["method"]["beta[x]"] == "kenward-roger"


def test_a_posterior_as_truth_gives_each_data_set_a_draw(model):
    post = model.sample(method="quadrature", draws=100, chains=2, seed=3)
    found = bl.calibrate(model, truth=post, n=40, seed=4, methods=["eti"], progress=False)
    draws = post.draws_frame().to_numpy()
    assert np.isin(found.truths[:, 0], draws[:, 0]).all() and np.ptp(found.truths[:, 0]) > 0
    # under the prior the data were made with, intervals are calibrated on average over it; here nearly so
    assert found.table["coverage"].min() > 0.75


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"truth": {"beta[z]": 1}}, "parameter"),
        ({"truth": {"sd[g: Intercept]": -1}}, "it is at least 0"),
        ({"truth": {"sigma": 0}}, "it is above 0"),
        ({"truth": {"beta[x]": "a"}}, "give numbers by label"),
        ({"truth": 5}, "the truth is 5; give numbers by label"),
        ({"methods": ["wald"]}, "method"),
        ({"methods": ["z", "z"]}, "twice"),
        ({"methods": ["kenward-roger"], "criterion": "ML"}, "REML"),
        ({"n": 100, "error": 0.005}, "takes n=1900"),
        ({"n": 0}, "n"),
        ({"prob": 95}, "probability"),
    ],
)
def test_bad_inputs_are_told_before_any_work(model, asked, said):
    with pytest.raises(OptionError, match=said):
        bl.calibrate(model, **{"progress": False, **asked})


def test_a_residual_with_parameters_is_refused():
    ar1 = bl.correlation.AR1("1 | Mare")
    with pytest.raises(OptionError, match=r"bl.calibrate needs .* has phi\[AR1\]"):
        bl.calibrate(bl.LinearMixedModel("follicles ~ Time", bl.load_dataset("Ovary"), correlation=ar1), n=5)


def test_a_truth_of_another_model_is_refused(model):
    other = bl.LinearMixedModel("y ~ 1 + (1 | g)", one_way(8, 4)).fit()
    with pytest.raises(OptionError, match="this model has"):
        bl.calibrate(model, truth=other, progress=False)


@pytest.mark.parametrize("word", sorted(Method.kinds()))
def test_every_method_speaks(model, word):
    if word == "nuts":
        pytest.skip("compiles a graph; its own test is slow")
    method = Bootstrap(n=39) if word == "bootstrap" else word
    found = bl.calibrate(model, truth=TRUTH, n=3, seed=1, methods=[method], progress=False)
    assert (found.table.loc["beta[x]", "n"] == 3).all()


DESIGNS = {
    "balanced": ("y ~ x + (1 | g)", one_way(8, 4), {"sd[g: Intercept]": 1.0}),
    "few groups": ("y ~ x + (1 | g)", one_way(5, 6), {"sd[g: Intercept]": 0.7}),
    "near the boundary": ("y ~ x + (1 | g)", one_way(10, 3), {"sd[g: Intercept]": 0.2}),
    "unbalanced": ("y ~ x + (1 | g)", one_way(8, 6).iloc[[*range(20), *range(24, 48, 2)]], {}),
    "slopes": ("y ~ z + (z | g)", one_way(10, 6).assign(z=np.tile(np.arange(6.0), 10)), {}),
    "crossed": ("y ~ x + (1 | g) + (1 | h)", one_way(8, 4).assign(h=list("pqrs") * 8), {}),
}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::bayeslmm.errors.BayesLMMWarning")
@pytest.mark.parametrize("design", DESIGNS)
def test_coverage_is_that_of_public_calls_on_data_of_their_own(design):
    """Brute force shares no random number with the study."""
    formula, data, named = DESIGNS[design]
    model = bl.LinearMixedModel(formula, data)
    fixed = dict.fromkeys(("sd[g: Intercept]", "sd[g: z]", "sd[h: Intercept]", "sigma"), 0.5)
    labels = parameter_labels(model.design)
    own = {label: value for label, value in (fixed | named).items() if label in labels}
    found = bl.calibrate(model, truth=own, n=400, seed=5, methods=QUICK[:4], progress=False)
    at = standing_at(found.truth, model.design, "REML", formula, model.recipe)
    simulated = NormalRows(model.design, at.theta_values, found.truth["sigma"])
    rng, hits = np.random.default_rng(11), []
    beta = found.truth.filter(like="beta").to_numpy()
    for _ in range(100):
        y = model.design.X @ beta + simulated(rng).y
        fit = at.refit(y)
        limits = [fit.coef_table(ddf=ddf) for ddf in ("normal", "satterthwaite", "kenward-roger")]
        limits += [fit.profile(found.labels[: len(beta)]).confint()]
        hits.append([(t["lower"] <= beta) & (beta <= t["upper"]) for t in limits])
    shares = np.mean(hits, axis=0)
    for word, share in zip(QUICK[:4], shares, strict=True):
        for i, label in enumerate(found.labels[: len(beta)]):
            one = found.table.loc[(label, word), "coverage"]
            pooled = (400 * one + 100 * share[i] + 2) / 504
            error = np.sqrt(pooled * (1 - pooled) * (1 / 400 + 1 / 100))
            assert abs(one - share[i]) < 3.5 * error, (label, word)


@pytest.mark.slow
def test_nuts_speaks(model):
    found = bl.calibrate(model, truth=TRUTH, n=2, seed=1, methods=["nuts", "eti"], progress=False)
    apart = found.said("nuts").lower - found.said("eti").lower
    assert np.abs(apart).max() < 0.5


def test_the_figure_has_every_method_of_every_estimand(found):
    figure = found.plot()
    drawn = sum(len(trace.x) for trace in figure.data)
    assert drawn == 2 * len(found.table)
