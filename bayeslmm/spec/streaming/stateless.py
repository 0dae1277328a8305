"""Only terms that can be made row by row may be streamed; whatever looks at other rows is refused by name."""

from collections.abc import Iterable

from bayeslmm.errors import FormulaError
from bayeslmm.spec.expression.functions import known_functions
from bayeslmm.spec.tokens import asked_of, tokenize


def check_stateless(codes: Iterable[str]) -> None:
    """Every function called in these pieces of formula works row by row.

    Raises
    ------
    FormulaError
        Naming the first that doesn't; a function of the user's may look at other rows.
    """
    for code in codes:
        for call in asked_of(tokenize(code), code).calls:
            function = known_functions().get(call.function)
            if function is None or not function.by_row:
                raise FormulaError(
                    f"{call.function!r} in {call.text!r} needs all rows at once, and these data are read in "
                    "chunks; store what it makes as a column of its own (a factor as text), or give the data "
                    "as a DataFrame"
                )
