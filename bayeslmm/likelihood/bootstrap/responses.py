"""New responses: what a kind of bootstrap makes and a refit takes."""

from collections.abc import Iterable
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

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


class Responses(NamedTuple):
    """m responses side by side: zr (m, q), gamma (m, p), rr (m,), b (m, q)."""

    zr: Array
    gamma: Array
    rr: Array
    b: Array

    @classmethod
    def of(cls, responses: list[Response]) -> "Responses":
        """Stack single responses."""
        return cls(*(np.ascontiguousarray(part) for part in map(np.array, zip(*responses, strict=True))))


class Rows(NamedTuple):
    """A response less Xβ̂ and offset, (n,), and the random effects (q,) it was made with, or NaN."""

    y: Array
    b: Array


class Sampler(Protocol):
    """Makes responses, one from each generator."""

    def __call__(self, generators: Iterable[np.random.Generator]) -> Responses: ...


class RowSampler(Protocol):
    """Makes the rows of one response from one generator."""

    def __call__(self, generator: np.random.Generator) -> Rows: ...
