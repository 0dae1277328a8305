"""Which terms may be made row by row."""

import pytest

from bayeslmm.errors import FormulaError
from bayeslmm.spec.streaming.stateless import check_stateless


@pytest.mark.parametrize(
    "code", ["1 + x + f", "log(x)", "I(x**2)", "np.sqrt(x):f", "I(`a b` - 3)", "a / b", "x * log1p(z)"]
)
def test_row_by_row(code: str) -> None:
    check_stateless([code])


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("poly(x, 2)", "poly"),
        ("1 + scale(x)", "scale"),
        ("bs(x, df=4)", "bs"),
        ("lag(x)", "lag"),
        ("I(x - min(x))", "min"),
        ("C(x)", "C"),
    ],
)
def test_what_needs_other_rows_is_refused_by_name(code: str, name: str) -> None:
    with pytest.raises(FormulaError, match="needs all rows at once") as caught:
        check_stateless([code])
    assert str(caught.value).startswith(repr(name))
