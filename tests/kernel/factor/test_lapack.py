"""LAPACK inside compiled code: addresses are found anew in every process and refused where they don't fit."""

import multiprocessing
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType

import numpy as np
import pytest
from joblib import Parallel, delayed

from bayeslmm.kernel.compiled import compiled_always
from bayeslmm.kernel.factor.lapack import ABSENT, address_of, routine_address
from tests.kernel.problems import crossed_problem

IN_ANOTHER = """
from bayeslmm.kernel.values.criterion import criterion
from tests.kernel.factor.test_lapack import value
print(repr(value()), len(criterion.stats.cache_misses), len(criterion.stats.cache_hits))
"""


@compiled_always
def address_of_nothing() -> int:
    return address_of("lapack.nothing")


@compiled_always
def address_of_factor() -> int:
    return address_of("lapack.dpotrf")


def value() -> float:
    problem = crossed_problem()
    return problem.kernel.criterion(problem.lam, reml=True)[0]


def test_compiled_code_knows_the_address() -> None:
    assert routine_address("lapack.dpotrf") > 0
    assert address_of_factor() == address_of_factor() == routine_address("lapack.dpotrf")


def test_what_isn_t_there_is_absent() -> None:
    assert routine_address("lapack.nothing") == ABSENT
    assert routine_address("nothing.dpotrf") == ABSENT
    assert address_of_nothing() == ABSENT


@pytest.mark.parametrize("signature", ["void (char *, long *)", "void (char *, int64_t *)", "int (int *)"])
def test_other_integers_are_refused(signature: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Capsule:
        def __str__(self) -> str:
            return f'<capsule object "{signature}" at 0x1>'

    module = ModuleType("scipy.linalg.cython_other")
    module.__pyx_capi__ = {"dpotrf": Capsule()}
    monkeypatch.setitem(sys.modules, module.__name__, module)
    assert routine_address("other.dpotrf") == ABSENT


def test_threads_and_processes_agree() -> None:
    expected = value()
    with ThreadPoolExecutor(2) as pool:
        found = [each.result() for each in [pool.submit(value) for _ in range(4)]]
    found += Parallel(n_jobs=2, backend="loky")(delayed(value)() for _ in range(2))
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        found.append(pool.apply(value))
    np.testing.assert_allclose(found, expected, rtol=1e-13)


@pytest.mark.slow
def test_a_dask_worker_agrees() -> None:
    if os.environ.get("CI") != "true":
        pytest.importorskip("distributed", reason="pip install 'bayeslmm[cluster]'")
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        found = client.submit(value).result()
    np.testing.assert_allclose(found, value(), rtol=1e-13)


def test_code_from_the_cache_of_another_process_runs() -> None:
    expected = value()
    command = [sys.executable, "-c", IN_ANOTHER]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    found, misses, hits = run.stdout.split()
    np.testing.assert_allclose(float(found.removeprefix("np.float64(").rstrip(")")), expected, rtol=1e-13)
    assert (int(misses), int(hits)) == (0, 1)
