"""Samplers, stores and interrupts, on one small graph."""

import _thread
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from bayeslmm.errors import OptionError, PriorError, SamplingWarning
from bayeslmm.posterior.methods import nuts as room
from bayeslmm.posterior.options import SampleOptions
from bayeslmm.posterior.sample import sample
from bayeslmm.spec.priors import HalfNormal, default_priors
from tests.posterior.conftest import ONE_WAY, design_of


def run(**options):
    found = design_of(ONE_WAY, "Dyestuff2")
    common = {"method": "marginal", "seed": 7, "cores": 2, "progress": False}
    return sample(found, default_priors(found), SampleOptions(**(common | options)))


@pytest.mark.slow
def test_store_holds_the_draws(tmp_path):
    folder = tmp_path / "run.zarr"
    result = run(draws=200, tune=200, chains=2, store=folder)
    plain = run(draws=200, tune=200, chains=2)
    stored = xr.open_datatree(folder, engine="zarr", consolidated=False)["posterior"]
    for name in ("sigma", "sd_Batch"):
        np.testing.assert_array_equal(stored[name], result.data["posterior"][name])
        np.testing.assert_array_equal(plain.data["posterior"][name], result.data["posterior"][name])
    with pytest.raises(OptionError, match="isn't empty"):
        run(store=folder)


@pytest.mark.slow
def test_a_longer_run_begins_with_the_shorter():
    short, long = (run(draws=n, tune=200, chains=2) for n in (100, 200))
    np.testing.assert_array_equal(
        short.data["posterior"]["sigma"], long.data["posterior"]["sigma"].isel(draw=slice(100))
    )


KILLED = """
import sys, bayeslmm as bl
model = bl.LinearMixedModel("Yield ~ 1 + (1 | Batch)", bl.load_dataset("Dyestuff2"))
options = {"tune": 200, "chains": 2, "cores": 2, "seed": 7, "method": "marginal", "progress": False}
model.sample(draws=2_000_000, store=sys.argv[1], **options)
"""


def _finite_draws(folder):
    """Of each chain: the first draws of sigma, those that are written."""
    sigma = xr.open_datatree(folder, engine="zarr", consolidated=False)["posterior"]["sigma"]
    return [chain[np.cumsum(np.isnan(chain)) == 0] for chain in sigma.isel(draw=slice(1000)).values]


def _has_begun(folder):
    try:
        return min(map(len, _finite_draws(folder))) >= 300
    except (OSError, KeyError, ValueError):
        return False  # not even its groups are there


@pytest.mark.slow
def test_a_killed_run_leaves_its_draws_and_is_repeated(tmp_path):
    folder = tmp_path / "run.zarr"
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(folder)])
    deadline = time.monotonic() + 300
    while not _has_begun(folder):
        assert process.poll() is None, "the run ended by itself"
        assert time.monotonic() < deadline
        time.sleep(0.2)
    process.kill()  # SIGKILL: nothing can be put in order
    process.wait()
    left = _finite_draws(folder)
    again = run(draws=250, tune=200, chains=2).data["posterior"]["sigma"].values
    for chain, repeated in zip(left, again, strict=True):
        assert len(chain) >= 300
        np.testing.assert_array_equal(chain[:250], repeated)


REPEATED = """
import hashlib, sys
from bayeslmm.posterior.options import SampleOptions
from bayeslmm.posterior.sample import sample
from bayeslmm.spec.priors import default_priors
from tests.posterior.conftest import crossed_design
design = crossed_design()
for method in ("importance", "marginal"):
    options = SampleOptions(draws=100, tune=100, chains=2, seed=5, method=method, progress=False)
    found = sample(design, default_priors(design), options).data["posterior"]
    for name in sorted(found.data_vars):
        print(method, name, hashlib.sha256(found[name].values.tobytes()).hexdigest())
"""


@pytest.mark.slow
def test_processes_agree_to_the_last_bit_whatever_is_cached(tmp_path):
    """One that compiles everything, one that finds it compiled, one with another number of threads."""
    root = str(Path(__file__).parents[3])
    caches = {
        "PYTENSOR_FLAGS": f"base_compiledir={tmp_path / 'pytensor'}",
        "NUMBA_CACHE_DIR": str(tmp_path / "numba"),
        "PYTHONPATH": root,
    }
    found = [
        subprocess.run(
            [sys.executable, "-c", REPEATED],
            check=True,
            capture_output=True,
            text=True,
            cwd=root,
            env=os.environ | caches | {"OPENBLAS_NUM_THREADS": threads},
        ).stdout
        for threads in ("1", "1", "2")
    ]
    assert found[0].count("\n") == 12
    assert found[0] == found[1] == found[2]


def interrupt_after(seconds):
    """Ctrl-C once this process has worked so long; a busy machine only makes that later."""
    begun = time.process_time()
    while time.process_time() < begun + seconds:
        time.sleep(0.05)
    _thread.interrupt_main()


def test_an_interrupt_keeps_the_draws_made_so_far(monkeypatch):
    import nutpie

    original = nutpie.sample

    def interrupted(*arguments, **options):
        threading.Thread(target=interrupt_after, args=(3.0,)).start()
        return original(*arguments, **options)

    monkeypatch.setattr(nutpie, "sample", interrupted)
    with pytest.warns(SamplingWarning, match=r"interrupted: 2 of 4 chains with \d+ of 3000000"):
        result = run(draws=3_000_000, tune=200, chains=4)
    assert result.data["posterior"].sizes["chain"] == 2
    assert 4 < result.data["posterior"].sizes["draw"] < 3_000_000
    assert result.n_draws == 2 * result.data["posterior"].sizes["draw"]
    assert not np.isnan(result.data["posterior"]["sigma"]).any()


def test_an_interrupt_before_any_draw_stays_an_interrupt():
    nothing = {"sigma": np.full((2, 3), np.nan)}
    with pytest.raises(KeyboardInterrupt):
        room._finished(nothing, {}, SampleOptions(draws=10, chains=2))


@pytest.mark.slow
def test_pymc_samples_the_same_posterior():
    by_pymc = run(draws=1000, tune=500, chains=2, sampler="pymc").estimates().frame
    by_nutpie = run(draws=1000, tune=500, chains=2).estimates().frame
    z = (by_pymc["mean"] - by_nutpie["mean"]) / np.hypot(by_pymc["mcse"], by_nutpie["mcse"])
    assert z.abs().max() < 4


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_divergence_where_the_variance_is_zero(seed):
    result = run(draws=5000, chains=4, seed=seed)
    assert int(result.data["sample_stats"]["diverging"].sum()) == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sampler": "stan"}, "'pymc'"),
        ({"sampler": "pymc", "method": "importance"}, "samples a graph"),
        ({"store": "x", "method": "auto"}, "nutpie's NUTS"),
        ({"store": "x", "method": "marginal", "sampler": "pymc"}, "nutpie's NUTS"),
    ],
)
def test_options_that_do_not_go_together(options, message):
    with pytest.raises(OptionError, match=message):
        SampleOptions(**options)


def test_priors_that_exclude_the_data_are_one_error():
    found = design_of(ONE_WAY, "Dyestuff2")
    priors = default_priors(found).replace({"sigma": HalfNormal(1e-120)})
    options = SampleOptions(10, 10, 1, 7, "marginal", progress=False)
    with pytest.raises(PriorError, match="priors and data exclude each other"):
        sample(found, priors, options)
