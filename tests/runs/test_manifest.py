import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayeslmm.errors import OptionError
from bayeslmm.runs.manifest import Manifest, data_hash, package_versions


def columns():
    return {"y": np.array([1.5, 2.0, -0.0]), "group": np.array(["a", "b", "a"], dtype=object)}


def test_the_hash_is_pinned():
    """A change of the hash makes old manifests useless: change it knowingly."""
    expected = "77e95d5a"
    assert data_hash(columns()).startswith(expected)


def test_order_and_storage_do_not_matter():
    frame = pd.DataFrame({"group": pd.Categorical(["a", "b", "a"]), "y": [1.5, 2.0, 0.0]})
    assert data_hash({"group": frame["group"], "y": frame["y"]}) == data_hash(columns())
    assert data_hash({"x": [1, 2]}) == data_hash({"x": [1.0, 2.0]})


def test_values_names_and_shapes_matter():
    seen = [
        data_hash({"x": [1.0, 2.0]}),
        data_hash({"x": [2.0, 1.0]}),
        data_hash({"z": [1.0, 2.0]}),
        data_hash({"x": [[1.0], [2.0]]}),
        data_hash({"x": ["1.0", "2.0"]}),
        data_hash({"x": ["1.02.0"]}),
        data_hash({"x": ["1.02.0\0"]}),
        data_hash({"x": [1.0, np.nextafter(2.0, 3.0)]}),
    ]
    assert len(set(seen)) == len(seen)


@given(st.lists(st.text(max_size=3), min_size=1, max_size=4), st.data())
def test_text_cannot_be_moved_between_rows(rows, data):
    other = data.draw(st.lists(st.text(max_size=3), min_size=1, max_size=4))
    assert (data_hash({"g": rows}) == data_hash({"g": other})) == (rows == other)


def test_a_manifest_survives_json():
    manifest = Manifest(
        "y ~ x + (1 | g)", "ab", {"posterior": np.int64(3)}, {"draws": 100, "prob": np.float64(0.9)}
    )
    again = Manifest.from_json(manifest.to_json())
    assert again.to_dict() == manifest.to_dict()
    assert again.seeds == {"posterior": 3}
    assert json.loads(manifest.to_json())["options"]["prob"] == 0.9


def test_versions_name_what_is_installed():
    assert package_versions(["numpy", "no-such-package-at-all"]) == {"numpy": np.__version__}


GOOD = Manifest("y ~ x", "ab", {"bootstrap": 1}, {"kind": "wild"}).to_dict()
FORGED = {
    "no text": "\0",
    "a number": "1",
    "a list": "[1, 2]",
    "too deep": "[" * 100_000,
    "a field lacks": json.dumps({name: value for name, value in GOOD.items() if name != "versions"}),
    "a field too many": json.dumps(GOOD | {"run": "rm"}),
    "formula is a list": json.dumps(GOOD | {"formula": ["y"]}),
    "hash is a number": json.dumps(GOOD | {"data_hash": 1}),
    "seeds are a list": json.dumps(GOOD | {"seeds": [1]}),
    "a seed is text": json.dumps(GOOD | {"seeds": {"bootstrap": "1"}}),
    "a seed is negative": json.dumps(GOOD | {"seeds": {"bootstrap": -1}}),
    "a seed is true": json.dumps(GOOD | {"seeds": {"bootstrap": True}}),
    "a version is a number": json.dumps(GOOD | {"versions": {"numpy": 2}}),
    "options are text": json.dumps(GOOD | {"options": "all"}),
    "created is nothing": json.dumps(GOOD | {"created": None}),
}


@pytest.mark.parametrize("text", FORGED.values(), ids=FORGED)
def test_what_is_no_manifest_is_refused(text):
    with pytest.raises(OptionError, match="isn't a manifest"):
        Manifest.from_json(text)
