"""Which replicates to run and what is done for them; the random numbers of each. Knows no statistics."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from numbers import Integral
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from bayeslmm.errors import OptionError, check_whole

type Array = NDArray[np.float64]


class Task(Protocol):
    """What is done for some replicates: one generator each in (see `generators`), one row each out."""

    def __call__(self, generators: Iterable[np.random.Generator]) -> Array: ...


@dataclass(frozen=True, slots=True)
class Plan:
    """Which replicates to run, and how.

    Attributes
    ----------
    n : replicates. seed : replicate i is made from (seed, i) and nothing else.
    chunk : replicates handed over at once. n_jobs : workers, -1 for all cores: threads, or whatever
        ``joblib.parallel_config`` says around the call. first : number of the first one to run.
    """

    n: int
    seed: int
    chunk: int = 100
    n_jobs: int = 1
    first: int = 0

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises
        ------
        OptionError
            When a count isn't a positive whole number, or the seed a negative one.
        """
        for name, least in (("n", 1), ("chunk", 1), ("seed", 0)):
            check_whole(name, getattr(self, name), least)
        asked: object = self.n_jobs
        if not isinstance(asked, Integral) or asked == 0:
            raise OptionError(f"n_jobs is {asked!r}; give the number of threads, or -1 for all cores")


class Done(NamedTuple):
    """A finished chunk: number of its first replicate, and its rows."""

    first: int
    rows: Array


def fresh_seed() -> int:
    """A seed nobody chose, to be recorded."""
    return int(np.random.SeedSequence().generate_state(1, np.uint64)[0])


def generator(seed: int, replicate: int) -> np.random.Generator:
    """The random numbers of one replicate."""
    return next(generators(seed, (replicate,)))


def generators(seed: int, replicates: Iterable[int]) -> Iterator[np.random.Generator]:
    """The random numbers of some replicates, one after the other: each serves until the next is asked for.

    They are one generator, Philox (Salmon et al. 2011) keyed by the seed: replicate i begins at 2¹²⁸ i of its
    counter, so that no two replicates share a number, and a tenth of the time of making a generator goes.
    """
    bits = np.random.Philox(key=np.random.SeedSequence(seed).generate_state(2, np.uint64))
    numbers, state = np.random.Generator(bits), bits.state
    for replicate in replicates:
        state["state"]["counter"][2] = replicate
        bits.state = state
        yield numbers
