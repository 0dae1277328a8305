"""Which columns a term makes; their values are checked against R in tests/reference."""

import warnings

import pandas as pd
import pytest

from bayeslmm.errors import DesignWarning
from bayeslmm.spec.build import build
from bayeslmm.spec.model_spec import ModelSpec

DATA = pd.DataFrame(
    {
        "y": [1.0, 3.0, 2.0, 5.0, 4.0, 7.0, 6.0, 9.0],
        "a": list("ppqqppqq"),
        "b": list("uvuvuvuv"),
        "x": [0.0, 1.0, 3.0, 2.0, 5.0, 4.0, 7.0, 11.0],
    }
)


@pytest.mark.parametrize(
    ("fixed", "coefs", "dropped"),
    [
        ("a", ["Intercept", "a[T.q]"], []),
        ("0 + a", ["a[p]", "a[q]"], []),
        ("0 + a + b", ["a[p]", "a[q]", "b[T.v]"], []),
        ("a + b:a", ["Intercept", "a[T.q]", "a[p]:b[T.v]", "a[q]:b[T.v]"], []),
        ("a:x", ["Intercept", "a[p]:x", "a[q]:x"], []),
        ("x + a:x", ["Intercept", "x", "x:a[T.q]"], []),
        ("0 + x + a", ["x", "a[p]", "a[q]"], []),
        ("a:b", ["Intercept", "a[p]:b[u]", "a[q]:b[u]", "a[p]:b[v]"], ["a[q]:b[v]"]),
    ],
)
def test_columns(fixed: str, coefs: list[str], dropped: list[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DesignWarning)
        design = build(ModelSpec(f"y ~ {fixed}"), DATA).design
    assert (list(design.coefs), list(design.dropped)) == (coefs, dropped)
