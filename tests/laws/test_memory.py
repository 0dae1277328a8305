"""What memory doesn't grow with: rows that are streamed, replicates beyond their table."""

import pytest

from tests.benchmarks.memory import measured

MB_A_MILLION_ROWS = 5.0  # of which a frame would take 24, and its design as much again
MB_A_THOUSAND_REPLICATES = 5.0  # of which the table takes 0.1


@pytest.mark.slow
def test_streamed_rows_leave_nothing_behind():
    few, many = measured("streamed", 1_000_000), measured("streamed", 5_000_000)
    assert many - few < 4 * MB_A_MILLION_ROWS


@pytest.mark.slow
def test_replicates_leave_their_row_of_the_table():
    few, many = measured("bootstrapped", 1000), measured("bootstrapped", 9000)
    assert many - few < 8 * MB_A_THOUSAND_REPLICATES
