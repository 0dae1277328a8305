"""What a kind of bootstrap is: a way to make replicates from a fit."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from bayeslmm.errors import OptionError
from bayeslmm.likelihood.bootstrap.engine import Engine, ResponseEngine
from bayeslmm.likelihood.bootstrap.responses import RowSampler, Sampler
from bayeslmm.likelihood.bootstrap.whole_fits import WholeFits
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.registry import Registered

type Array = NDArray[np.float64]
type KindWord = Literal["parametric", "residual", "cases", "wild", "random-effects block"]


@dataclass(frozen=True)
class BootstrapKind(Registered, ABC):
    """A kind of bootstrap, with the keyword that asks for it; its options are its fields."""

    has_effects: ClassVar[bool] = True  # are responses made with known random effects?

    @abstractmethod
    def engine(self, fit: Fitted, rows: bool) -> Engine:
        """What makes replicates of this fit; all that doesn't change between them is done here.

        Parameters
        ----------
        rows : the refits are asked for their rows (fitted values, residuals), not for parameters alone.
        """


class ResponseKind(BootstrapKind):
    """A kind that makes new responses to the same design."""

    @abstractmethod
    def rows(self, fit: Fitted) -> RowSampler:
        """What makes the rows of responses."""

    def statistics(self, fit: Fitted) -> Sampler | None:
        """What makes responses without rows, where there is such a way."""
        return None

    def engine(self, fit: Fitted, rows: bool) -> Engine:
        """Responses and compiled refits; whole fits where R has parameters."""
        if fit.design.residual.of_fitted:
            raise OptionError(
                "a variance of fitted values is a fixed point for one response; give the variance a "
                "column to "
                "bootstrap it"
            )
        if fit.design.residual.n_phi:
            return WholeFits.of(fit, self.rows(fit))
        sampler = None if rows else self.statistics(fit)
        return ResponseEngine.of(fit, self.rows(fit) if sampler is None else None, sampler)
