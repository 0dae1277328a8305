"""A seeded loop of replicates: the same numbers however it is cut up or spread. Knows no statistics."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from bayeslmm.errors import OptionError

type Array = NDArray[np.float64]


class Task(Protocol):
    """What is done for some replicates: one generator each in, one row each out."""

    def __call__(self, generators: list[np.random.Generator]) -> Array: ...


@dataclass(frozen=True, slots=True)
class Plan:
    """Which replicates to run, and how.

    Attributes
    ----------
    n : replicates. seed : replicate i is made from (seed, i) and nothing else.
    chunk : replicates handed over at once. n_jobs : threads; -1 for all cores.
    """

    n: int
    seed: int
    chunk: int = 100
    n_jobs: int = 1

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises
        ------
        OptionError
            When a count isn't positive.
        """
        for name in ("n", "chunk"):
            if getattr(self, name) < 1:
                raise OptionError(f"{name} is {getattr(self, name)}; it must be at least 1")
        if self.n_jobs == 0:
            raise OptionError("n_jobs is 0; give the number of threads, or -1 for all cores")


class Done(NamedTuple):
    """A finished chunk: number of its first replicate, and its rows."""

    first: int
    rows: Array


def fresh_seed() -> int:
    """A seed nobody chose, to be recorded."""
    return int(np.random.SeedSequence().generate_state(1, np.uint64)[0])


def generator(seed: int, replicate: int) -> np.random.Generator:
    """The random numbers of one replicate."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(replicate,)))


def run(task: Task, plan: Plan, progress: str | None = None) -> Array:
    """All rows, in order of replicates.

    Parameters
    ----------
    progress : what is being done, shown on standard error while it lasts; None for silence.
    """
    return np.concatenate([done.rows for done in _shown(finished(task, plan), plan.n, progress)])


def finished(task: Task, plan: Plan) -> Iterator[Done]:
    """Chunks in order, each as soon as it and those before it are done.

    Linear algebra libraries are kept to one thread, so that the numbers don't depend on how many there are.
    """
    from joblib import Parallel, delayed
    from threadpoolctl import threadpool_limits

    firsts = range(0, plan.n, plan.chunk)
    with threadpool_limits(1):
        if plan.n_jobs == 1:
            yield from (_chunk(task, plan, first) for first in firsts)
        else:
            parallel = Parallel(n_jobs=plan.n_jobs, prefer="threads", return_as="generator")
            yield from parallel(delayed(_chunk)(task, plan, first) for first in firsts)


def _chunk(task: Task, plan: Plan, first: int) -> Done:
    members = range(first, min(first + plan.chunk, plan.n))
    return Done(first, task([generator(plan.seed, replicate) for replicate in members]))


def _shown(chunks: Iterable[Done], n: int, what: str | None) -> Iterator[Done]:
    if what is None:
        yield from chunks
        return
    with _bar() as bar:
        number = bar.add_task(what, total=n)
        for done in chunks:
            bar.advance(number, len(done.rows))
            yield done


def _bar() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
