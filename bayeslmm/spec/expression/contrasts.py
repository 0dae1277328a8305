"""Contrasts by the functions that make them: R's `contr.sum(3)`, patsy's `Treatment("b")`."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from bayeslmm.spec.factors import ByLevels, base_of, labels_of

from .values import whole


def treatment(n: Any = None, base: Any = 1) -> ByLevels:
    """Differences from a base: a level by its name, which may stand alone, or counted from 1."""
    if isinstance(n, str):
        return treatment(base=n)
    return ByLevels(lambda levels: _formulaics("Treatment", base_of(levels, base)), _asked(n))


def sas(n: Any = None) -> ByLevels:
    """Differences from the last level."""
    return ByLevels(lambda levels: _formulaics("Treatment", levels[-1]), _asked(n))


def deviations(n: Any = None) -> ByLevels:
    """Deviations of all levels but the last from their mean."""
    return ByLevels(lambda _: _formulaics("Sum"), _asked(n))


def helmert(n: Any = None, *, reverse: bool = True, scale: bool = False) -> ByLevels:
    """Differences from the mean of the levels before."""
    return ByLevels(lambda _: _formulaics("Helmert", reverse, scale), _asked(n))


def poly(n: Any = None, scores: Any = None) -> ByLevels:
    """Orthogonal polynomials of the levels' scores, which are 1, 2, ..."""
    return ByLevels(lambda _: _formulaics("Poly", scores), _asked(n))


def patsys_treatment(reference: Any = None) -> ByLevels:
    """Differences from a level by its name, a number too; patsy would count from 0, R from 1."""
    return treatment() if reference is None else treatment(base=labels_of([reference])[0])


def _asked(n: Any) -> Any:
    return tuple(labels_of(n)) if isinstance(n, tuple | list) else whole(n)


def _formulaics(name: str, *given: Any, **named: Any) -> Any:
    """Contrasts of formulaic's; it is imported when it is needed."""
    from formulaic.transforms import contrasts

    return getattr(contrasts, f"{name}Contrasts")(*given, **named)


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "contr.treatment": treatment,
    **dict.fromkeys(("contr.SAS", "contr.sas"), sas),
    **dict.fromkeys(("contr.sum", "Sum"), deviations),
    **dict.fromkeys(("contr.helmert", "Helmert"), helmert),
    **dict.fromkeys(("contr.poly", "Poly"), poly),
    **dict.fromkeys(("contr.diff", "Diff"), partial(_formulaics, "Diff")),
    "contr.custom": partial(_formulaics, "Custom"),
    "Treatment": patsys_treatment,
}
