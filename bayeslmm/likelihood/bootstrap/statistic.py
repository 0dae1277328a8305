"""A statistic of the user's: any function of a fit, asked of every refit."""

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayeslmm.errors import BayesLMMWarning, OptionError, caution
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.runs.identity import identity_of

type Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Statistic:
    """A function of a fit that gives numbers, and what it gives for the fit itself.

    Attributes
    ----------
    function : of a fit to a number, an array or a Series. labels : of its values. estimate : (m,) of
    the fit itself. name : which function it is, in a store's manifest.
    """

    function: Callable[[Any], Any]
    labels: tuple[str, ...]
    estimate: Array
    name: str | None = None

    @classmethod
    def of(cls, function: Callable[[Any], Any], fit: Fitted, name: str | None = None) -> "Statistic":
        """Ask the function of the fit itself, so that what is wrong with it shows before any work.

        Raises
        ------
        OptionError
            For what can't be called or doesn't give numbers. What the function itself raises, as it is.
        """
        if not callable(function):
            raise OptionError(f"statistic is a {type(function).__name__}; give a function of a fit")
        value = function(fit)
        try:
            values = flat(value)
        except (TypeError, ValueError) as error:
            raise OptionError(
                f"statistic gave a {type(value).__name__}, not numbers; return a number, an array or a Series"
            ) from error
        own = getattr(function, "__name__", "statistic")
        labels = _labels(value, len(values), "statistic" if own == "<lambda>" else own)
        return cls(function, labels, values, name)

    def identity(self) -> str:
        """Which function it is: the name it was given, or else its code and what that refers to.

        Raises
        ------
        OptionError
            Where there is neither.
        """
        told = self.name or identity_of(self.function)
        if told is None:
            raise OptionError(
                "a store keeps values of one statistic, and this one can't be told from another: it is no "
                "plain function, or refers to objects that have no text; name it, statistic_name='...'"
            )
        return told

    def __call__(self, fit: Fitted) -> Array:
        """Values (m,) for one fit.

        Raises
        ------
        ValueError
            When their number isn't that of the original fit. And whatever the function raises.
        """
        values = flat(self.function(fit))
        if len(values) != len(self.labels):
            raise ValueError(
                f"the statistic gave {len(values)} values here, {len(self.labels)} for the fit itself"
            )
        return values

    def or_nothing(self, fit: Fitted) -> Array | None:
        """Values for one fit, None where the function raises."""
        try:
            return self(fit)
        except SystemError:  # Ctrl-C in compiled code
            raise
        except Exception:  # noqa: BLE001 (a user's function may raise anything; it is counted, the first shown)
            return None

    def show_error(self, fit: Fitted, replicate: int) -> None:
        """Ask again where the function has raised, and show all it says."""
        try:
            self(fit)
        except Exception:  # noqa: BLE001 (as above)
            caution(
                f"the statistic raised at replicate {replicate}; this one and those that follow are counted "
                f"and left out:\n{traceback.format_exc()}",
                BayesLMMWarning,
            )


def flat(value: Any) -> Array:
    """Numbers (m,) of a number, an array, a Series or a table; None is what a forgotten `return` gives."""
    if value is None:
        raise TypeError("the statistic gave None")
    return np.asarray(value, dtype=np.float64).ravel()


def _labels(value: Any, m: int, name: str) -> tuple[str, ...]:
    if isinstance(value, pd.Series) and value.index.is_unique:
        return tuple(str(each) for each in value.index)
    return (name,) if m == 1 else tuple(f"{name}[{i}]" for i in range(m))
