"""A formula changed by another, as R's `update`: `.` stands for what was there."""

from collections.abc import Iterator, Sequence

from .expression.lexer import lexemes
from .tokens import Token, complain, depths, join, tokenize

type Addend = tuple[str, str]


def updated_formula(old: str, new: str) -> str:
    """The formula that `new` makes of `old`.

    Parameters
    ----------
    old : a whole formula. new : one in which `.` stands for the old response (as nothing does) or the old
        terms; a term taken off with `-` is left out if it was there, and else left to the formula's reader.

    Raises
    ------
    FormulaError
        When one side is missing, or a random-effects term to take off isn't there.

    Examples
    --------
    >>> updated_formula("y ~ x + (x | g)", ". ~ . - (x | g) + (1 | g)")
    'y ~ x + (1 | g)'
    """
    response, terms = _sides(old)
    left, right = _sides(new)
    if not response:
        raise complain("there is no response before the '~'", old, 0)
    kept: list[Addend] = []
    for sign, text in _addends(right, new):
        if text == ".":
            kept.extend(_addends(terms, old))
        elif sign == "-" and ("+", text) in kept:
            kept.remove(("+", text))
        elif sign == "-" and "|" in text:
            raise complain(f"there is no term {text} to take off", new, max(new.find("-"), 0))
        else:
            kept.append((sign, text))
    return f"{_response(join(response), left, new)} ~ {_written(kept)}"


def _response(old: str, left: Sequence[Token], new: str) -> str:
    """The new left side, `.` in it being the old one: `log(.)` of y is `log(y)`."""
    if not left:
        return old
    written = new[left[0].start : new.index("~", left[-1].start)].strip()
    filler = old if written == "." or len(tokenize(old)) == 1 else f"({old})"
    for piece in reversed(lexemes(written)):
        if piece.text == ".":
            written = written[: piece.start] + filler + written[piece.end :]
    return written


def _sides(formula: str) -> tuple[list[Token], list[Token]]:
    tokens = tokenize(formula)
    tildes = [place for place, token in enumerate(tokens) if token.text == "~"]
    if len(tildes) != 1 or tildes[0] == len(tokens) - 1:
        raise complain("a formula has one '~' and terms after it", formula, 0)
    return tokens[: tildes[0]], tokens[tildes[0] + 1 :]


def _addends(tokens: Sequence[Token], formula: str) -> Iterator[Addend]:
    sign, current = "+", list[Token]()
    for token, depth in zip(tokens, depths(tokens), strict=True):
        if depth or token.kind != "operator" or token.text[0] not in "+-":
            current.append(token)
            continue
        if current:
            yield sign, join(current)
        sign, current = "-" if token.text.count("-") % 2 else "+", []
    if not current:
        raise complain("a term is missing at the end", formula, len(formula))
    yield sign, join(current)


def _written(addends: Sequence[Addend]) -> str:
    text = " ".join(f"{sign} {term}" for sign, term in addends)
    return text.removeprefix("+ ") or "1"
