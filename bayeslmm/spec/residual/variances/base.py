"""What every variance function can do."""

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar, Self

import numpy as np

from bayeslmm.errors import DataError, OptionError, check_choice
from bayeslmm.registry import Registered
from bayeslmm.spec.residual.structure import Array, Learnt, Structure


class Reads(Enum):
    """What a variance function reads of its column."""

    LEVELS = "levels"
    NUMBERS = "numbers"
    POSITIVE = "positive numbers"
    NONZERO = "numbers other than 0"


FITTED = "fitted"
OF_FITTED = (Reads.NUMBERS, Reads.NONZERO)  # what fitted values can be read as


class Factors:
    """What can be multiplied by `*`: variance functions, and products of them."""

    def __iter__(self) -> Iterator["VarianceFunction"]:
        """The functions one by one."""
        raise NotImplementedError

    def __mul__(self, other: "Factors") -> "Product":
        """Both together: standard deviations are multiplied."""
        return Product((*self, *other)) if isinstance(other, Factors) else NotImplemented


@dataclass(frozen=True, eq=False)
class Product(Factors):
    """Several variance functions, whose standard deviations are multiplied."""

    functions: tuple["VarianceFunction", ...]

    def __iter__(self) -> Iterator["VarianceFunction"]:
        """The functions one by one."""
        return iter(self.functions)


@dataclass(frozen=True, eq=False)
class VarianceFunction(Structure, Factors, Registered):
    """sd(e_i)/σ: one analytic function of δ and of a number of each row, or its level's place.

    Attributes
    ----------
    of : "fitted" where the number is the fitted value, and no column.
    """

    of: str | None = None

    reads: ClassVar[Reads] = Reads.NUMBERS

    def __post_init__(self) -> None:
        """Check what it is a function of.

        Raises
        ------
        OptionError
            For anything but a column or fitted values.
        """
        if self.of is not None:
            check_choice("of =", self.of, [FITTED] * (self.reads in OF_FITTED))
        if bool(self.form) == (self.of == FITTED):
            raise OptionError(f"{self.keyword} is of a column, or of='fitted': name one of the two")

    def __iter__(self) -> Iterator[Self]:
        """Itself."""
        yield self

    def check(self, name: str, values: Array) -> None:
        """Values (m,) of the column have a standard deviation that is neither 0 nor infinite.

        Raises
        ------
        DataError
            Where some don't.
        """
        bad = {Reads.POSITIVE: values <= 0, Reads.NONZERO: values == 0}.get(self.reads, np.zeros(0, bool))
        if not bad.any():
            return
        seen = f"{self.keyword}: {name!r} is {values[bad][0]:g} in {int(bad.sum())} rows, where this variance"
        if self.reads is Reads.POSITIVE:
            raise DataError(f"{seen} would not be above 0; shift the column, or leave such rows out")
        raise DataError(f"{seen} would be 0 or infinite; shift the column, or take Exp")

    @abstractmethod
    def log_sds(self, delta: Any, values: Array, learnt: Learnt) -> Any:
        """Logarithms (m,) of standard deviations over σ, at values (m,) of the column."""
