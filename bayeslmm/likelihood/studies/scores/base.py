"""What a score of a model is: a number, lower is better, and what it was counted with."""

from abc import ABC, abstractmethod
from typing import ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.registry import Registered

type Rows = NDArray[np.int64]
type ScoreWord = Literal["aic", "aicc", "bic", "caic", "cv"]
type Folds = dict[str, Rows]  # rows left out together, by name


class Scored(NamedTuple):
    """A model's score; k, the parameters it counts, and its standard error, where there are any."""

    value: float
    k: float = np.nan
    se: float = np.nan


class Score(Registered, ABC):
    """One score.

    Attributes
    ----------
    keyword : what asks for it, and its column. needs_folds : whether it leaves rows out.
    random_counts : whether models with different random parts may be compared by it without a caution.
    caution : what a reader must know of it, or nothing.
    """

    needs_folds: ClassVar[bool] = False
    random_counts: ClassVar[bool] = True
    caution: ClassVar[str] = ""

    @abstractmethod
    def of(self, fit: Fitted, folds: Folds) -> Scored:
        """The score of a fit."""
