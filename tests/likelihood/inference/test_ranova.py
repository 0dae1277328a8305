"""Terms of a bar: which of them can be taken out, whatever their columns are called."""

import numpy as np
import pandas as pd

import bayeslmm as bl


def test_a_colon_in_a_name_joins_nothing():
    rng = np.random.default_rng(5)
    g = np.repeat(np.arange(12), 15)
    data = pd.DataFrame(rng.normal(size=(180, 2)), columns=["a:z", "a:q:z"]).assign(g=g)
    product = (data["a:z"] * data["a:q:z"]).to_numpy()
    columns = np.column_stack([data[["a:z", "a:q:z"]], product, np.ones(180)])
    data["y"] = (rng.normal(size=(12, 4))[g] * columns).sum(axis=1) + 0.5 * rng.normal(size=180)
    table = bl.LinearMixedModel("y ~ 1 + (`a:z` + `a:q:z` | g)", data).fit().ranova()
    assert [term.partition(" in ")[0] for term in table.index] == ["<none>", "`a:z`", "`a:q:z`"]
    crossed = bl.LinearMixedModel("y ~ 1 + (`a:z` * `a:q:z` | g)", data).fit()
    assert [term.partition(" in ")[0] for term in crossed.ranova().index[1:]] == ["`a:z`:`a:q:z`"]
