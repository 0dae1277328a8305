"""Names that PyMC, ArviZ or another variable could mean something else by."""

from itertools import combinations, pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bayeslmm.posterior import names
from bayeslmm.posterior.graph.graphs import build_graph
from bayeslmm.posterior.options import SampleOptions
from bayeslmm.posterior.sample import sample
from bayeslmm.spec.build import build
from bayeslmm.spec.model_spec import ModelSpec
from bayeslmm.spec.priors import default_priors

AWKWARD = ("row", "coef", "chain", "draw", "sample", "beta", "sigma", "y", "a/b", "lp", "X", "sd_g", "g_coef")
PARTS = (
    "g",
    "x",
    "sd_",
    "cor_",
    "ranef_",
    "u_",
    "_coef",
    "_pair",
    "_effect",
    "_sd",
    "_unit",
    "_level",
    "beta",
)
VARIABLES = (names.sd_name, names.cor_name, names.unit_name, names.ranef_name, names.spherical_name)
DIMS = (
    names.level_dim,
    names.coef_dim,
    names.effect_dim,
    names.pair_dim,
    lambda group: f"{names.level_dim(group)}_sd",
)


@given(
    st.lists(
        st.lists(st.sampled_from(PARTS), min_size=1, max_size=3).map("".join),
        min_size=2,
        max_size=2,
        unique=True,
    )
)
@settings(max_examples=500, deadline=None)
def test_no_two_names_are_alike(groups):
    made = [name(group) for group in groups for name in (*VARIABLES, *DIMS)]
    made += [names.BETA, names.SIGMA, names.COEF, names.ROW, names.RESPONSE, "chain", "draw"]
    assert len(set(made)) == len(made)


def test_ordinary_groups_keep_their_names():
    assert names.level_dim("Subject") == "Subject"
    assert names.level_dim("Block:Variety") == "Block:Variety"


def two_groups(first, second):
    g = np.repeat(np.arange(8), 6)
    rng = np.random.default_rng(1)
    data = {
        "score": rng.normal(g, 1),
        "t": rng.normal(size=48),
        first: g.astype(str),
        second: np.tile(list("abc"), 16),
    }
    formula = f"score ~ t + (t | `{first}`) + (1 | `{second}`)"
    return build(ModelSpec(formula), pd.DataFrame(data)).design


@pytest.mark.parametrize("pair", [*combinations(AWKWARD[::3], 2), *pairwise(AWKWARD)])
def test_any_group_has_a_graph(pair):
    design = two_groups(*pair)
    build_graph(design, default_priors(design), "explicit")


@pytest.mark.parametrize("first", AWKWARD)
def test_any_group_is_sampled_and_read_by_arviz(first):
    import arviz as az

    design = one_slope(first)
    options = SampleOptions(draws=20, chains=2, seed=1, method="quadrature", nodes=5, progress=False)
    data = sample(design, default_priors(design), options).data
    table = az.summary(data, round_to="none")
    posterior = data["posterior"].to_dataset()
    for label, row in table.iterrows():
        name, _, places = label.partition("[")
        variable = posterior[name].mean(("chain", "draw"))
        place = dict(zip(variable.dims, places.rstrip("]").split(", "), strict=True)) if places else {}
        assert float(variable.sel(place)) == pytest.approx(float(row["mean"]))


def one_slope(group):
    g = np.repeat(np.arange(8), 6)
    rng = np.random.default_rng(1)
    data = {"score": rng.normal(g, 1), "t": rng.normal(size=48), group: g.astype(str)}
    return build(ModelSpec(f"score ~ t + (t || `{group}`)"), pd.DataFrame(data)).design
