"""The reference grid against averages of design rows written out by hand."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import bayeslmm as bl
from bayeslmm.errors import DataError, DesignWarning, OptionError
from bayeslmm.spec.contrasts import contrasts
from bayeslmm.spec.grid import Functions, Grid, GridOptions


def data() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    n = 90
    table = pd.DataFrame(
        {
            "g": np.repeat(np.arange(9), 10),
            "f": rng.choice(["a", "b", "c"], n, p=[0.5, 0.3, 0.2]),
            "h": rng.choice(["u", "v"], n, p=[0.7, 0.3]),
            "x": rng.uniform(1, 5, n),
            "z": rng.choice([0.0, 1.0], n),
            "t": rng.choice([2, 4, 8], n),
            "o": rng.normal(3, 1, n),
        }
    )
    return table.assign(y=rng.normal(size=n) + table["x"])


def grid(formula: str, options: GridOptions, frame: pd.DataFrame | None = None, **model: object) -> Grid:
    built = bl.LinearMixedModel(formula, data() if frame is None else frame, **model)  # type: ignore[arg-type]
    return Grid(built.design, built.recipe, options)


def by_prediction(formula: str, points: pd.DataFrame, **model: object) -> np.ndarray:
    """(points, p) rows of X, by another way: new rows as users give them."""
    built = bl.LinearMixedModel(formula, data(), **model)  # type: ignore[arg-type]
    return built.recipe.replay(points, ()).X


@pytest.mark.parametrize("formula", ["y ~ f * h + x + (1 | g)", "y ~ poly(x, 2) * f + h + (1 | g)"])
@pytest.mark.parametrize("weights", ["equal", "proportional"])
def test_means_are_averages_of_rows(formula: str, weights: str) -> None:
    frame = data()
    found = grid(formula, GridOptions("f", averaging=weights)).means()
    share = frame["h"].value_counts(normalize=True) if weights == "proportional" else {"u": 0.5, "v": 0.5}
    for level, row in zip(found.index, found.kept, strict=True):
        points = pd.DataFrame({"f": level, "h": ["u", "v"], "x": frame["x"].mean()})
        expected = np.array([share["u"], share["v"]]) @ by_prediction(formula, points)
        assert_allclose(row, expected, atol=1e-12)


def test_a_number_stands_at_its_mean_and_not_at_the_mean_of_its_function() -> None:
    found = grid("y ~ np.log(x) + f + (1 | g)", GridOptions("f")).means()
    names = found.dropped.names
    assert_allclose(found.kept[:, names.index("np.log(x)")], np.log(data()["x"].mean()))


def test_two_values_and_levels_made_of_numbers_count_as_factors() -> None:
    found = grid("y ~ z + C(t) + (1 | g)", GridOptions(["z", "t"])).means()
    assert found.index.tolist() == [(z, t) for z in (0.0, 1.0) for t in (2.0, 4.0, 8.0)]
    assert_allclose(grid("y ~ z + f + (1 | g)", GridOptions("f")).means().kept[:, 1], 0.5)


def test_at_takes_the_place_of_means_and_levels() -> None:
    asked = GridOptions("f", by="x", at={"x": [1, 2.5], "f": ["c", "a"]})
    found = grid("y ~ x * f + (1 | g)", asked).means()
    assert found.index.tolist() == [(x, f) for x in (1.0, 2.5) for f in ("c", "a")]
    points = pd.DataFrame(found.index.tolist(), columns=["x", "f"])
    assert_allclose(found.kept, by_prediction("y ~ x * f + (1 | g)", points))
    assert found.labels("mean")[0] == "mean[x=1: f=c]"


@pytest.mark.parametrize("model", [{}, {"offset": "o"}, {"offset": data()["o"].to_numpy()}])
def test_offsets_of_the_formula_are_at_the_grid_and_others_at_their_mean(model: dict[str, object]) -> None:
    found = grid("y ~ f + offset(2 * x) + (1 | g)", GridOptions("f", at={"x": 3}), **model).means()
    assert_allclose(found.c, 6 + (data()["o"].mean() if model else 0))


def test_slopes_are_derivatives() -> None:
    x = data()["x"].mean()
    found = grid("y ~ x + I(x ** 2) + f:x + (1 | g)", GridOptions("f")).slopes("x")
    names = list(found.dropped.names)
    assert_allclose(found.kept[:, names.index("x")], 1, rtol=1e-9)
    assert_allclose(found.kept[:, names.index("I(x ** 2)")], 2 * x, rtol=1e-9)
    assert_allclose(found.kept[1:, 3:], np.eye(2), atol=1e-9)
    smooth = grid("y ~ np.exp(x / 2) + (1 | g)", GridOptions((), at={"x": 2})).slopes("x")
    assert_allclose(smooth.kept[0, 1], np.exp(1) / 2, rtol=1e-9)
    assert smooth.labels("slope") == ("slope[all]",)


def empty_cell() -> pd.DataFrame:
    frame = data()
    return frame[~((frame["f"] == "c") & (frame["h"] == "v"))]


def test_what_the_data_cannot_tell_is_named() -> None:
    with pytest.warns(DesignWarning, match="dropped"):
        found = grid("y ~ f * h + (1 | g)", GridOptions(["f", "h"]), empty_cell()).means()
    assert [label for label, known in zip(found.index, found.estimable, strict=True) if not known] == [
        ("c", "v")
    ]
    assert "c v isn't estimable: 'f[T.c]:h[T.v]' was dropped because it is 0 in all rows" in found.notes[0]
    assert np.isnan(found.values(np.zeros(5))).tolist() == [False] * 5 + [True]
    within = contrasts(found, {"h in a": [1, -1, 0, 0, 0, 0], "h in c": [0, 0, 0, 0, 1, -1]})
    assert within.estimable.tolist() == [True, False]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (GridOptions("ff"), "variable of the fixed part 'ff' isn't known; did you mean 'f'"),
        (GridOptions("g"), "variable of the fixed part 'g' isn't known"),
        (GridOptions("f", by="f"), "'f' is named twice"),
        (GridOptions("f", at={"x": []}), "at={'x': ...} is empty"),
        (GridOptions("f", at={"x": [0, np.inf]}), "x is inf, not a finite number"),
        (GridOptions("f", at={"x": np.nan}), "x is nan, not a finite number"),
        (GridOptions("f", at={"f": "d"}), "level of 'f' 'd' isn't known"),
        (GridOptions("x", at={"x": range(200_000)}), "the grid has 600000 points"),
    ],
)
def test_one_clear_error(options: GridOptions, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        grid("y ~ f + x + (1 | g)", options)


def test_weights_and_numbers_are_checked() -> None:
    with pytest.raises(OptionError, match="grid_weights 'equl' isn't known"):
        GridOptions("f", averaging="equl")
    with pytest.raises(DataError, match="column 'x' is numeric"):
        grid("y ~ f + x + (1 | g)", GridOptions("f", at={"x": ["high"]}))
    with pytest.raises(OptionError, match="'f' is a factor and has no slope"):
        grid("y ~ f + x + (1 | g)", GridOptions(())).slopes("f")


def means() -> Functions:
    return grid("y ~ f * h + (1 | g)", GridOptions("f", by="h")).means()


def test_contrasts_stay_within_groups() -> None:
    found = contrasts(means(), "pairwise")
    expected = [(h, pair) for h in ("u", "v") for pair in ("a - b", "a - c", "b - c")]
    assert found.index.tolist() == expected
    assert found.labels("contrast")[0] == "contrast[h=u: a - b]"
    first = means().kept
    assert_allclose(found.kept[3:], [first[3] - first[4], first[3] - first[5], first[4] - first[5]])
    assert [label[1] for label in contrasts(means(), "reference").index[:2]] == ["b - a", "c - a"]
    own = contrasts(means(), [[1, 0, -0.5]])
    assert own.index.tolist() == [("u", "a -0.5*c"), ("v", "a -0.5*c")]


@pytest.mark.parametrize("kind", ["pairs", [[1, -1]], [[0, 0, 0]], {"a": [np.nan, 1, 0]}])
def test_contrasts_that_cannot_be(kind: object) -> None:
    with pytest.raises(OptionError):
        contrasts(means(), kind)  # type: ignore[arg-type]


def test_proportional_weights_count_rows_whatever_their_precision() -> None:
    frame = data()
    asked = GridOptions("f", averaging="proportional")
    found = grid("y ~ f + h + (1 | g)", asked, weights=frame["x"].to_numpy()).means()
    assert_allclose(found.kept[:, found.dropped.names.index("h[T.v]")], (frame["h"] == "v").mean())


def test_numbers_averaged_over_at_several_values_weigh_alike() -> None:
    frame = data()
    off_the_data = GridOptions("f", at={"x": [-3.5, 4.5]}, averaging="proportional")
    at_the_middle = GridOptions("f", at={"x": 0.5}, averaging="proportional")
    one, other = (grid("y ~ f + h + x + (1 | g)", asked).means() for asked in (off_the_data, at_the_middle))
    assert_allclose(one.kept, other.kept, atol=1e-12)
    assert_allclose(one.kept[:, one.dropped.names.index("h[T.v]")], (frame["h"] == "v").mean())
