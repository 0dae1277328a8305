"""Fits of Parquet files and Dask frames are those of the same rows in memory."""

import copy
import pickle
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import bayeslmm as bl
from bayeslmm.errors import BayesLMMError, DataError, DesignWarning, OptionError, SingularFitWarning
from bayeslmm.likelihood.fit import LikelihoodFit
from bayeslmm.spec.streaming import build as streamed
from bayeslmm.spec.streaming import census, source

MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "slopes": ("Reaction ~ Days + (Days | Subject)", {}),
    "no bars": ("Reaction ~ Days * f", {}),
    "crossed": ("Reaction ~ 1 + (1 | Subject) + (1 | Days)", {}),
    "nested, weights, offsets": (
        "log(Reaction) ~ Days * f + I(Days**2) + offset(z / 10) + (Days + z || Subject) + (1 | f:Subject)",
        {"weights": "w", "offset": "z"},
    ),
    "missing rows, contrasts": ("Reaction ~ m + c + (1 | Subject)", {"contrasts": {"c": "sum"}}),
    "no intercept": ("Reaction ~ 0 + c + (0 + c | Subject)", {}),
    "known sigma": ("Reaction ~ Days + (1 | Subject)", {"sigma": 25.0}),
}


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    frame = bl.load_dataset("sleepstudy").reset_index(drop=True)
    row, rng = np.arange(len(frame)), np.random.default_rng(1)
    z = rng.normal(size=len(frame))
    return frame.assign(
        w=1.0 + row % 3,
        z=z,
        f=np.where(row % 4 == 0, "b", "a"),
        c=pd.Categorical(np.array(["lo", "mid", "hi"])[row % 3], ["lo", "mid", "hi"], ordered=True),
        m=pd.Series(z).where(row % 11 > 0),
        late=(row == 100).astype(float),
    )


@pytest.fixture
def path(data: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(source, "CHUNK", 37)
    monkeypatch.setattr(census, "SAMPLE", 20)
    data.to_parquet(tmp_path / "rows.parquet", row_group_size=50)
    return str(tmp_path / "rows.parquet")


def fitted(formula: str, data: Any, **options: Any) -> LikelihoodFit:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SingularFitWarning)
        return bl.LinearMixedModel(formula, data, **options).fit()


def check_same(here: LikelihoodFit, there: LikelihoodFit, data: pd.DataFrame) -> None:
    assert here.design.coefs == there.design.coefs
    assert (here.design.n, here.design.n_missing) == (there.design.n, there.design.n_missing)
    assert_allclose(here.criterion_value, there.criterion_value, rtol=1e-12)
    assert_allclose(here.beta, there.beta, rtol=1e-9)
    assert_allclose(here.theta, there.theta, rtol=1e-6, atol=1e-9)
    for group, effects in there.ranef().items():
        pd.testing.assert_frame_equal(here.ranef()[group], effects, rtol=1e-6, atol=1e-9)
    chunks = pd.concat(list(here.fitted_chunks()))
    assert_allclose(chunks["fitted"], there.fitted, rtol=1e-9)
    assert_allclose(chunks["pearson_residual"], there.pearson_residuals, rtol=1e-6, atol=1e-8)
    assert list(chunks.index) == list(there.fitted.index)
    assert_allclose(here.predict(data), there.predict(data), rtol=1e-9)


@pytest.mark.parametrize("name", MODELS)
def test_parquet(name: str, data: pd.DataFrame, path: str) -> None:
    formula, options = MODELS[name]
    check_same(fitted(formula, path, **options), fitted(formula, data, **options), data)


@pytest.mark.parametrize("name", ["slopes", "nested, weights, offsets", "missing rows, contrasts"])
def test_default_priors_have_the_same_scales(name: str, data: pd.DataFrame, path: str) -> None:
    formula, options = MODELS[name]
    here = bl.LinearMixedModel(formula, path, **options).priors.to_frame()
    pd.testing.assert_frame_equal(here, bl.LinearMixedModel(formula, data, **options).priors.to_frame())


def test_known_covariance_between_levels(data: pd.DataFrame, path: str) -> None:
    names = sorted(data["Subject"].astype(str).unique())
    K = pd.DataFrame(np.eye(18) + 0.2, index=names, columns=names)
    formula = "Reaction ~ Days + (1 | Subject)"
    options = {"covariance": {"Subject": K}}
    check_same(fitted(formula, path, **options), fitted(formula, data, **options), data)


def test_columns_that_only_few_rows_tell_apart(
    data: pd.DataFrame, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sample holds none of them, so the second pass is made twice."""
    passes, plan_of = [], streamed.plan_of
    monkeypatch.setattr(streamed, "plan_of", lambda *given: passes.append(given) or plan_of(*given))
    with pytest.warns(DesignWarning, match=r"late \* 2"):
        here = fitted("Reaction ~ late + I(late * 2) + Days + (1 | Subject)", path)
    with pytest.warns(DesignWarning):
        there = fitted("Reaction ~ late + I(late * 2) + Days + (1 | Subject)", data)
    assert len(passes) == 2
    check_same(here, there, data)


@pytest.mark.parametrize("shift", [0.0, 1e8])
def test_the_criterion_of_a_shifted_response(shift: float, data: pd.DataFrame, tmp_path: Path) -> None:
    moved = data.assign(Reaction=data["Reaction"].round(2) + shift, Days=data["Days"] + shift / 1e4)
    moved.to_parquet(tmp_path / "moved.parquet")
    formula = "Reaction ~ Days + (1 | Subject)"
    here, there = fitted(formula, tmp_path / "moved.parquet"), fitted(formula, moved)
    assert_allclose(here.criterion_value, there.criterion_value, rtol=1e-10)


def test_a_folder_and_a_dataset(data: pd.DataFrame, tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.dataset as ds

    data.to_parquet(tmp_path / "parts", partition_cols=["f"])
    there = fitted(MODELS["slopes"][0], data).criterion_value
    assert_allclose(fitted(MODELS["slopes"][0], tmp_path / "parts").criterion_value, there, rtol=1e-12)
    table = ds.dataset(pa.Table.from_pandas(data))
    assert_allclose(fitted(MODELS["slopes"][0], table).criterion_value, there, rtol=1e-12)


def test_a_fit_is_pickled_and_summarized(path: str) -> None:
    fit = pickle.loads(pickle.dumps(fitted(MODELS["slopes"][0], path)))
    assert "Scaled residuals" not in str(fit.summary())
    assert fit.summary().sizes == {"observations": 180, "Subject": 18}


@pytest.mark.parametrize("what", ["fitted", "residuals", "hat_values"])
def test_what_needs_all_rows_says_so(what: str, path: str) -> None:
    fit = fitted(MODELS["slopes"][0], path)
    with pytest.raises(DataError, match=r"all rows at once.*fitted_chunks"):
        getattr(fit, what)
    with pytest.raises(DataError, match="all rows at once"):
        bl.LinearMixedModel(MODELS["slopes"][0], path).graph("explicit")


@pytest.mark.parametrize(
    ("formula", "options", "message"),
    [
        ("Reaction ~ poly(Days, 2) + (1 | Subject)", {}, "'poly'"),
        ("Reaction ~ Dayz + (1 | Subject)", {}, "did you mean 'Days'"),
        ("f ~ Days + (1 | Subject)", {}, "isn't numeric"),
        ("Reaction ~ log(Days) + (1 | Subject)", {}, "in row 0"),
        ("Reaction ~ m + (1 | Subject)", {"missing": "error"}, "'m' in 17"),
        ("Reaction ~ z + (1 | Subject)", {"weights": "late"}, "aren't positive"),
        ("Reaction ~ z + (0 + I(z - z) | Subject)", {}, "is 0 in every row"),
        ("I(z - z) ~ m + (1 | Subject)", {}, "nothing to explain"),
    ],
)
def test_one_clear_error(formula: str, options: dict[str, Any], message: str, path: str) -> None:
    with pytest.raises(BayesLMMError, match=message):
        bl.LinearMixedModel(formula, path, **options)


def test_as_many_levels_as_rows_are_refused_by_the_fit(path: str) -> None:
    model = bl.LinearMixedModel("Reaction ~ z + (1 | w:Subject:Days)", path)
    with pytest.raises(DataError, match="as many levels as rows"):
        model.fit()


def test_values_given_apart_are_refused(path: str) -> None:
    with pytest.raises(OptionError, match="weights= is the name of a column"):
        bl.LinearMixedModel("Reaction ~ Days", path, weights=np.ones(180))


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    from dask.distributed import Client, LocalCluster

    workers = LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None)
    with workers, Client(workers):
        yield


@pytest.mark.parametrize("partitions", [1, 7])
@pytest.mark.parametrize("name", ["slopes", "nested, weights, offsets", "missing rows, contrasts"])
def test_dask_on_a_cluster_of_processes(
    name: str, partitions: int, data: pd.DataFrame, cluster: None
) -> None:
    formula, options = MODELS[name]
    spread = dd.from_pandas(data, npartitions=partitions)
    check_same(fitted(formula, spread, **options), fitted(formula, data, **options), data)


def test_an_error_in_a_partition_says_where(data: pd.DataFrame) -> None:
    odd = data.assign(late=1.0 - data["late"])
    with pytest.raises(DataError, match=r"partition 1: 'log\(late\)' is -inf in row 10"):
        bl.LinearMixedModel("Reaction ~ log(late) + (1 | Subject)", dd.from_pandas(odd, npartitions=2))


def test_rows_are_only_where_they_are(path: str) -> None:
    design = bl.LinearMixedModel(MODELS["slopes"][0], path).design
    for again in (design, copy.deepcopy(design), pickle.loads(pickle.dumps(design))):
        assert (again.n, again.p, again.q, again.n_theta, again.in_memory) == (180, 2, 36, 3, False)
        for name in ("y", "offset", "X", "rows", "Z"):
            with pytest.raises(DataError, match="all rows at once"):
                getattr(again, name)
        with pytest.raises(DataError, match="all rows at once"):
            again.with_response(np.zeros(180))
    chunk = next(iter(design.chunks()))
    assert chunk.in_memory
    assert chunk.covariance is design.covariance
    assert chunk.Z.shape == (chunk.n, 36)


SIZES = [
    ("z", "Reaction ~ z + (1 | Subject)", {}),
    ("z", "Reaction ~ 1 + (0 + z | Subject)", {}),
    ("Reaction", "Reaction ~ Days + (1 | Subject)", {}),
    ("Reaction", "log(Reaction) ~ Days + (1 | Subject)", {}),
    ("z", "Reaction ~ Days + (1 | Subject)", {"offset": "z"}),
    ("z", "Reaction ~ Days + (1 | Subject)", {"weights": "z"}),
]


@pytest.mark.parametrize("size", [1e200, 1e-200, 1e-310])
@pytest.mark.parametrize(("column", "formula", "asked"), SIZES)
def test_sizes_beyond_floating_point_are_one_error_wherever_rows_are(
    column: str, formula: str, asked: dict[str, Any], size: float, data: pd.DataFrame, tmp_path: Path
) -> None:
    frame = data.assign(z=np.abs(data["z"]) + 1)
    frame = frame.assign(**{column: size * frame[column]})
    frame.to_parquet(tmp_path / "rows.parquet", row_group_size=40)
    said = []
    for rows in (frame, tmp_path / "rows.parquet"):
        try:
            said.append(f"{bl.LinearMixedModel(formula, rows, **asked).fit().criterion_value:.5g}")
        except DataError as error:
            said.append(str(error))
    assert said[0] == said[1]
