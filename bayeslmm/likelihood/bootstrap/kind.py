"""What a kind of bootstrap is: a way to make responses from a fit."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from bayeslmm.likelihood.fit import LikelihoodFit

type Array = NDArray[np.float64]


class Response(NamedTuple):
    """A response less Xβ̂ and offset, reduced to what a refit needs (see `kernel.sufficient`).

    Attributes
    ----------
    zr : (q,) Z̃ᵀr. gamma : (p,) Qᵀy. rr : rᵀr. b : (q,) the random effects it was made with, public order.
    """

    zr: Array
    gamma: Array
    rr: float
    b: Array


class Sampler(Protocol):
    """Makes one response from one generator."""

    def __call__(self, generator: np.random.Generator) -> Response: ...


class BootstrapKind(ABC):
    """A kind of bootstrap, with the keyword that asks for it."""

    keyword: ClassVar[str]

    @abstractmethod
    def sampler(self, fit: "LikelihoodFit") -> Sampler:
        """What makes responses from this fit; all that doesn't change between replicates is done here."""
