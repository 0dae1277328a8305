"""What is compiled ahead is what a first hour asks for; what one process compiles another one waits for."""

import subprocess
import sys
import threading
import time

import pytest
from filelock import FileLock

from bayeslmm.kernel import shared_cache
from bayeslmm.kernel.addresses import CalledByAddress
from bayeslmm.kernel.ahead import units
from bayeslmm.kernel.shared_cache import SharedCache
from tests.kernel.test_addresses import caller

FIRST_HOUR = """
import bayeslmm as bl
from bayeslmm.kernel.addresses import CalledByAddress
from bayeslmm.kernel.interpreted import Interpreted
Interpreted.affords = lambda *_: False
model = bl.LinearMixedModel("Reaction ~ Days + (Days | Subject)", bl.load_dataset("sleepstudy"))
fit = model.fit()
fit.bootstrap(300, seed=1, progress=False)
bl.compare(fit, model.sample(seed=1, method="importance", progress=False)).table
for (module, name), function in CalledByAddress.known.items():
    for arguments in function.overloads:
        print(f"{module}.{name}{arguments}")
"""


def test_what_is_compiled_ahead_is_what_a_first_hour_asks_for() -> None:
    asked = subprocess.run([sys.executable, "-c", FIRST_HOUR], check=True, capture_output=True, text=True)
    listed = [f"{f.py_func.__module__}.{f.py_func.__qualname__}{arguments}" for f, arguments in units()]
    assert sorted(listed) == sorted(asked.stdout.splitlines())


def test_it_ends_with_the_process_that_asked_for_it() -> None:
    command = [sys.executable, "-m", "bayeslmm.kernel.ahead"]
    assert subprocess.run(command, stdin=subprocess.DEVNULL, check=False, timeout=60).returncode == 0


@pytest.fixture
def shared() -> SharedCache:
    assert isinstance(caller, CalledByAddress)
    cache = caller._cache
    assert isinstance(cache, SharedCache)
    return cache


def test_who_compiles_last_waits(shared: SharedCache) -> None:
    other, waited = FileLock(shared.lock.lock_file), []

    def wait() -> None:
        began = time.perf_counter()
        with shared.turn():
            waited.append(time.perf_counter() - began)

    with other:
        thread = threading.Thread(target=wait)
        thread.start()
        time.sleep(0.3)
        assert not waited
    thread.join()
    assert waited[0] > 0.2


def test_nobody_waits_for_a_process_that_is_stuck(shared: SharedCache) -> None:
    with FileLock(shared.lock.lock_file), shared.turn(patience=0.0):
        assert not shared.lock.is_locked


def test_without_a_second_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(shared_cache.ALONE, "1")
    monkeypatch.setattr(shared_cache.subprocess, "Popen", lambda *_, **__: pytest.fail("it began one"))
    shared_cache.start_compiling_ahead.__wrapped__()
