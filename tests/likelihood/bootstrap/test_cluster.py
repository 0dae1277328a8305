"""The bootstrap on a real cluster of processes: the same numbers, and nothing lost with a worker."""

import os
import signal
import threading
import time

import numpy as np
import pytest

from bayeslmm.errors import OptionError


@pytest.fixture(scope="module")
def client():
    if os.environ.get("CI") != "true":
        pytest.importorskip("distributed", reason="pip install 'bayeslmm[cluster]'")
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        Client(cluster) as connected,
    ):
        yield connected


def slow_sigma(refit):
    time.sleep(0.004)
    return [refit.sigma, os.getpid()]


def test_cluster_gives_the_numbers_of_one_core(sleep, client, tmp_path):
    here = sleep.bootstrap(n=550, seed=8, ranef=True, progress=False)
    there = sleep.bootstrap(
        n=550, seed=8, ranef=True, client=client, store=tmp_path / "boot.store", progress=False
    )
    np.testing.assert_array_equal(here.values, there.values)
    np.testing.assert_array_equal(here.ranef_errors, there.ranef_errors)


@pytest.mark.parametrize("kind", ["cases", "wild"])
def test_other_kinds_on_a_cluster(sleep, client, kind):
    here, there = (
        sleep.bootstrap(n=120, kind=kind, seed=8, client=each, progress=False) for each in (None, client)
    )
    np.testing.assert_array_equal(here.values, there.values)


def test_nothing_is_lost_with_a_killed_worker(sleep, client):
    """One of two workers is killed by SIGKILL while it works; its chunks are done again."""
    victim = next(iter(client.run(os.getpid).values()))
    timer = threading.Timer(1.0, os.kill, (victim, signal.SIGKILL))
    timer.start()
    began = time.monotonic()
    boot = sleep.bootstrap(n=1500, seed=8, statistic=slow_sigma, client=client, progress=False)
    assert time.monotonic() - began > 1.5, "the run was over before the worker was killed"
    timer.join()
    assert len(set(boot.values[:, 1])) >= 2
    assert victim not in client.run(os.getpid).values()
    here = sleep.bootstrap(n=1500, seed=8, statistic=lambda refit: refit.sigma, progress=False)
    np.testing.assert_array_equal(here.values[:, 0], boot.values[:, 0])
    assert boot.n_failed + boot.n_raised == 0


def test_what_is_no_client_is_named(sleep):
    with pytest.raises(OptionError, match="client is a str"):
        sleep.bootstrap(n=5, client="tcp://localhost:8786", progress=False)
