"""50,000 rows: seconds and moderate memory, whatever the method."""

import time
import tracemalloc

import numpy as np
import pandas as pd
import pytest

import bayeslmm as bl
from bayeslmm.likelihood.fit import LikelihoodFit

N, GROUPS = 50_000, 1_000


@pytest.fixture(scope="module", params=["(x | g)", "(x | g) + (1 | h)"], ids=["one factor", "crossed"])
def large(request: pytest.FixtureRequest) -> LikelihoodFit:
    rng = np.random.default_rng(1)
    g, h, x = rng.integers(GROUPS, size=N), rng.integers(100, size=N), rng.normal(size=N)
    b = rng.normal(size=(GROUPS, 2)) @ np.diag([1.0, 0.5])
    y = 1 + 0.3 * x + b[g, 0] + b[g, 1] * x + 0.3 * rng.normal(size=100)[h] + rng.normal(size=N)
    data = pd.DataFrame({"y": y, "x": x, "t": (g % 3).astype(str), "g": g.astype(str), "h": h.astype(str)})
    return bl.LinearMixedModel(f"y ~ x * t + {request.param}", data).fit()


@pytest.mark.parametrize("ddf", ["satterthwaite", "kenward-roger"])
def test_large_models_take_seconds(large: LikelihoodFit, ddf: str) -> None:
    tracemalloc.start()
    start = time.perf_counter()
    table = large.anova(ddf=ddf)
    seconds, (_, peak) = time.perf_counter() - start, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seconds < 30
    assert peak < 600e6
    # x and its interaction vary between groups
    np.testing.assert_allclose(table["den_df"], GROUPS, rtol=0.02)
