"""Linear algebra has one thread while anybody is inside, and what it had when the last has left."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import scipy.linalg  # noqa: F401  (its library is limited, too)
from threadpoolctl import ThreadpoolController

from bayeslmm.one_thread import heed_loaded, one_thread

LIBRARIES = ThreadpoolController().select(user_api="blas")


def threads() -> set[int]:
    return {each["num_threads"] for each in LIBRARIES.info()}


@pytest.fixture(autouse=True)
def three():
    with LIBRARIES.limit(limits=3):
        yield


def test_within_it_there_is_one():
    with one_thread():
        assert threads() == {1}
        with one_thread():
            assert threads() == {1}
        assert threads() == {1}
    assert threads() == {3}


def test_an_error_puts_back_what_was_found():
    with pytest.raises(KeyError), one_thread():
        raise KeyError
    assert threads() == {3}


def test_who_leaves_first_takes_nothing_from_the_others():
    """In threads that meet inside; the first to enter leaves first."""
    entered, left = Barrier(2, timeout=60), Barrier(2, timeout=60)

    def first() -> None:
        with one_thread():
            entered.wait()
        left.wait()

    def second() -> set[int]:
        with one_thread():
            entered.wait()
            left.wait()
            return threads()

    with ThreadPoolExecutor(2) as pool:
        pool.submit(first)
        assert pool.submit(second).result() == {1}
    assert threads() == {3}


def test_a_library_that_is_loaded_inside_has_one_too():
    with one_thread(), LIBRARIES.limit(limits=3):  # as one that has just come
        heed_loaded()
        assert threads() == {1}
    assert threads() == {3}
    heed_loaded()
    assert threads() == {3}
