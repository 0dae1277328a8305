"""A bootstrap that is killed and resumed, interrupted, or spread over processes: the same numbers."""

import signal
import subprocess
import sys
import time

import joblib
import numpy as np
import pytest

from bayeslmm.errors import OptionError
from bayeslmm.runs.plan import Done
from bayeslmm.runs.store import Store

RUN = """
import sys, time
import bayeslmm as bl
fit = bl.LinearMixedModel("Reaction ~ Days + (Days | Subject)", bl.load_dataset("sleepstudy")).fit()
def sigma(refit):
    time.sleep(0.002)
    return refit.sigma
boot = fit.bootstrap(n=int(sys.argv[2]), seed=3, statistic=sigma,
                     statistic_name="sigma", store=sys.argv[1], progress=False)
print(boot.n, *boot.notes)
"""


def sigma(refit):
    return refit.sigma


def start(path, n):
    return subprocess.Popen([sys.executable, "-c", RUN, str(path), str(n)], stdout=subprocess.PIPE, text=True)


def wait_for_records(process, path, n):
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if path.exists() and path.stat().st_size and Store.read(path).n >= n:
            return
        assert process.poll() is None, "the run ended before it could be stopped"
        time.sleep(0.02)
    raise AssertionError("no records came")


def test_kill_9_and_resume(sleep, tmp_path):
    path = tmp_path / "boot.store"
    for already in (1, 2):
        process = start(path, 1_000_000)
        wait_for_records(process, path, 200 * already)
        process.send_signal(signal.SIGKILL)
        process.wait()
    kept = Store.read(path).n
    assert kept >= 400
    again = {"n": kept + 150, "seed": 3, "statistic": sigma, "progress": False}
    resumed = sleep.bootstrap(**again, statistic_name="sigma", store=path)
    undisturbed = sleep.bootstrap(**again)
    np.testing.assert_array_equal(resumed.values, undisturbed.values)
    np.testing.assert_array_equal(resumed.criterion_values, undisturbed.criterion_values)
    assert Store.read(path).n == kept + 150


def test_ctrl_c_returns_what_is_finished(sleep, tmp_path):
    path = tmp_path / "boot.store"
    process = start(path, 1_000_000)
    wait_for_records(process, path, 100)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    n = int(out.split()[0])
    assert f"stopped after {n} of 1000000 replicates" in out
    assert Store.read(path).n == n


INTERRUPTED = """
import signal
import bayeslmm as bl
from bayeslmm.likelihood.bootstrap.kinds.parametric import StatisticsSampler
from bayeslmm.likelihood.bootstrap.refits import Refitter
from bayeslmm.runs.plan import generators
fit = bl.LinearMixedModel("Reaction ~ Days + (Days | Subject)", bl.load_dataset("sleepstudy")).fit()
refitter = Refitter.of(fit)
responses = refitter.condensed(StatisticsSampler.of(fit)(generators(1, range(20_000))))
refitter._search_compiled(type(responses)._make(each[:2] for each in responses))
def interrupt(*_):
    raise KeyboardInterrupt
signal.signal(signal.SIGALRM, interrupt)
signal.setitimer(signal.ITIMER_REAL, 0.05)
try:
    refitter._search_compiled(responses)
except KeyboardInterrupt:
    print("interrupted")
"""


def test_ctrl_c_in_the_compiled_search_is_no_crash():
    done = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "interrupted\n")


def test_a_finished_store_is_read_not_run(sleep, tmp_path):
    path = tmp_path / "boot.store"
    first = sleep.bootstrap(n=150, kind="residual", ranef=True, se=True, store=path, progress=False)
    before = path.read_bytes()
    again = sleep.bootstrap(n=150, kind="residual", ranef=True, se=True, store=path, progress=False)
    assert path.read_bytes() == before
    assert again.seed == first.seed
    for one, other in zip(first.columns, again.columns, strict=True):
        np.testing.assert_array_equal(one, other)
    fewer = sleep.bootstrap(n=40, kind="residual", ranef=True, se=True, store=path, progress=False)
    np.testing.assert_array_equal(fewer.values, first.values[:40])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seed": 2}, "its bootstrap is 1, this run's is 2"),
        ({"kind": "wild"}, "its kind is 'parametric'"),
        ({"ranef": True}, "its ranef is False"),
        ({"statistic": sigma}, "its statistic is None"),
    ],
)
def test_a_store_of_another_run_is_refused(sleep, tmp_path, options, message):
    path = tmp_path / "boot.store"
    sleep.bootstrap(n=5, seed=1, store=path, progress=False)
    before = path.read_bytes()
    with pytest.raises(OptionError, match=message):
        sleep.bootstrap(n=5, store=path, progress=False, **{"seed": 1} | options)
    assert path.read_bytes() == before


def test_a_store_of_another_model_is_refused(sleep, fitter, tmp_path):
    path = tmp_path / "boot.store"
    sleep.bootstrap(n=5, seed=1, store=path, progress=False)
    other = fitter("Reaction ~ Days + (1 | Subject)", "sleepstudy")
    with pytest.raises(OptionError, match="its formula is 'Reaction ~ Days \\+ \\(Days"):
        other.bootstrap(n=5, seed=1, store=path, progress=False)
    reweighted = fitter("Reaction ~ Days + (Days | Subject)", "sleepstudy", weights="w")
    with pytest.raises(OptionError, match="its data is"):
        reweighted.bootstrap(n=5, seed=1, store=path, progress=False)


def test_processes_give_the_numbers_of_threads(sleep):
    one = sleep.bootstrap(n=150, seed=5, ranef=True, progress=False)
    with joblib.parallel_config("loky"):
        two = sleep.bootstrap(n=150, seed=5, ranef=True, n_jobs=2, progress=False)
    np.testing.assert_array_equal(one.values, two.values)
    np.testing.assert_array_equal(one.ranef_errors, two.ranef_errors)


def test_a_store_holds_one_statistic(sleep, tmp_path):
    """Two functions with one name, or none, are two statistics; one that can't be told needs a name."""
    path, options = tmp_path / "boot.store", {"seed": 3, "progress": False}
    sleep.bootstrap(n=3, statistic=lambda fit: fit.sigma, store=path, **options)
    with pytest.raises(OptionError, match="function of the statistic"):
        sleep.bootstrap(n=3, statistic=lambda fit: fit.beta_values[0], store=path, **options)

    class Sigma:
        def __call__(self, fit):
            return fit.sigma

    with pytest.raises(OptionError, match="statistic_name="):
        sleep.bootstrap(n=3, statistic=Sigma(), store=tmp_path / "other", **options)
    assert not (tmp_path / "other").exists()
    again = {"statistic_name": "sigma", "store": tmp_path / "other", **options}
    sleep.bootstrap(n=3, statistic=Sigma(), **again)
    assert sleep.bootstrap(n=4, statistic=Sigma(), **again).n == 4


@pytest.mark.parametrize("forge", ["width", "flag"])
def test_rows_of_another_run_are_refused(sleep, tmp_path, forge):
    path = tmp_path / "boot.store"
    sleep.bootstrap(n=3, seed=3, store=path, progress=False)
    found = Store.read(path)
    rows = found.rows[:, :-1] if forge == "width" else found.rows + 0.25
    path.unlink()
    fresh = Store.begin(path, found.manifest)
    list(fresh.append([Done(0, rows)]))
    with pytest.raises(OptionError, match="can't be trusted"):
        sleep.bootstrap(n=5, seed=3, store=path, progress=False)
