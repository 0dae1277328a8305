"""The recipe makes of new rows what the design made of the old."""

import pickle

import numpy as np
import pandas as pd
import pytest

from bayeslmm.datasets import load_dataset
from bayeslmm.errors import DataError, DesignWarning, OptionError
from bayeslmm.spec.build import build
from bayeslmm.spec.in_memory import Built
from bayeslmm.spec.model_spec import ModelSpec

FORMULAS = [
    ("sleepstudy", "Reaction ~ poly(Days, 3) + (poly(Days, 2) | Subject)"),
    ("sleepstudy", "Reaction ~ bs(Days, df=5) + (bs(Days, df=4) | Subject)"),
    ("sleepstudy", "Reaction ~ scale(Days) + center(Days):Days + offset(2 * Days) + (Days || Subject)"),
    ("cake", "angle ~ temperature * recipe + (temp | replicate) + (1 | recipe:replicate)"),
    ("Oats", "yield ~ nitrof * Variety + (1 | Block/Variety)"),
    ("ham", "log(Informed.liking) ~ Product * Gender + Age + (Product | Consumer)"),
    ("Machines", "score ~ C(Machine, contr.sum) + (0 + Machine | Worker)"),
]


@pytest.mark.parametrize(("dataset", "formula"), FORMULAS)
@pytest.mark.parametrize("pickled", [False, True])
def test_old_rows_again(dataset: str, formula: str, pickled: bool) -> None:
    data = load_dataset(dataset)
    built = build(ModelSpec(formula), data)
    recipe = pickle.loads(pickle.dumps(built.recipe)) if pickled else built.recipe
    some = np.random.default_rng(0).permutation(len(data))[:7]
    new = recipe.replay(data.iloc[some].drop(columns="Reaction", errors="ignore"))
    np.testing.assert_allclose(new.X, built.design.X[some], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(new.offset, built.design.offset[some])
    np.testing.assert_array_equal(new.rows, np.arange(7))
    for block in built.design.blocks:
        np.testing.assert_allclose(
            new.blocks[block.group].columns, block.columns[some], rtol=1e-12, atol=1e-12
        )
        np.testing.assert_array_equal(new.blocks[block.group].codes, block.codes[some])


@pytest.fixture
def built() -> Built:
    data = load_dataset("sleepstudy").assign(kind=["a", "b", "c"] * 60)
    return build(ModelSpec("Reaction ~ Days * kind + (Days | Subject) + (1 | Subject:kind)"), data)


def test_one_row_of_plain_text(built: Built) -> None:
    new = built.recipe.replay(pd.DataFrame({"Days": [10], "kind": ["b"], "Subject": [308]}))
    np.testing.assert_array_equal(new.X, [[1, 10, 1, 0, 10, 0]])
    assert new.blocks["Subject"].codes[0] == 0


def test_unseen_groups_have_no_code(built: Built) -> None:
    new = built.recipe.replay(pd.DataFrame({"Days": [0, 1], "kind": ["a", "b"], "Subject": ["999", None]}))
    for block in new.blocks.values():
        np.testing.assert_array_equal(block.codes, [-1, -1])


def test_only_what_is_asked_is_needed(built: Built) -> None:
    rows = pd.DataFrame({"Days": [0], "kind": ["a"]})
    assert built.recipe.replay(rows, groups=()).blocks == {}
    with pytest.raises(DataError, match="'Subject' is not in the data; without it, random='none' predicts"):
        built.recipe.replay(rows)
    with pytest.raises(OptionError, match="did you mean 'Subject'"):
        built.recipe.replay(rows, groups=["Subjct"])


def test_incomplete_rows_are_left_out(built: Built) -> None:
    rows = pd.DataFrame({"Days": [0, np.nan, 2], "kind": ["a", "b", "c"]})
    new = built.recipe.replay(rows, groups=())
    np.testing.assert_array_equal(new.rows, [0, 2])
    assert len(new.X) == 2


def test_unseen_level_of_a_fixed_factor(built: Built) -> None:
    with pytest.raises(
        DataError, match="level 'z' of 'kind' wasn't in the fitted data; its levels are 'a', 'b', 'c'"
    ):
        built.recipe.replay(pd.DataFrame({"Days": [0], "kind": ["z"]}), groups=())


def test_unseen_level_of_a_factor_made_in_the_formula() -> None:
    built = build(ModelSpec("Reaction ~ factor(Days)"), load_dataset("sleepstudy"))
    with pytest.raises(DataError, match="wasn't in the fitted data"):
        built.recipe.replay(pd.DataFrame({"Days": [11]}))


def test_dropped_columns_stay_dropped() -> None:
    oats = load_dataset("Oats")
    with pytest.warns(DesignWarning):
        built = build(ModelSpec("yield ~ nitro + nitrof + (1 | Block)"), oats)
    new = built.recipe.replay(oats.iloc[::-1])
    np.testing.assert_array_equal(new.X, built.design.X[::-1])


def test_offsets_of_the_formula_are_replayed_and_the_one_apart_is_read() -> None:
    data = load_dataset("sleepstudy")
    built = build(ModelSpec("Reaction ~ 1 + offset(Days)", offset="Days"), data)
    np.testing.assert_array_equal(built.recipe.replay(data).offset, data["Days"])
    np.testing.assert_array_equal(built.recipe.offset.of_rows(data), data["Days"])


def test_terms_of_the_fixed_part() -> None:
    oats = load_dataset("Oats_emptycell")
    with pytest.warns(DesignWarning):
        built = build(ModelSpec("yield ~ nitrof * Variety + (1 | Block)"), oats)
    terms = {term.name: term for term in built.recipe.terms}
    assert list(terms) == ["Intercept", "nitrof", "Variety", "nitrof:Variety"]
    assert terms["nitrof:Variety"].factors == ("nitrof", "Variety")
    assert [column for term in terms.values() for column in term.columns] == list(range(built.design.p))
    assert len(terms["nitrof:Variety"].columns) == 5


@pytest.mark.parametrize(
    ("days", "words"), [(np.inf, "'Days' is inf in row 1"), (1e200, "'Days' is 1e.200 at most, whose square")]
)
def test_new_rows_are_numbers_that_can_be_squared(built: Built, days: float, words: str) -> None:
    rows = pd.DataFrame({"Days": [0.0, days], "kind": ["a", "b"], "Subject": ["308", "309"]})
    with pytest.raises(DataError, match=words):
        built.recipe.replay(rows)
