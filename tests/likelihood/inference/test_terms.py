import numpy as np
import pytest

from bayeslmm.datasets import load_dataset
from bayeslmm.errors import OptionError
from bayeslmm.likelihood.fit import LikelihoodFit, fit
from bayeslmm.likelihood.fitted import FitOptions
from bayeslmm.likelihood.inference.term_contrasts import contrasts, sequential
from bayeslmm.spec.build import build
from bayeslmm.spec.model_spec import ModelSpec


def ratpup(formula: str, **options: object) -> LikelihoodFit:
    design, recipe = build(ModelSpec(formula, **options), load_dataset("RatPupWeight"))
    return fit(design, FitOptions(), formula, recipe)


@pytest.mark.parametrize("contrast", ["sum", "helmert"])
@pytest.mark.parametrize("type_", [1, 2, 3])
def test_a_term_is_tested_whatever_its_coding(type_: int, contrast: str) -> None:
    formula = "weight ~ Treatment * sex + Lsize + (1 | Litter)"
    coded = ratpup(formula, contrasts={"Treatment": contrast, "sex": contrast})
    plain = ratpup(formula)
    np.testing.assert_allclose(coded.anova(type_)["F"], plain.anova(type_)["F"], rtol=1e-7)


def test_sequential_rows_are_those_of_ldl() -> None:
    X = np.random.default_rng(1).normal(size=(20, 4))
    U = sequential(X)
    D = U @ np.linalg.inv(X.T @ X) @ U.T
    np.testing.assert_allclose(D, np.diag(np.diag(D)), atol=1e-12)
    np.testing.assert_allclose(np.diag(U), 1)


def test_type_two_respects_margins() -> None:
    """A main effect is tested beside the other, not beside their interaction."""
    full, additive = (ratpup(f"weight ~ Treatment {op} sex + (1 | Litter)") for op in "*+")
    rows = contrasts(full, 2)["sex"]
    assert rows.shape == (1, full.design.p)
    X = full.design.X
    inner = np.linalg.inv(X.T @ X)
    adjusted = rows @ inner @ X.T @ X
    assert contrasts(additive, 2)["sex"].shape == (1, additive.design.p)
    np.testing.assert_allclose(adjusted, rows, atol=1e-10)
    # orthogonal to what the additive model tests after it: Treatment:sex is free to be anything
    assert np.any(np.abs(rows[0][-2:]) > 0.1)


def test_no_terms_no_rows(fitter) -> None:
    assert len(fitter("Yield ~ 1 + (1 | Batch)", "Dyestuff").anova()) == 0


def test_bad_input(sleep: LikelihoodFit) -> None:
    with pytest.raises(OptionError, match="1, 2 and 3"):
        sleep.anova(type=4)
    bare = LikelihoodFit(sleep.design, sleep.options, sleep.optimum)
    with pytest.raises(OptionError, match="bare design"):
        bare.anova()
