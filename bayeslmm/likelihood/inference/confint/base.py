"""What a method for confidence intervals of all parameters is, and the choice among them."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from bayeslmm.errors import check_choice, check_prob
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.likelihood.inference.table import InferenceTable, headed
from bayeslmm.registry import Registered

type ConfintWord = Literal["wald", "profile", "bootstrap"]


@dataclass(frozen=True)
class ConfidenceMethod(Registered, ABC):
    """One way to limits of every parameter.

    Attributes
    ----------
    keyword : what asks for it. prob : their probability. n, seed : replicates, where it makes any.
    """

    prob: float
    n: int
    seed: int | None

    @abstractmethod
    def limits(self, fit: Fitted) -> InferenceTable:
        """Lower and upper by label."""

    def headed(self, frame: pd.DataFrame, heading: str, notes: tuple[str, ...] = ()) -> InferenceTable:
        """The limits of a frame by label, under what they are: "95 % " and `heading`."""
        limits = frame[["lower", "upper"]].rename_axis("label")
        said = f"{100 * self.prob:g} % {heading}"
        return headed(limits, said, notes, method=self.keyword, prob=self.prob)


def confint(fit: Fitted, method: str, prob: float, n: int, seed: int | None) -> InferenceTable:
    """Limits lower, upper by label.

    Raises
    ------
    OptionError
        For a misspelt method, or a probability outside (0, 1).
    """
    methods = ConfidenceMethod.kinds()
    chosen = methods[check_choice("method", method, methods)]
    check_prob(prob)
    return chosen(prob, n, seed).limits(fit)
