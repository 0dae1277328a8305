"""A known covariance between levels: what it may be, and what it makes of the levels."""

import numpy as np
import pandas as pd
import pytest

from bayeslmm.errors import DataError, OptionError
from bayeslmm.spec.build import build
from bayeslmm.spec.in_memory import Built
from bayeslmm.spec.model_spec import ModelSpec

LEVELS = ["a", "b", "c", "d"]


def animals(n: int = 24) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {"y": rng.normal(size=n), "animal": np.resize(LEVELS, n), "pen": np.repeat(["p", "q"], n // 2)}
    )


def relationship(levels: list[str]) -> pd.DataFrame:
    J = len(levels)
    lag = np.abs(np.subtract.outer(np.arange(J), np.arange(J)))
    return pd.DataFrame(0.5**lag, index=levels, columns=levels)


def built(K: object, formula: str = "y ~ 1 + (1 | animal)", group: str = "animal") -> Built:
    return build(ModelSpec(formula, covariance={group: K}), animals())


def test_rows_are_found_by_name_in_any_order() -> None:
    K = relationship(LEVELS)
    block = built(K.loc[["c", "a", "d", "b"], ["d", "c", "b", "a"]]).design.blocks[0]
    assert block.known is not None
    np.testing.assert_allclose(block.known @ block.known.T, K, atol=1e-15)
    assert built(K.to_numpy()).design.blocks[0].known is not None


def test_levels_without_data_come_last() -> None:
    K = relationship(["z", *LEVELS, "e"])
    made = built(K)
    block = made.design.blocks[0]
    assert block.levels == (*LEVELS, "z", "e")
    assert block.known is not None
    order = list(block.levels)
    np.testing.assert_allclose(block.known @ block.known.T, K.loc[order, order], atol=1e-15)
    rows = pd.DataFrame({"animal": ["e", "a", "nobody"]})
    assert made.recipe.replay(rows).blocks["animal"].codes.tolist() == [5, 0, -1]


@pytest.mark.parametrize("number", [False, True])
def test_levels_of_an_interaction_may_be_tuples(number: bool) -> None:
    data = animals().assign(pen=np.resize(["p:1", "q"], 24) if not number else np.resize([1.0, 2.0], 24))
    data = data.assign(animal=np.repeat(LEVELS, 6))
    spec = "y ~ 1 + (1 | animal:pen)"
    levels = list(build(ModelSpec(spec), data).design.blocks[0].levels)
    pairs = [(animal, pen) for animal in LEVELS for pen in sorted(data["pen"].unique())]
    K = relationship(levels)
    found = []
    for names in (levels, pairs, pd.MultiIndex.from_tuples(pairs)):
        named = pd.DataFrame(K.to_numpy(), index=pd.Index(names), columns=pd.Index(names)).iloc[::-1]
        block = build(ModelSpec(spec, covariance={"animal:pen": named}), data).design.blocks[0]
        assert list(block.levels) == levels
        found.append(block.known)
    np.testing.assert_array_equal(found[1], found[0])
    np.testing.assert_array_equal(found[2], found[0])


def test_one_record_a_level_is_enough() -> None:
    data = animals().assign(animal=[f"x{i}" for i in range(24)])
    K = relationship(data["animal"].tolist())
    assert build(ModelSpec("y ~ 1 + (1 | animal)", covariance={"animal": K}), data).design.q == 24
    alone = build(ModelSpec("y ~ 1 + (1 | animal)"), data).design.unidentified
    assert alone is not None
    assert "as many levels as rows" in alone


def changed(place: tuple[int, int], value: float) -> pd.DataFrame:
    K = relationship(LEVELS).to_numpy().copy()
    K[place] = value
    return pd.DataFrame(K, index=LEVELS, columns=LEVELS)


@pytest.mark.parametrize(
    ("K", "message"),
    [
        (changed((0, 1), 0.9), "isn't symmetric: elements differ by 0.4"),
        (
            pd.DataFrame(np.ones((4, 4)), index=LEVELS, columns=LEVELS),
            "isn't positive definite: its smallest",
        ),
        (changed((2, 2), np.nan), "values that are missing or infinite"),
        (relationship(["a", "b", "d"]), "doesn't name level 'c'; every level"),
        (relationship(["a", "d"]), r"doesn't name level 'b' \(and 1 more\)"),
        (relationship(LEVELS).set_axis(["a", "b", "c", "e"]), "don't name the same levels"),
        (relationship(["a", "a", "c", "d"]), "don't name the same levels"),
        (np.eye(3), r"shape \(3, 3\) for 4 levels; give a DataFrame"),
        ([["x"]], "isn't a matrix of numbers"),
        (1e200 * np.eye(4), "whose square is beyond floating point"),
    ],
)
def test_bad_matrices(K: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        built(K)


def test_a_group_that_is_not_there() -> None:
    with pytest.raises(OptionError, match=r"no such grouping factor.*did you mean 'animal'"):
        built(np.eye(4), group="animals")


def test_a_matrix_needs_its_group() -> None:
    with pytest.raises(OptionError, match="mapping from grouping factors to matrices"):
        ModelSpec("y ~ 1 + (1 | animal)", covariance=np.eye(4))  # type: ignore[arg-type]


def test_extra_levels_of_an_interaction() -> None:
    data_levels = [f"{p}:{a}" for p in "pq" for a in LEVELS]
    formula = "y ~ 1 + (1 | pen:animal)"
    assert built(relationship(data_levels), formula, "pen:animal").design.blocks[0].n_levels == 8
    with pytest.raises(DataError, match="names 'r:a', which isn't in the data"):
        built(relationship([*data_levels, "r:a"]), formula, "pen:animal")
