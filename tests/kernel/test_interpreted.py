"""What Python interprets at first has the bits of compiled code, and gives way to it."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bayeslmm.kernel.addresses import CalledByAddress
from bayeslmm.kernel.compiled import compiled, compiled_always
from bayeslmm.kernel.factor.dense import LARGE, cholesky_leading
from bayeslmm.kernel.interpreted import INSIDE, LIMIT, LOADED, SHARE, Interpreted, n_elements, plain
from bayeslmm.kernel.kernel import Kernel
from bayeslmm.kernel.search.moment_start import relative_covariances
from bayeslmm.kernel.values.density import integrated, marginal
from tests.kernel.problems import STRUCTURES, Problem, make

CASES = [(name, p) for name in STRUCTURES for p in (0, 2, 9)]


def halves(a: np.ndarray) -> np.ndarray:
    return 0.5 * a


def reciprocal(a: np.ndarray) -> float:
    return 1.0 / a[0]


def unknown(function: Callable, how: Callable = compiled) -> CalledByAddress:
    """A compiled function of which nothing is in memory or on disk."""
    found = how(function)
    assert isinstance(found, CalledByAddress)
    found._cache.flush()
    return found


def everything(problem: Problem, kernel: Kernel) -> dict[str, object]:
    """Every number that a fit asks the kernel for, and the densities of a sampler."""
    lam, p, rng = problem.lam, kernel.p, np.random.default_rng(3)
    conditional, factored = kernel.conditional(lam), kernel.factored(lam)
    beta, root = rng.normal(size=p), rng.normal(size=(p, p))
    A_bar = rng.normal(size=(p + 1, p + 1))
    return {
        "packed": kernel.problem.floats,
        "start": relative_covariances(kernel.problem),
        "REML": kernel.criterion(lam, True),
        "ML": kernel.criterion(lam, False, 1.3),
        "many": kernel.criteria(np.array([lam, 2 * lam, 1e160 * lam]), True),
        "profiled": kernel.profiled(factored, True),
        "pullback": kernel.pullback(lam, 0.3, A_bar + A_bar.T),
        "effects": conditional.b_r,
        "their covariance": conditional.covariance_blocks(),
        "density": marginal(lam, 1.3, beta, kernel.problem),
        "integrated": integrated(lam, 0.7, root @ root.T, beta, kernel.problem),
    }


def bits(value: object) -> object:
    if isinstance(value, dict):
        return {name: bits(each) for name, each in value.items()}
    if isinstance(value, tuple | list):
        return [bits(each) for each in value]
    return value.tobytes() if isinstance(value, np.ndarray) else value


@pytest.mark.parametrize(("structure", "p"), CASES)
def test_interpreted_is_compiled_to_the_last_bit(
    structure: str, p: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = make(structure, p)
    with monkeypatch.context() as patched:
        patched.setattr(Interpreted, "affords", lambda *_: False)
        patched.setattr(Interpreted, "__call__", lambda *_: pytest.fail("was interpreted"))
        kernel = problem.kernel
        if n_elements(kernel.problem) > LIMIT:
            pytest.skip("is compiled, whoever asks")
        found = everything(problem, kernel)
    monkeypatch.setattr(CalledByAddress, "__call__", lambda self, *given: self.interpreted(*given))
    again = everything(problem, problem.kernel)
    for name, value in found.items():
        assert bits(value) == bits(again[name]), name


def test_lapack_is_called_by_compiled_code() -> None:
    a = np.random.default_rng(1).normal(size=(LARGE + 2, LARGE))
    a = a @ a.T + np.eye(LARGE + 2)
    again = a.copy()
    assert isinstance(cholesky_leading, CalledByAddress)
    assert cholesky_leading.interpreted(a, LARGE) == cholesky_leading(again, LARGE)
    assert bits(a) == bits(again)


def test_the_share_is_used_up() -> None:
    function = unknown(halves)
    function(np.ones(LIMIT - 1))
    assert not function.overloads
    for _ in range(SHARE // LIMIT + 1):
        assert function(np.ones(LIMIT - 1))[0] == 0.5
    assert len(function.overloads) == 1


def test_long_calls_are_compiled() -> None:
    function = unknown(halves)
    assert function(np.ones(LIMIT))[0] == 0.5
    assert len(function.overloads) == 1


def test_some_are_always_compiled() -> None:
    function = unknown(halves, compiled_always)
    assert function(np.ones(1))[0] == 0.5
    assert len(function.overloads) == 1


def test_what_is_on_disk_is_loaded() -> None:
    unknown(halves)(np.ones(LIMIT))
    function = compiled(halves)
    assert isinstance(function, CalledByAddress)
    assert function(np.ones(LOADED - 1))[0] == 0.5
    assert not function.overloads
    assert function(np.ones(1))[0] == 0.5
    assert list(function.stats.cache_hits.values()) == [1]


def test_the_disk_is_asked_only_where_it_decides() -> None:
    asked: list[bool] = []

    def on_disk() -> bool:
        asked.append(True)
        return True

    function = Interpreted(halves)
    assert function.affords((np.ones(LOADED - 1),), on_disk)
    assert not function.affords((np.ones(LIMIT),), on_disk)
    assert not asked
    assert not function.affords((np.ones(LOADED),), on_disk)
    assert asked


def test_numbers_are_pythons_and_division_is_silent() -> None:
    found = unknown(reciprocal)(np.zeros(1))
    assert found == np.inf
    assert type(found) is float
    assert type(plain((np.int64(1), np.bool_(True)))[1]) is bool


def test_each_thread_interprets_for_itself() -> None:
    seen: list[bool] = []

    def look() -> None:
        seen.append(INSIDE.now)

    def also_elsewhere() -> None:
        look()
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()

    Interpreted(also_elsewhere)()
    assert seen == [True, False]


def test_a_first_fit_compiles_nothing(tmp_path: Path) -> None:
    code = """
import bayeslmm as bl
from bayeslmm.kernel.addresses import CalledByAddress
fit = bl.LinearMixedModel("Reaction ~ Days + (Days | Subject)", bl.load_dataset("sleepstudy")).fit()
print(fit.sigma.hex(), sum(len(each.overloads) for each in CalledByAddress.known.values()))
"""
    alone = {"NUMBA_CACHE_DIR": str(tmp_path), "BAYESLMM_COMPILE_ALONE": "1"}
    runs = [
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=env)
        for env in (os.environ | alone, dict(os.environ))
    ]
    (cold, compiled_cold), (warm, _) = (run.stdout.split() for run in runs)
    assert (cold, compiled_cold) == (warm, "0")
