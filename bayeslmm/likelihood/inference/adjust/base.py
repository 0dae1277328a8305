"""What an adjustment for multiplicity is: from t statistics of a family to p-values and critical values."""

from abc import ABC, abstractmethod
from typing import ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayeslmm.registry import Registered

type Array = NDArray[np.float64]
type AdjustWord = Literal["tukey", "dunnett", "holm", "none"]


class Family(NamedTuple):
    """Contrasts that are judged together.

    Attributes
    ----------
    t, df : (k,). correlation : (k, k) of the contrasts' estimates. n_means : compared.
    kind : "pairwise", "reference" or "own".
    """

    t: Array
    df: Array
    correlation: Array
    n_means: int
    kind: str


class Adjustment(Registered, ABC):
    """One way to keep the error rate of a family.

    Attributes
    ----------
    keyword : what asks for it. name : what tables call it.
    usual_for : kinds of contrasts it is the default of.
    """

    name: ClassVar[str]
    usual_for: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def p(self, family: Family) -> Array:
        """(k,) adjusted two-sided p-values."""

    @abstractmethod
    def critical(self, family: Family, prob: float) -> Array:
        """(k,) how many standard errors the simultaneous intervals reach to each side."""
