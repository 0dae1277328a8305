"""Both engines for real, on small data: what parity says of right and of wrong posteriors."""

from dataclasses import replace

import numpy as np
import pytest

from bayeslmm.datasets import load_dataset
from bayeslmm.errors import InputError
from bayeslmm.likelihood.fit import fit
from bayeslmm.likelihood.fitted import FitOptions
from bayeslmm.parity.compare import compare
from bayeslmm.posterior.options import SampleOptions
from bayeslmm.posterior.sample import sample
from bayeslmm.spec.build import build
from bayeslmm.spec.model_spec import ModelSpec
from bayeslmm.spec.priors import default_priors

FORMULA = "Reaction ~ Days + (Days | Subject)"
OPTIONS = SampleOptions(seed=1, method="importance", progress=False)


def design_of(formula, name="sleepstudy"):
    return build(ModelSpec(formula), load_dataset(name)).design


def posterior_of(design):
    return sample(design, default_priors(design), OPTIONS)


@pytest.fixture(scope="module")
def right():
    design = design_of(FORMULA)
    return fit(design, FitOptions(), FORMULA), posterior_of(design)


def test_the_sleep_study_is_explained(right):
    par = compare(*right)
    assert par.verdicts.explained
    assert par.verdicts["beta[Days]"] == "agree"
    assert par.verdicts["sd[Subject: Days]"] == "skewed"
    assert par.certificate.max_deviation < 1e-8
    assert len(par.table) == 42
    assert par.formula == FORMULA


def test_the_record_has_seed_and_options(right):
    manifest = compare(*right).manifest
    assert manifest.seeds["posterior"] == 1
    assert manifest.options["posterior"]["method"] == "importance"
    assert manifest.options["fit"]["criterion"] == "REML"


def test_plots_show_the_results(right):
    par = compare(*right)
    assert len(par.plot_forest().layout.annotations) == 6
    assert len(par.plot_densities().layout.annotations) == 6
    titles = [note.text for note in par.plot_shrinkage().layout.annotations]
    assert titles == ["<b>Subject: Intercept</b>", "<b>Subject: Days</b>"]


def test_another_model_is_refused_and_as_a_bare_table_disagrees(right):
    fitted, _ = right
    wrong = posterior_of(design_of("Reaction ~ Days + (1 | Subject)"))
    with pytest.raises(InputError, match="different models"):
        compare(fitted, wrong)
    verdicts = compare(fitted, wrong.estimates(ranef=True)).verdicts
    assert verdicts["sigma"] == "prior unknown"
    assert verdicts["sd[Subject: Intercept]"] == "prior unknown"
    assert verdicts["sd[Subject: Days]"] == "unresolved"
    assert not verdicts.explained


def test_an_estimate_of_another_model_disagrees_with_the_models_own(right):
    other = fit(design_of("Reaction ~ Days + (1 | Subject)"), FitOptions()).estimates()
    verdicts = compare(other, right[1]).verdicts
    assert verdicts["sigma"] == "disagree"
    assert "the estimate given and the model's own" in verdicts.sentence("sigma")
    assert verdicts["beta[Days]"] == "wider"


def test_a_run_of_another_posterior_is_found_by_the_run_check(right):
    fitted, posterior = right
    shifted = posterior_of(posterior.design.with_response(posterior.design.y + 30))
    table = shifted.estimates(ranef=True)
    run = compare(fitted, replace(posterior, data=shifted.data)).verdicts
    assert table.row("beta[Intercept]")["mean"] > 275
    assert run["beta[Intercept]"] == "agree"
    assert run.run_check("beta[Intercept]") == "disagree"
    assert run.run_check("beta[Days]") == "passed"
    assert not run.explained
    assert "run check" in run.headline


def test_a_shifted_response_disagrees(right):
    fitted, posterior = right
    design = posterior.design
    shifted = posterior_of(design.with_response(design.y + 30))
    with pytest.raises(InputError, match="different data"):
        compare(fitted, shifted)
    verdicts = compare(fitted, shifted.estimates(ranef=True)).verdicts
    assert verdicts["beta[Intercept]"] == "prior unknown"
    assert verdicts["beta[Days]"] == "agree"


def test_a_strong_prior_is_named_as_the_cause(right):
    fitted, posterior = right
    design = posterior.design
    from bayeslmm.spec.priors import Normal

    priors = default_priors(design).replace({"beta[Days]": Normal(5.0, 2.0)})
    par = compare(fitted, sample(design, priors, OPTIONS))
    assert par.verdicts["beta[Days]"] == "prior-driven"
    with pytest.deprecated_call(match="par.ladder"):
        assert par.prior_pull["beta[Days]"] < -1


def test_zero_variance_is_the_boundary_with_its_effects():
    design = design_of("Yield ~ 1 + (1 | Batch)", "Dyestuff2")
    with pytest.warns(UserWarning, match="singular"):
        fitted = fit(design, FitOptions())
    verdicts = compare(fitted, posterior_of(design)).verdicts
    assert verdicts["sd[Batch: Intercept]"] == "boundary"
    assert set(verdicts.noteworthy["verdict"]) == {"boundary"}
    assert len(verdicts.noteworthy) == 6
    assert verdicts["beta[Intercept]"] == "wider"
    assert repr(verdicts).count("is singular") == 1


def test_few_draws_are_not_enough(right):
    fitted, posterior = right
    few = sample(posterior.design, posterior.priors, replace(OPTIONS, draws=15))
    par = compare(fitted, few)
    assert par.verdicts.frame["verdict"].equals(compare(*right).verdicts.frame["verdict"])
    assert (par.verdicts.frame["run_check"] == "passed").sum() < 20
    assert np.isfinite(few.estimates().frame["mean"]).all()
