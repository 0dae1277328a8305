"""Errors and warnings: every one says what was seen, the usual cause and the next step."""

import warnings
from collections.abc import Iterable
from difflib import get_close_matches
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from bayeslmm.habits import CHOICES


class BayesLMMError(Exception):
    """Base of every error this package raises on purpose."""


class InputError(BayesLMMError, ValueError):
    """Something the caller gave can't be used."""


class FormulaError(InputError):
    """A formula that can't be read."""


class DataError(InputError):
    """Data that can't carry the model."""


class OptionError(InputError):
    """A misspelt or impossible option."""


class PriorError(InputError):
    """A prior for a parameter that isn't there, or of a family that doesn't fit it."""


class UnknownName(InputError, AttributeError):
    """A function, method or attribute that isn't there."""


class OutputError(BayesLMMError, OSError):
    """A result that can't be written."""


class WorkerError(BayesLMMError, RuntimeError):
    """Processes that were killed while they worked."""


class BayesLMMWarning(UserWarning):
    """Base of every warning of this package."""


class SingularFitWarning(BayesLMMWarning):
    """A covariance estimate on its boundary."""


class ConvergenceWarning(BayesLMMWarning):
    """An optimum not proved."""


class IntervalWarning(BayesLMMWarning):
    """A standard error or a limit that there isn't."""


class BudgetWarning(BayesLMMWarning):
    """Something left out to keep to a budget of time."""


class DesignWarning(BayesLMMWarning):
    """Rows or columns left out of the design."""


class SamplingWarning(BayesLMMWarning):
    """Draws that shouldn't be trusted as they are."""


def caution(message: str | BayesLMMWarning, category: type[Warning] | None = None) -> None:
    """Warn, at the line outside this package that asked for it."""
    warnings.warn(message, category, skip_file_prefixes=(str(Path(__file__).parent),))


def nearest(name: str, choices: Iterable[str]) -> str | None:
    """The choice most like `name`, letter case aside, or None when none is alike."""
    by_lower = {choice.lower(): choice for choice in choices}
    close = get_close_matches(name.lower(), by_lower, n=1)
    return by_lower[close[0]] if close else None


def did_you_mean(name: str, choices: Iterable[str]) -> str:
    """The question '; did you mean ...?' about the nearest choice, or nothing."""
    choices = tuple(choices)
    usual = CHOICES.get(name.lower())
    guess = usual if usual in choices else nearest(name, choices)
    return f"; did you mean {guess!r}?" if guess else ""


def check_choice[T](what: str, given: T, choices: Iterable[T]) -> T:
    """`given` itself when it is one of the choices.

    Raises
    ------
    OptionError
        Naming the choices, and the nearest of them.
    """
    choices = tuple(choices)
    if given in choices:
        return given
    listed = ", ".join(repr(choice) for choice in choices)
    hint = did_you_mean(str(given), [str(choice) for choice in choices])
    raise OptionError(f"{what} {given!r} isn't known{hint or ';'} choices: {listed}")


def check_whole(what: str, given: Any, least: int) -> None:
    """Whether a count or a seed is a whole number, large enough.

    Raises
    ------
    OptionError
        Saying what was given.
    """
    if isinstance(given, bool) or not isinstance(given, Integral) or given < least:
        raise OptionError(f"{what} is a whole number of at least {least}, got {given!r}")


def check_prob(given: Any, what: str = "prob") -> None:
    """Whether a probability, an interval's where nothing else is named, is one.

    Raises
    ------
    OptionError
        Saying what was given.
    """
    if not isinstance(given, Real) or not 0 < float(given) < 1:
        raise OptionError(f"{what} is {given!r}; a probability lies between 0 and 1")


def check_seed(given: Any) -> None:
    """Whether a seed is a whole number, not negative, or None.

    Raises
    ------
    OptionError
        Saying what was given.
    """
    if given is not None:
        check_whole("seed", given, 0)
