"""Bambi is an extra: its tests are skipped without it on a laptop, and fail in CI."""

import os
from importlib.util import find_spec

import pytest

needs_bambi = pytest.mark.skipif(
    find_spec("bambi") is None and os.environ.get("CI") != "true",
    reason="Bambi isn't installed: pip install 'bayeslmm[bambi]'",
)
