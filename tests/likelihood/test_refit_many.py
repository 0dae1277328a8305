"""Refits of many responses against refits one by one."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import bayeslmm as bl
from bayeslmm.errors import OptionError


@pytest.mark.filterwarnings("ignore::bayeslmm.errors.SingularFitWarning")
@pytest.mark.parametrize(
    ("formula", "dataset", "criterion"),
    [
        ("Reaction ~ Days + (Days | Subject)", "sleepstudy", "REML"),
        ("strength ~ 1 + (1 | batch / cask)", "Pastes", "ML"),
        ("Yield ~ 1 + (1 | Batch)", "Dyestuff2", "REML"),
        ("Reaction ~ Days", "sleepstudy", "REML"),
    ],
)
def test_each_is_the_fit_of_its_response(formula: str, dataset: str, criterion: str) -> None:
    fit = bl.LinearMixedModel(formula, bl.load_dataset(dataset)).fit(criterion)
    responses = 1e6 + fit.simulate(6, seed=1).to_numpy().T
    found = fit.refit_many(responses)
    for i, y in enumerate(responses):
        single = fit.refit(y)
        assert_allclose(found.criterion[i], single.criterion_value, atol=1e-7)
        assert_allclose(found.beta[i], single.beta, rtol=1e-9)
        assert_allclose(found.sigma[i], single.sigma, rtol=1e-5)
        assert_allclose(found.theta[i], single.theta, atol=1e-4)
        assert found.singular[i] == single.is_singular
    assert not found.failed.any()


def test_responses_of_another_length_are_refused() -> None:
    fit = bl.LinearMixedModel("Reaction ~ Days + (1 | Subject)", bl.load_dataset("sleepstudy")).fit()
    with pytest.raises(OptionError, match=r"\(3, 7\); give \(m, 180\)"):
        fit.refit_many(np.zeros((3, 7)))
    with pytest.raises(OptionError, match="responses is 'a', which isn't numbers"):
        fit.refit_many("a")
    with pytest.raises(OptionError, match="seed is a whole number"):
        fit.simulate(2, seed="a")
