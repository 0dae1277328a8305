"""What users of other packages write by habit: every answer given can be run."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest

import bayeslmm as bl
from bayeslmm.errors import DataError, FormulaError, InputError, OptionError, PriorError
from bayeslmm.habits import ARGUMENTS, CHOICES, ELSEWHERE, NAMES

LONG = ("sample(", "rank_by")


def _data():
    rng = np.random.default_rng(1)
    g, t = (axis.ravel() for axis in np.meshgrid(np.arange(12), np.arange(6), indexing="ij"))
    frame = pd.DataFrame({"g": g, "t": t, "f": np.where(t % 2, "a", "b"), "x": rng.normal(size=len(g))})
    return frame.assign(y=frame.x + rng.normal(size=12)[g] + rng.normal(size=len(g)))


@pytest.fixture(scope="module")
def names():
    """What answers are written with."""
    data, formula = _data(), "y ~ f + x + (1 | g)"
    model = bl.LinearMixedModel(formula, data)
    smaller = bl.LinearMixedModel("y ~ f + x", data)
    fit = model.fit()
    return {
        "bl": bl,
        "formula": formula,
        "data": data,
        "newdata": data.head(2),
        "y": data["y"],
        "model": model,
        "fit": fit,
        "boot": fit.bootstrap(n=20, seed=1),
        "post": model.sample(draws=50, tune=50, chains=2, seed=1, method="quadrature"),
        "smaller": smaller,
        "larger": model,
    }


ANSWERS = sorted({answer for answers in NAMES.values() for answer in answers})


@pytest.mark.filterwarnings("ignore::bayeslmm.errors.BayesLMMWarning")
@pytest.mark.parametrize("answer", [each for each in ANSWERS if not any(word in each for word in LONG)])
def test_an_answer_runs(answer, names):
    assert eval(answer.replace("n=1000", "n=10"), dict(names)) is not None


CALLS = {
    "lme4's VarCorr": ("fit.VarCorr()", r"LikelihoodFit has no 'VarCorr'; here it is fit.varcorr"),
    "lme4's lmer": ("bl.lmer", r"bayeslmm has no 'lmer'; here it is bl.LinearMixedModel"),
    "emmeans'": ("fit.emmeans('f')", r"fit.marginal_means\('f'\)"),
    "pairs of means": ("fit.marginal_means('f').pairs()", r"contrasts\('pairwise'\)"),
    "statsmodels' params": ("fit.params", "fit.beta"),
    "of a posterior": ("post.fixef", "post.summary"),
    "of a model": ("model.get_prior()", "model.priors"),
    "nlme's structure": ("bl.correlation.corAR1", r"bl.correlation.AR1\('t | g'\)"),
    "nlme's variance": ("bl.variance.varIdent", r"bl.variance.Ident\('f'\)"),
    "a misspelt name": ("fit.confin()", "did you mean 'confint'"),
    "a misspelt function": ("bl.bootstrap_lrr", "did you mean 'bootstrap_lrt'"),
    "unlike any": ("fit.zzzzzz", "has no 'zzzzzz'$"),
}


@pytest.mark.parametrize(("call", "told"), CALLS.values(), ids=CALLS)
def test_a_foreign_name_is_explained(call, told, names):
    with pytest.raises(AttributeError, match=told):
        eval(call, dict(names))


REFUSED = {
    "REML of a model": ("bl.LinearMixedModel(formula, data, REML=False)", OptionError, r"model.fit\('ML'\)"),
    "a family": ("bl.LinearMixedModel(formula, data, family='binomial')", OptionError, "Bambi or brms"),
    "nlme's random": ("bl.LinearMixedModel('y ~ x', data, random='~1|g')", OptionError, r"\(1 \| g\)"),
    "two fits": ("fit.anova(fit)", OptionError, r"bl.anova\(smaller, larger\)"),
    "brms' prior": (
        "model.with_priors({'beta[x]': 'normal(0, 5)'})",
        PriorError,
        r"bayeslmm.Normal\(mean, sd\)",
    ),
    "brms' t": ("model.with_priors({'sigma': 'student_t(3, 0, 1)'})", PriorError, r"StudentT\(df, "),
    "emmeans' adjust": ("fit.marginal_means('f').contrasts(adjust='bonferroni')", OptionError, "mean 'holm'"),
    "its contrasts": ("fit.marginal_means('f').contrasts('trt.vs.ctrl')", OptionError, "mean 'reference'"),
    "ddf in short": ("fit.coef_table(ddf='KR')", OptionError, "mean 'kenward-roger'"),
    "mgcv's smooth": ("bl.LinearMixedModel('y ~ s(x) + (1 | g)', data)", FormulaError, "write bs"),
    "a comma": ("bl.LinearMixedModel('y ~ x + (1, g)', data)", FormulaError, r"comma .*\n.*\n +\^"),
    "no group": ("fit.predict({'x': 1.0, 'f': 'a'})", DataError, "random='none'"),
}


@pytest.mark.parametrize(("call", "error", "told"), REFUSED.values(), ids=REFUSED)
def test_a_foreign_value_is_explained(call, error, told, names):
    with pytest.raises(error, match=told):
        eval(call, dict(names))


def test_words_are_looked_up_in_small_letters():
    assert all(word == word.lower() for table in (ARGUMENTS, ELSEWHERE, NAMES, CHOICES) for word in table)


def test_what_is_there_is_no_unknown_name(names):
    """A property's own error is not hidden by the explanation; copies are whole."""
    fit = names["fit"]
    assert not hasattr(fit, "VarCorr")
    with pytest.raises(InputError):
        _ = fit.lmer
    for again in (copy.deepcopy(fit), pickle.loads(pickle.dumps(fit))):
        assert again.criterion_value == fit.criterion_value


def test_a_property_that_fails_says_its_own(monkeypatch, names):
    def broken(self):
        return self.design.nothing_of_the_kind

    monkeypatch.setattr(type(names["fit"]), "broken", property(broken), raising=False)
    with pytest.raises(AttributeError, match="nothing_of_the_kind"):
        _ = names["fit"].broken
