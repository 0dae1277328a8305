"""R's rules for a term's columns: which factors are coded by contrasts, and which varies fastest.

formulaic has rules of its own, which give the same column space always and the same columns nearly always.
R's make the columns those of `model.matrix`, so that coefficients can be compared one by one.
"""

from collections.abc import Iterable, Iterator
from functools import reduce
from operator import mul
from typing import Any


def scoped_terms(
    factor_cache: dict[str, Any], terms: Iterable[Any], ensure_full_rank: bool = True
) -> Iterator[tuple[Any, list[Any]]]:
    """formulaic's terms, each with its factors in order and told how to be coded.

    A factor f of a term T is coded by contrasts when T without f is nothing, or part of an earlier term;
    otherwise by one column a level. Without an intercept the first factor is too. Within a term the factor
    that comes first in the formula varies fastest.

    Parameters
    ----------
    factor_cache : formulaic's evaluated factors by expression
    terms : formulaic's terms, main effects first
    ensure_full_rank : part of formulaic's signature; dependent columns are dropped later, as in R
    """
    from formulaic.materializers.types import ScopedFactor, ScopedTerm

    terms = list(terms)
    place = _first_places(terms)
    earlier: list[frozenset[str]] = []
    spanned = False  # is the constant in the span of what came before?
    for term in terms:
        evaluated = [factor_cache[factor.expr] for factor in term.factors]
        factors = sorted((f for f in evaluated if not _is_constant(f)), key=lambda f: place[f.expr])
        names = frozenset(factor.expr for factor in factors)
        scoped = []
        for factor in factors:
            levels = factor.metadata.spans_intercept
            reduced = levels and spanned and _is_margin(names - {factor.expr}, earlier)
            scoped.append(ScopedFactor(factor, reduced=reduced))
            spanned = spanned or levels
        spanned = spanned or not factors
        earlier.append(names)
        scale = reduce(mul, (factor.values for factor in evaluated if _is_constant(factor)), 1)
        yield term, [ScopedTerm(factors=scoped, scale=scale)]


def _first_places(terms: Iterable[Any]) -> dict[str, int]:
    """Where in the formula's text each factor comes first."""
    place: dict[str, int] = {}
    for factor in (factor for term in terms for factor in term.factors):
        at = factor.token.source_start if factor.token else 0
        place[factor.expr] = min(at, place.get(factor.expr, at))
    return place


def _is_constant(factor: Any) -> bool:
    kind: str = factor.metadata.kind.value
    return kind == "constant"


def _is_margin(rest: frozenset[str], earlier: Iterable[frozenset[str]]) -> bool:
    """Is what remains of a term nothing, or part of an earlier term?"""
    return not rest or any(rest <= names for names in earlier)
