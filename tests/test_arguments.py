"""What users of other packages write: the package's own error, in its own words."""

import inspect

import pandas as pd
import pytest

import bayeslmm as bl
from bayeslmm.arguments import check_arguments, in_our_words
from bayeslmm.errors import OptionError

FORMULA = "Reaction ~ Days + (1 | Subject)"


@pytest.fixture(scope="module")
def model():
    return bl.LinearMixedModel(FORMULA, bl.load_dataset("sleepstudy"))


@pytest.fixture(scope="module")
def fit(model):
    return model.fit()


CALLS = {
    "lme4's REML": (lambda model, fit: model.fit(REML=False), r"fit\(\).*criterion='ML'"),
    "statsmodels' reml": (lambda model, fit: model.fit(reml=False), "criterion='ML'"),
    "lme4's level": (lambda model, fit: fit.confint(level=0.9), r"confint\(\).*called prob"),
    "PyMC's seed": (lambda model, fit: model.sample(random_seed=1), r"sample\(\).*called seed"),
    "brms' warmup": (lambda model, fit: model.sample(warmup=9), "called tune"),
    "the bootstrap's": (lambda model, fit: fit.bootstrap(random_state=1), r"bootstrap\(\).*called seed"),
    "lme4's nsim": (lambda model, fit: fit.simulate(nsim=2), "called n "),
    "lme4's re.form": (lambda model, fit: fit.predict(re_form=None), "called random"),
    "statsmodels' exog": (lambda model, fit: fit.predict(exog=None), "called newdata"),
    "brms' prior": (lambda model, fit: bl.LinearMixedModel(FORMULA, model.data, prior={}), "called priors"),
    "nlme's": (lambda model, fit: bl.LinearMixedModel(FORMULA, model.data, na_action=1), "missing='drop'"),
    "ArviZ's": (lambda model, fit: bl.compare(fit, hdi_prob=0.9), r"compare\(\).*called prob"),
    "misspelt": (lambda model, fit: fit.confint(porb=0.9), "did you mean 'prob'"),
    "misspelt in sample": (lambda model, fit: model.sample(core=1), "did you mean 'cores'"),
    "unlike any": (lambda model, fit: fit.glance(zzz=1), "takes none"),
    "of a model": (lambda model, fit: bl.anova(model, fit, REML=True), "called criterion"),
}


@pytest.mark.parametrize(("call", "told"), CALLS.values(), ids=CALLS)
def test_foreign_arguments_are_explained(model, fit, call, told):
    with pytest.raises(OptionError, match=told):
        call(model, fit)


def test_signatures_stay(model):
    assert list(inspect.signature(bl.LinearMixedModel.fit).parameters)[:2] == ["self", "criterion"]
    assert inspect.signature(model.fit).parameters["criterion"].default == "REML"
    assert next(iter(inspect.signature(bl.compare).parameters)) == "results"


def test_a_function_that_takes_anything_is_given_it():
    def verb(**others):
        return others

    assert in_our_words(verb)(a=1, ddf=2) == {"a": 1, "ddf": 2}
    check_arguments("verb", ["a"], ["a", "b"])


def test_anova_takes_models(model):
    smaller = model.update(". ~ . - Days")
    of_models = bl.anova(smaller, model)
    of_fits = bl.anova(smaller.fit(), model.fit())
    pd.testing.assert_frame_equal(pd.DataFrame(of_models), pd.DataFrame(of_fits))
    with pytest.raises(OptionError, match="got a str"):
        bl.anova("a", model)


def test_a_model_is_not_inside_itself(model):
    with pytest.raises(OptionError, match="neither is inside the other"):
        bl.anova(model, model)
