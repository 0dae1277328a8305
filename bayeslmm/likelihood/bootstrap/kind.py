"""What a kind of bootstrap is: a way to make replicates from a fit."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from bayeslmm.likelihood.bootstrap.engine import Engine
    from bayeslmm.likelihood.bootstrap.refits import Responses
    from bayeslmm.likelihood.fit import LikelihoodFit

type Array = NDArray[np.float64]


class Response(NamedTuple):
    """A response less Xβ̂ and offset, reduced to what a refit needs (see `kernel.sufficient`).

    Attributes
    ----------
    zr : (q,) Z̃ᵀr. gamma : (p,) Qᵀy. rr : rᵀr. b : (q,) the random effects it was made with, public order,
    or NaN where it was made without any.
    """

    zr: Array
    gamma: Array
    rr: float
    b: Array


class Rows(NamedTuple):
    """A response less Xβ̂ and offset, (n,), and the random effects (q,) it was made with, or NaN."""

    y: Array
    b: Array


class Sampler(Protocol):
    """Makes responses, one from each generator."""

    def __call__(self, generators: Iterable[np.random.Generator]) -> "Responses": ...


class RowSampler(Protocol):
    """Makes the rows of one response from one generator."""

    def __call__(self, generator: np.random.Generator) -> Rows: ...


@dataclass(frozen=True)
class BootstrapKind(ABC):
    """A kind of bootstrap, with the keyword that asks for it; its options are its fields."""

    keyword: ClassVar[str]
    has_effects: ClassVar[bool] = True  # are responses made with known random effects?

    @abstractmethod
    def engine(self, fit: "LikelihoodFit", rows: bool) -> "Engine":
        """What makes replicates of this fit; all that doesn't change between them is done here.

        Parameters
        ----------
        rows : the refits are asked for their rows (fitted values, residuals), not for parameters alone.
        """


class ResponseKind(BootstrapKind):
    """A kind that makes new responses to the same design."""

    @abstractmethod
    def rows(self, fit: "LikelihoodFit") -> RowSampler:
        """What makes the rows of responses."""

    def statistics(self, fit: "LikelihoodFit") -> Sampler | None:
        """What makes responses without rows, where there is such a way."""
        return None

    def engine(self, fit: "LikelihoodFit", rows: bool) -> "Engine":
        """Responses and compiled refits."""
        from bayeslmm.likelihood.bootstrap.engine import ResponseEngine

        sampler = None if rows else self.statistics(fit)
        return ResponseEngine.of(fit, self.rows(fit) if sampler is None else None, sampler)
