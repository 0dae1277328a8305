"""Contrasts by R's functions and patsy's: what stands first in R's is how many levels there are."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from bayeslmm.errors import BayesLMMError
from bayeslmm.spec.build import build
from bayeslmm.spec.model_spec import ModelSpec

DATA = pd.DataFrame(
    {"y": np.arange(12.0) ** 2, "f": list("abc") * 4, "dose": [0, 1, 2] * 4, "g": list("pq") * 6}
)
SECOND = [[1, 0], [0, 0], [0, 1]]  # contr.treatment(3, base = 2)


def rows(term: str) -> np.ndarray:
    """Its columns in the first three rows, which have the three levels."""
    return np.asarray(build(ModelSpec(f"y ~ {term}"), DATA).design.X)[:3, 1:]


# R's matrices
@pytest.mark.parametrize("factor", ["f", "dose"])
@pytest.mark.parametrize(
    ("contrasts", "expected"),
    [
        ("contr.treatment(3)", [[0, 0], [1, 0], [0, 1]]),
        ("contr.treatment(3, base=2)", SECOND),
        ("contr.treatment(3, 2)", SECOND),
        ("contr.treatment(n=3, base=2)", SECOND),
        ("contr.treatment(base=2)", SECOND),
        ("treatment, base=2", SECOND),
        ("contr.SAS(3)", [[1, 0], [0, 1], [0, 0]]),
        ("contr.sum(3)", [[1, 0], [0, 1], [-1, -1]]),
        ("contr.helmert(3)", [[-1, -1], [1, -1], [0, 2]]),
        ("contr.poly(3)", np.array([[-1, 1], [0, -2], [1, 1]]) / np.sqrt([2, 6])),
        (
            "contr.poly(3, scores=c(1, 2, 4))",
            [[-0.6172134, 0.5345225], [-0.1543033, -0.8017837], [0.7715167, 0.2672612]],
        ),
    ],
)
def test_contrasts_are_rs(factor: str, contrasts: str, expected: list[list[float]]) -> None:
    assert_allclose(rows(f"C({factor}, {contrasts})"), expected, atol=1e-7)


@pytest.mark.parametrize(
    "term",
    [
        "C(f, contr.treatment(c('a', 'b', 'c'), base=2))",
        "C(f, contr.treatment('b'))",
        "C(f, Treatment('b'))",
        "C(f, Treatment(reference='b'))",
        "C(dose, Treatment(1))",
        "C(dose, Treatment(reference=1))",
        "factor(dose, ref=1)",
    ],
)
def test_a_base_by_its_name(term: str) -> None:
    assert_allclose(rows(term), SECOND)


@pytest.mark.parametrize(
    ("term", "message"),
    [
        ("C(f, contr.treatment(2))", "how many or which"),
        ("C(f, contr.sum(4))", "levels 4; .* 'a', 'b', 'c'"),
        ("C(f, contr.sum(c('c', 'b', 'a')))", "how many or which"),
        ("C(f, contr.treatment(base=4))", "base of the contrasts is 4; .* its number from 1"),
        ("C(f, contr.treatment(base='d'))", "base of the contrasts is 'd'"),
        ("C(f, Treatment(1))", "base of the contrasts is '1'"),
        ("C(f, Treatment(reference=1))", "base of the contrasts is '1'"),
        ("C(f, contr.helmert(3, FALSE))", "can't be computed"),
    ],
)
def test_what_does_not_fit_the_levels_is_refused(term: str, message: str) -> None:
    with pytest.raises(BayesLMMError, match=message):
        rows(term)
