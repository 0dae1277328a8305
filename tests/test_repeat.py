"""A run done again from its manifest: the same numbers, or what differs."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import bayeslmm as bl
from bayeslmm.errors import InputError
from bayeslmm.repeat import again, differences
from bayeslmm.runs.manifest import Manifest
from bayeslmm.spec.stated import restated, stated

PRIORS = {"sd[Batch]": bl.HalfNormal(30.0), "beta[Intercept]": bl.Normal(1500, 300)}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A folder with the manifest and the table of a run, and the rows."""
    folder, data = tmp_path_factory.mktemp("run"), bl.load_dataset("Dyestuff")
    par = bl.LinearMixedModel("Yield ~ 1 + (1 | Batch)", data, priors=PRIORS).parity(
        seed=3, boot=20, draws=200, chains=2, method="importance", progress=False
    )
    par.table.to_csv(folder / "parity.csv", index=False)
    (folder / "manifest.json").write_text(par.manifest.to_json())
    return folder, data


def test_every_number_comes_out_again(written):
    folder, data = written
    found = bl.rerun(folder / "manifest.json", data, progress=False)
    assert found.same, found
    assert found.versions.empty
    assert "Every number" in repr(found)
    assert found.parity.sides.find("priors").table["sd[Batch: Intercept]"] == bl.HalfNormal(30.0)


def test_what_differs_is_listed(written, tmp_path):
    folder, data = written
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["seeds"], manifest["versions"]["numpy"] = {}, "1.0"
    manifest["options"]["run"]["seed"] = 4
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    found = bl.rerun(tmp_path / "manifest.json", data, table=folder / "parity.csv", progress=False)
    assert not found.same
    assert set(found.differences["column"]) <= set(found.parity.table.columns)
    assert "estimate" not in set(found.differences["column"])
    assert found.versions["package"].tolist() == ["numpy"]
    assert "sd[Batch: Intercept]" in found._repr_html_()


def test_other_data_are_refused(written):
    folder, data = written
    with pytest.raises(InputError, match="other data"):
        bl.rerun(folder / "manifest.json", data.assign(Yield=data["Yield"] + 1.0), progress=False)
    with pytest.raises(InputError, match="doesn't say where"):
        bl.rerun(folder / "manifest.json", progress=False)


def spoilt(manifest, **options):
    return replace(manifest, options={**manifest.options, **options})


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"model": None}, "holds no model"),
        ({"run": {"seed": 1}}, "lacks the run's options"),
        ({"model": {"formula": "Yield ~ 1", "priors": {}, "values": ["weights"]}}, "weights came as values"),
        (
            {"model": {"formula": "Yield ~ 1", "priors": {"sigma": {"family": "os.system"}}, "values": []}},
            "isn't known",
        ),
        (
            {
                "model": {
                    "formula": "Yield ~ 1",
                    "priors": {"sigma": {"family": "Normal", "x": 1}},
                    "values": [],
                }
            },
            "can't be read",
        ),
        (
            {"model": {"formula": "Yield ~ __import__('os').getcwd()", "priors": {}, "values": []}},
            "__import__",
        ),
    ],
)
def test_a_manifest_that_does_not_hold_a_run_is_one_clear_error(written, change, told):
    folder, data = written
    manifest = Manifest.from_json((folder / "manifest.json").read_text())
    with pytest.raises(InputError, match=told):
        again(spoilt(manifest, **change), data)


def test_files_that_are_not_there_are_one_clear_error(tmp_path):
    with pytest.raises(InputError, match="can't be read"):
        bl.rerun(tmp_path / "manifest.json")
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(InputError, match="isn't a manifest"):
        bl.rerun(tmp_path / "manifest.json")


def test_models_are_stated_and_restated():
    data = bl.load_dataset("sleepstudy").assign(w=1.5)
    model = bl.LinearMixedModel("Reaction ~ Days + (Days | Subject)", data, weights="w", sigma=30.0)
    arguments, priors = restated(json.loads(json.dumps(model.stated())))
    other = bl.LinearMixedModel(data=data, **arguments).with_priors(priors)
    assert other.priors.table == model.priors.table
    assert stated(other.spec, other.priors) == model.stated()
    given = bl.LinearMixedModel("Reaction ~ Days + (1 | Subject)", data, weights=np.full(180, 2.0))
    assert given.stated()["values"] == ["weights"]


def test_rows_that_only_one_table_has_are_differences():
    frame = pd.DataFrame({"label": ["a", "b"], "interval": ["wald", None], "mean": [1.0, np.nan]})
    assert differences(frame, frame).empty
    assert differences(frame, frame.iloc[:1])["now"].tolist() == ["missing"]
    assert differences(frame, frame.assign(mean=[1.0 + 1e-7, np.nan]))["column"].tolist() == ["mean"]
    assert differences(frame, frame.assign(mean=[1.0 + 1e-12, np.nan])).empty
