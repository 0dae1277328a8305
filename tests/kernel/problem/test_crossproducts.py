"""The plan of rows: kept for problems alike, and the same as made anew."""

import numpy as np
import pytest

from bayeslmm.kernel.kernel import Kernel
from bayeslmm.kernel.problem import crossproducts
from bayeslmm.kernel.problem.blocks import BlockRows
from bayeslmm.kernel.problem.crossproducts import planned

N = 24
CODES = {
    "one": [np.arange(N) % 4],
    "nested": [np.arange(N) % 12, np.arange(N) % 4],
    "crossed": [np.arange(N) % 4, np.arange(N) // 5],
    "none": [],
}


def blocks(codes: list[np.ndarray], known: np.ndarray | None = None) -> list[BlockRows]:
    columns = np.stack([np.ones(N), np.linspace(0, 1, N)], axis=1)
    return [BlockRows(own, columns, int(own.max()) + 1, known) for own in codes]


@pytest.mark.parametrize("design", CODES)
def test_a_plan_is_kept_by_its_levels(design: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plan, ints = planned(blocks(CODES[design]), N, 3)
    assert planned(blocks(CODES[design]), N, 3)[0] is plan
    monkeypatch.setattr(crossproducts, "KEPT", -1)
    anew, tables = planned(blocks(CODES[design]), N, 3)
    assert anew is not plan and anew.order == plan.order
    np.testing.assert_array_equal(ints, tables)


def test_other_levels_have_another_plan() -> None:
    one, two = [planned(blocks([codes]), N, 3)[1] for codes in (np.arange(N) % 4, np.arange(N) % 6)]
    assert len(one) != len(two)
    crossed, moved = CODES["crossed"], [CODES["crossed"][0], np.roll(CODES["crossed"][1], 7)]
    assert planned(blocks(crossed), N, 3)[0] is not planned(blocks(moved), N, 3)[0]


def test_a_known_covariance_has_a_plan_of_its_own() -> None:
    plan, _ = planned(blocks(CODES["one"], np.eye(4)), N, 3)
    assert plan.chain == () and plan.blocks[0].known is not None


def test_problems_that_share_a_plan_have_their_own_numbers() -> None:
    generator = np.random.default_rng(1)
    X, columns = np.ones((N, 1)), np.ones((N, 1))
    parts = [(CODES["one"][0], columns, 4)]
    first, second = (Kernel.build(generator.normal(size=N), X, parts) for _ in range(2))
    before = first.problem.floats.copy()
    changed = second.responding(np.zeros(4), np.zeros(1), 1.0)
    assert first.problem.ints is second.problem.ints is changed.problem.ints
    np.testing.assert_array_equal(first.problem.floats, before)
    assert first.moments(np.ones(1)).A[-1, -1] != second.moments(np.ones(1)).A[-1, -1]
