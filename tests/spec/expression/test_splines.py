"""Natural and B-splines against R's `splines`, at old rows and new, within the boundary and beyond."""

import json
from pathlib import Path

import numpy as np
import pytest

from bayeslmm.errors import FormulaError
from bayeslmm.spec.materialize import replay, train

X = np.array([0.1, 0.4, 0.5, 0.9, 1.3, 1.4, 2.0, 2.2, 3.1, 3.3, 4.0, 5.5])
NEW = np.array([-1.0, 0.2, 2.6, 7.0])
R = json.loads((Path(__file__).parents[2] / "reference/splines/splines.json").read_text())


@pytest.mark.parametrize("call", R)
def test_rs_basis(call: str) -> None:
    part = train({"part": f"0 + {call}"}, {"x": X}, 12)["part"]
    new = replay({"part": part.trained}, {"x": NEW}, 4)["part"]
    np.testing.assert_allclose(part.matrix, R[call]["old"], rtol=1e-10, atol=1e-11)
    np.testing.assert_allclose(new.matrix, R[call]["new"], rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize(
    "call", ["ns(z, 3)", "bs(x, df=2)", "ns(x, df=0)", "bs(x, df=500)", "bs(x, degree=-1)", "ns(x, 2.5)"]
)
def test_what_makes_no_spline(call: str) -> None:
    with pytest.raises(FormulaError, match="can't be computed"):
        train({"part": f"0 + {call}"}, {"x": X, "z": np.ones(12)}, 12)
