import pickle

import pytest

import bayeslmm as bl
from bayeslmm import errors


def test_every_error_is_ours_and_a_builtin_kind() -> None:
    for kind in (errors.FormulaError, errors.DataError, errors.OptionError, errors.PriorError):
        assert issubclass(kind, errors.InputError)
        assert issubclass(kind, ValueError)
    assert issubclass(errors.OutputError, errors.BayesLMMError)
    assert issubclass(errors.OutputError, OSError)


@pytest.mark.parametrize(
    ("name", "choices", "expected"),
    [
        ("Subjct", ["Subject", "Days"], "Subject"),
        ("subject", ["Subject", "Days"], "Subject"),
        ("xyz", ["Subject", "Days"], None),
        ("Days", [], None),
    ],
)
def test_nearest(name: str, choices: list[str], expected: str | None) -> None:
    assert errors.nearest(name, choices) == expected


def test_check_choice_returns_what_was_given() -> None:
    assert errors.check_choice("criterion", "ML", ("ML", "REML")) == "ML"


def test_check_choice_names_the_choices_and_the_nearest() -> None:
    with pytest.raises(errors.OptionError, match=r"criterion 'REMLL'.*did you mean 'REML'\?.*'ML', 'REML'"):
        errors.check_choice("criterion", "REMLL", ("ML", "REML"))


def test_errors_pickle() -> None:
    error = pickle.loads(pickle.dumps(errors.DataError("no rows")))
    assert str(error) == "no rows"


def test_a_warning_points_at_the_line_that_asked():
    model = bl.LinearMixedModel("Yield ~ 1 + (1 | Batch)", bl.load_dataset("Dyestuff2"))
    with pytest.warns(errors.SingularFitWarning) as seen:
        model.fit()
    assert {each.filename for each in seen} == {__file__}
