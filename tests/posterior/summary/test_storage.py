"""The DataTree in ArviZ and on disk."""

import numpy as np
import pytest
import xarray as xr

import bayeslmm as bl

GROUPS = {
    "posterior",
    "sample_stats",
    "log_prior",
    "log_likelihood",
    "log_likelihood_group",
    "observed_data",
    "constant_data",
    "posterior_predictive",
}


@pytest.fixture(scope="module")
def post():
    pastes = bl.load_dataset("Pastes")
    model = bl.LinearMixedModel("strength ~ 1 + (1 | batch/cask)", pastes)
    return model.sample(draws=500, method="importance", seed=3, progress=False)


@pytest.fixture(scope="module")
def rival(post):
    model = bl.LinearMixedModel("strength ~ 1 + (1 | batch)", bl.load_dataset("Pastes"))
    return model.sample(draws=500, method="importance", seed=3, progress=False)


def _store(tree, path, kind):
    if kind == "zarr":
        tree.to_zarr(path, mode="w")
        return xr.open_datatree(path, engine="zarr", consolidated=False)
    tree.to_netcdf(path, engine="h5netcdf")
    return xr.open_datatree(path, engine="h5netcdf")


@pytest.mark.parametrize("kind", ["zarr", "nc"])
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")
def test_data_survive_the_disk(post, tmp_path, kind):
    tree = post.posterior_predictive()
    read = _store(tree, tmp_path / f"run.{kind}", kind)
    assert set(read.children) == GROUPS
    for group in GROUPS:
        xr.testing.assert_equal(read[group].to_dataset().load(), tree[group].to_dataset())
    assert read.attrs["method"] == "importance"
    levels = next(block.levels for block in post.design.blocks if block.group == "batch:cask")
    assert tuple(read["posterior"]["batch:cask"].values) == levels


@pytest.mark.filterwarnings("ignore:Estimated shape parameter:UserWarning")
def test_arviz_summarizes_compares_and_plots(post, rival):
    import arviz as az
    import matplotlib as mpl

    mpl.use("Agg")
    names = ["beta", "sd_batch", "sd_batch:cask", "sigma"]
    table = az.summary(post.data, var_names=names, round_to="none", ci_prob=0.95)
    ours = post.estimates().frame
    np.testing.assert_allclose(table["mean"].astype(float), ours["mean"])
    np.testing.assert_allclose(table["ess_bulk"].astype(float), ours["ess_bulk"], rtol=1e-6)
    ranking = az.compare({"nested": post.data, "batch only": rival.data})
    assert ranking.index[0] == "nested"
    sensitivity = az.psense_summary(post.data, var_names=["sigma", "sd_batch"])
    assert {"prior", "likelihood"} <= set(sensitivity.columns)
    az.plot_forest(post.data, var_names=["sd_batch", "sigma"], backend="matplotlib")
