import pickle
from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from bayeslmm.errors import FormulaError, OptionError
from bayeslmm.spec.model_spec import ModelSpec


def test_reads_the_formula() -> None:
    spec = ModelSpec("y ~ x + offset(z) + (x || a/b) + (1 | a:b)")
    assert (spec.response, spec.fixed) == ("y", "1 + x")
    assert spec.groups == ("a", "a:b")
    assert spec.bars_of("a:b") == (1, 2)
    assert [offset.variables for offset in spec.offsets] == [("z",)]
    assert spec.sigma_free


def test_sigma_isnt_free_when_known() -> None:
    assert not ModelSpec("y ~ x", sigma=1).sigma_free


def test_immutable_and_picklable() -> None:
    spec = ModelSpec("y ~ x + (x | g)", contrasts={"f": "sum"}, sigma=2.0)
    with pytest.raises(FrozenInstanceError):
        spec.formula = "y ~ z"  # type: ignore[misc]
    again = pickle.loads(pickle.dumps(spec))
    assert (again.formula, again.parsed, again.contrasts, again.sigma) == (
        spec.formula,
        spec.parsed,
        {"f": "sum"},
        2.0,
    )


@pytest.mark.parametrize("sigma", [0, -1.0, float("inf"), float("nan"), "1"])
def test_sigma_is_a_positive_number(sigma: object) -> None:
    with pytest.raises(OptionError, match="positive number"):
        ModelSpec("y ~ x", sigma=sigma)  # type: ignore[arg-type]


def test_bad_options_and_formulas() -> None:
    with pytest.raises(OptionError, match="did you mean 'drop'"):
        ModelSpec("y ~ x", missing="drp")  # type: ignore[arg-type]
    for what, given in (("contrasts", "sum"), ("functions", np.log), ("covariance", np.eye(2))):
        with pytest.raises(OptionError, match=f"{what}= is a mapping from"):
            ModelSpec("y ~ x + (1 | g)", **{what: given})
    with pytest.raises(FormulaError, match="never closed"):
        ModelSpec("y ~ (x | g")
