"""The reader of bars: an lme4-style formula taken apart into response, fixed part, bars and offsets.

What is inside a term is formulaic's business; here only the terms of the sum are told apart.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from bayeslmm.errors import FormulaError, did_you_mean

from .covariance import structures_by_keyword
from .expression.functions import hint_for, known_functions
from .grouping import GroupingReader
from .parsed import Bar, Expression, Formula
from .tokens import Asked, Token, asked_of, compares, complain, depths, expression, join, tokenize

_CALL = re.compile(r"(\w+)\((.*)\)", re.DOTALL)
_SEVERAL_RESPONSES = ("cbind", "mvbind")


class _Addend(NamedTuple):
    """One term of a sum, with its sign."""

    sign: str
    tokens: Sequence[Token]


class _Split(NamedTuple):
    """A term taken apart at its bar."""

    keyword: str
    left: Sequence[Token]
    right: Sequence[Token]


def read_formula(formula: str, functions: Collection[str] = ()) -> Formula:
    """Take a formula apart; the same text gives the same record, read once.

    Parameters
    ----------
    functions : names of functions that may be called besides those formulas know

    Raises
    ------
    FormulaError
        With a mark at the place that can't be read.
    """
    if not isinstance(formula, str):
        raise FormulaError(f"a formula is a string such as 'y ~ x + (1 | g)', not a {type(formula).__name__}")
    return _read(formula, frozenset(functions))


@lru_cache(maxsize=1024)
def _read(formula: str, functions: frozenset[str]) -> Formula:
    left, right, response = _sides(formula)
    fixed: list[_Addend] = []
    bars: list[Bar] = []
    offsets: list[Expression] = []
    outcome = _outcome(left, response, formula)
    _check_calls([*left, *right], functions, formula)
    for addend in _terms(right, formula):
        if _calls(addend.tokens, "offset"):
            offsets.append(_offset(addend, formula))
        elif (split := _split_at_bar(addend, formula)) is not None:
            bars.extend(_bars(split, formula))
        else:
            fixed.append(addend)
    return Formula(formula, response, outcome, _fixed(fixed, formula), tuple(bars), tuple(offsets))


def _sides(formula: str) -> tuple[list[Token], list[Token], str]:
    """Tokens left and right of the tilde, and the left side's text.

    Raises
    ------
    FormulaError
        When there isn't exactly one tilde, or nothing on one side of it.
    """
    tokens = tokenize(formula)
    tildes = [place for place, token in enumerate(tokens) if token.text == "~" and token.kind == "operator"]
    if len(tildes) != 1:
        at = tokens[tildes[1]].start if tildes else len(formula)
        raise complain("a formula has one '~', between the response and the terms", formula, at)
    left, right = tokens[: tildes[0]], tokens[tildes[0] + 1 :]
    at = tokens[tildes[0]].start
    if not left or not right:
        missing = "response before" if not left else "term after"
        raise complain(f"there is no {missing} the '~'; an intercept alone is written 'y ~ 1'", formula, at)
    return left, right, formula[:at].strip()


def _outcome(left: Sequence[Token], text: str, formula: str) -> Expression:
    """The response as one expression: `y/10` is arithmetic, not nesting.

    Raises
    ------
    FormulaError
        When several responses are asked for.
    """
    if any(_calls([token], name) for token in left for name in _SEVERAL_RESPONSES):
        raise complain(
            "several responses at once aren't supported (Bambi and brms fit multivariate models)",
            formula,
            left[0].start,
        )
    single = len(left) == 1 and left[0].kind in ("name", "python")
    made = _expression(left[0] if single else expression(text, left[0].start), formula)
    if not made.variables and not made.maybe:
        raise complain("the response names no column of the data", formula, left[0].start)
    return made


def _expression(token: Token, formula: str) -> Expression:
    asked = asked_of([token], formula)
    return Expression(join([token]), asked.variables, asked.maybe)


def _fixed(addends: Sequence[_Addend], formula: str) -> Expression:
    asked = _asked([token for addend in addends for token in addend.tokens], formula)
    code = " ".join(["1", *(f"{addend.sign} {join(addend.tokens)}" for addend in addends)])
    return Expression(code, asked.variables, asked.maybe)


def _asked(tokens: Sequence[Token], formula: str) -> Asked:
    """What terms ask for; a comparison among them stands in parentheses."""
    for token in tokens:
        if compares(token):
            raise complain("a comparison stands in parentheses, '(x > 3)'", formula, token.start)
    return asked_of(tokens, formula)


def _check_calls(tokens: Sequence[Token], functions: Collection[str], formula: str) -> None:
    """Raise FormulaError when a formula calls a function nobody defined."""
    known = known_functions()
    for token in (token for token in tokens if token.kind == "python" and _bar_call(token, formula) is None):
        for call in asked_of([_without_offset(token)], formula).calls:
            if call.function not in known and call.function not in functions:
                _check_keyword(call.function, token, formula)
                hint = hint_for(call.function, functions)
                message = f"the function {call.function!r} isn't known to formulas{hint}"
                raise complain(message, formula, token.start)


def _without_offset(token: Token) -> Token:
    """What stands in `offset(...)`, as an expression; any other token as it is."""
    call = _CALL.fullmatch(token.text)
    return expression(call[2], token.start) if call and call[1] == "offset" else token


def _terms(tokens: Sequence[Token], formula: str) -> Iterator[_Addend]:
    """The terms of a sum; a parenthesised sum that holds bars is opened.

    Raises
    ------
    FormulaError
        Where a term is missing, or `.` stands for one.
    """
    for addend in _sum(tokens, formula):
        inner = _inside(addend.tokens)
        if inner is not None and _bar_places(inner, any_depth=True) and not _bar_places(inner):
            yield from _opened(addend, inner, formula)
        else:
            yield addend


def _opened(addend: _Addend, inner: Sequence[Token], formula: str) -> Iterator[_Addend]:
    if addend.sign == "-":
        raise complain(
            "a random-effects term can't be subtracted; leave it out", formula, addend.tokens[0].start
        )
    yield from _terms(inner, formula)


def _sum(tokens: Sequence[Token], formula: str) -> Iterator[_Addend]:
    sign, current, at = "+", list[Token](), tokens[0].start
    for token, depth in zip(tokens, depths(tokens), strict=True):
        if token.text == "." and token.kind != "python":
            raise complain("'.' isn't supported; name the variables", formula, token.start)
        if depth or token.kind != "operator" or token.text[0] not in "+-":
            current.append(token)
            continue
        if current:
            yield _Addend(sign, current)
        elif at != token.start:
            raise complain("a term is missing here", formula, token.start)
        sign, current, at = _sign(token.text), [], token.start
    if not current:
        raise complain("a term is missing after this", formula, at)
    yield _Addend(sign, current)


def _sign(operators: str) -> str:
    return "-" if operators.count("-") % 2 else "+"


def _inside(tokens: Sequence[Token]) -> Sequence[Token] | None:
    """What a pair of parentheses around the whole holds, if there is such a pair."""
    around = len(tokens) > 2 and tokens[0].text == "(" and depths(tokens).count(0) == 2
    return tokens[1:-1] if around and tokens[-1].text == ")" else None


def _bar_places(tokens: Sequence[Token], any_depth: bool = False) -> list[int]:
    levels = depths(tokens)
    return [
        place
        for place, token in enumerate(tokens)
        if token.kind == "operator" and token.text in ("|", "||") and (any_depth or levels[place] == 0)
    ]


def _calls(tokens: Sequence[Token], name: str) -> bool:
    """Are these tokens one call of `name`?"""
    return len(tokens) == 1 and tokens[0].kind == "python" and tokens[0].text.startswith(f"{name}(")


def _offset(addend: _Addend, formula: str) -> Expression:
    token = addend.tokens[0]
    call = _CALL.fullmatch(token.text)
    if addend.sign == "-" or call is None:
        raise complain("an offset is added as a term of its own, '+ offset(x)'", formula, token.start)
    return _expression(expression(call[2], token.start), formula)


def _split_at_bar(addend: _Addend, formula: str) -> _Split | None:
    """The term's sides when it is a random-effects term, None when it is fixed.

    Raises
    ------
    FormulaError
        When a bar stands outside parentheses, inside another term, or nested.
    """
    keyword, inner = _keyword_and_inside(addend.tokens, formula)
    if inner is None or not (places := _bar_places(inner)):
        _refuse_stray_bar(addend.tokens, formula)
        return None
    if addend.sign == "-":
        raise complain(
            "a random-effects term can't be subtracted; leave it out", formula, addend.tokens[0].start
        )
    left, right = inner[: places[0]], inner[places[0] + 1 :]
    bar = inner[places[0]]
    _check_sides(left, right, bar, formula)
    if any(compares(token) for token, depth in zip(left, depths(left), strict=True) if not depth):
        left = [expression(formula[left[0].start : bar.start], left[0].start)]
    return _Split(_structure(keyword, bar, formula), left, right)


def _keyword_and_inside(tokens: Sequence[Token], formula: str) -> tuple[str, Sequence[Token] | None]:
    """The covariance keyword ("" if none) and the tokens within a term's parentheses."""
    inner = _inside(tokens)
    while inner is not None and _inside(inner) is not None:
        inner = _inside(inner)
    if len(tokens) == 1 and tokens[0].kind == "python":
        return _bar_call(tokens[0], formula) or ("", None)
    return "", inner


def _bar_call(token: Token, formula: str) -> tuple[str, Sequence[Token]] | None:
    """The keyword and the inside of `keyword(x | g)`, None for any other call."""
    call = _CALL.fullmatch(token.text)
    if call is None or "|" not in call[2] or call[1] not in structures_by_keyword():
        return None
    inside = tokenize(formula, call[2], token.start + len(call[1]) + 1)
    _check_calls(inside, (), formula)
    return (call[1], inside) if _bar_places(inside) else None


def _check_keyword(word: str, token: Token, formula: str) -> None:
    """Raise FormulaError for `word(x | g)` when `word` isn't a function."""
    if not token.text.startswith(f"{word}(") or "|" not in token.text:
        return
    keywords = structures_by_keyword()
    hint = did_you_mean(word, keywords) or ";"
    listed = ", ".join(f"{keyword}(x | g)" for keyword in keywords)
    raise complain(
        f"the covariance structure {word!r} isn't known{hint} there are {listed}", formula, token.start
    )


def _refuse_stray_bar(tokens: Sequence[Token], formula: str) -> None:
    if not (places := _bar_places(tokens, any_depth=True)):
        return
    outside = depths(tokens)[places[0]] == 0
    message = (
        "a bar stands inside parentheses: '(x | g)'"
        if outside
        else "a random-effects term stands alone, joined to the others by '+'"
    )
    raise complain(message, formula, tokens[places[0]].start)


def _check_sides(left: Sequence[Token], right: Sequence[Token], bar: Token, formula: str) -> None:
    for side, where in ((left, "left"), (right, "right")):
        if not side:
            raise complain(f"there is nothing {where} of this bar", formula, bar.start)
        if places := _bar_places(side, any_depth=True):
            raise complain("bars can't be nested; write one term a bar", formula, side[places[0]].start)


def _structure(keyword: str, bar: Token, formula: str) -> str:
    if bar.text == "||" and keyword not in ("", "diag"):
        raise complain(
            f"'||' asks for independent coefs, {keyword!r} for others; use one", formula, bar.start
        )
    return "diag" if bar.text == "||" else keyword or "us"


def _bars(split: _Split, formula: str) -> Iterator[Bar]:
    """The term's bars: one for each grouping factor that `a/b` stands for."""
    if any(_calls([token], "offset") for token in split.left):
        raise complain("an offset belongs to the fixed part", formula, split.left[0].start)
    for _ in _sum(split.left, formula):  # a term may be missing
        pass
    asked = _asked(split.left, formula)
    for columns in GroupingReader(split.right, formula).read():
        yield Bar(join(split.left), columns, split.keyword, asked.variables, asked.maybe)
