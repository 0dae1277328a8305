"""Calls by address: what is compiled, when, and what happens where a callee fails."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from bayeslmm.kernel.addresses import AddressOfFunction, CalledByAddress
from bayeslmm.kernel.compiled import compilable, compiled_always, copied

AFRESH = """
from tests.kernel.test_addresses import caller, seldom
print(caller(np.ones(3), {often}), len(seldom.overloads), list(seldom.stats.cache_hits.values()))
"""


@compiled_always
def total(a: np.ndarray) -> np.ndarray:
    out = np.zeros(1)
    for x in a:
        out[0] += x
    return out


@compiled_always
def seldom(a: np.ndarray) -> None:
    for i in range(len(a)):
        a[i] *= 2.0


@compiled_always
def caller(a: np.ndarray, often: bool) -> float:
    if often:
        seldom(a)
    return total(a)[0]


@compiled_always
def refuses(a: np.ndarray) -> float:
    if a[0] < 0.0:
        raise ValueError
    return a[0]


@compiled_always
def asks(a: np.ndarray) -> float:
    return refuses(a) + 1.0


@compiled_always
def lies(a: np.ndarray) -> float:
    return len(a)


@compiled_always
def believes(a: np.ndarray) -> float:
    return lies(a)


@compilable
def halved(x: float) -> float:
    return x / 2.0


@compiled_always
def quartered(x: float) -> float:
    return halved(halved(x))


@copied
def place(a: np.ndarray, i: int) -> float:
    return a[i]


@compiled_always
def walks(a: np.ndarray) -> float:
    out, i = place(a, 0), 0
    while i < len(a):
        out += place(a, i)
        i += 1
    return out


def in_a_new_process(often: bool) -> str:
    code = "import numpy as np\n" + AFRESH.format(often=often)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_what_is_not_called_is_not_compiled() -> None:
    assert in_a_new_process(often=False).split()[:2] == ["3.0", "0"]
    assert in_a_new_process(often=True).split()[:2] == ["6.0", "1"]
    assert in_a_new_process(often=True).split() == ["6.0", "1", "[1]"], "from the cache of another process"


def test_the_machine_code_of_a_callee_is_not_in_its_caller() -> None:
    caller.recompile()
    caller(np.ones(2), False)
    (found,) = caller.overloads.values()
    defined = [each.name for each in found.library.get_defined_functions()]
    assert [name for name in defined if "total" in name and not name.startswith("ask.")] == []


def test_exceptions_go_through() -> None:
    assert asks(np.ones(1)) == 2.0
    with pytest.raises(ValueError):
        asks(-np.ones(1))
    assert asks(np.ones(1)) == 2.0


def test_an_annotation_that_does_not_hold_is_told() -> None:
    with pytest.raises(TypeError, match="annotation"):
        believes(np.ones(1))


def test_an_interrupt_of_the_question_is_raised_and_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: AddressOfFunction) -> int:
        raise KeyboardInterrupt

    quartered.recompile()
    with monkeypatch.context() as patched:
        patched.setattr(AddressOfFunction, "__call__", interrupted)
        with pytest.raises(KeyboardInterrupt):
            quartered(1.0)
    assert quartered(1.0) == 0.25


def test_values_of_arguments_make_no_second_function() -> None:
    walks.recompile()
    walks(np.ones(3))
    assert len(place.signatures) == 1


def test_what_is_compilable_stays_python() -> None:
    assert not isinstance(halved, CalledByAddress)
    assert quartered(8.0) == 2.0


def test_threads_that_ask_at_once_agree() -> None:
    asks.recompile()
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(lambda _: asks(np.ones(1)), range(16))) == {2.0}
