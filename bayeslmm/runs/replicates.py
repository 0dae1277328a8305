"""A seeded loop of replicates: the same numbers however it is cut up or spread. Knows no statistics."""

from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

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


def collect(chunks: Iterable[Done], plan: Plan, progress: str | None = None) -> tuple[list[Array], bool]:
    """Rows of all chunks, in order of replicates, and whether Ctrl-C cut the run short.

    Parameters
    ----------
    progress : what is being done, shown on standard error while it lasts; None for silence.

    Raises
    ------
    KeyboardInterrupt
        Where nothing is finished yet.
    """
    rows: list[Array] = []
    try:
        for done in _shown(chunks, plan, progress):
            rows += [done.rows]  # one by one: what is finished survives an interrupt
    except KeyboardInterrupt:
        if not rows:
            raise
        return rows, True
    return rows, False


def run(task: Task, plan: Plan, progress: str | None = None) -> Array:
    """All rows, in order of replicates.

    Parameters
    ----------
    progress : as for `collect`.

    Raises
    ------
    KeyboardInterrupt
        On Ctrl-C, whatever is finished.
    """
    rows, interrupted = collect(finished(task, plan), plan, progress)
    if interrupted:
        raise KeyboardInterrupt
    return np.concatenate(rows)


def finished(task: Task, plan: Plan, client: Any = None) -> Generator[Done]:
    """Chunks in order, each as soon as it and those before it are done.

    Linear algebra libraries are kept to one thread, so that the numbers don't depend on how many there are.

    Parameters
    ----------
    client : of a Dask cluster that does the work, None for this machine.
    """
    from joblib import Parallel, delayed
    from threadpoolctl import threadpool_limits

    firsts = range(plan.first, plan.n, plan.chunk)
    if client is not None:
        from bayeslmm.runs.cluster import spread

        yield from spread(client, work, task, plan, firsts)
    elif plan.n_jobs == 1:
        with threadpool_limits(1):
            yield from (_chunk(task, plan, first) for first in firsts)
    else:
        parallel = Parallel(n_jobs=plan.n_jobs, prefer="threads", return_as="generator")
        yield from parallel(delayed(work)(task, plan, first) for first in firsts)


def work(task: Task, plan: Plan, first: int) -> Done:
    """One chunk, in a process that may not have limited its libraries yet, which takes milliseconds."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        return _chunk(task, plan, first)


def _chunk(task: Task, plan: Plan, first: int) -> Done:
    members = range(first, min(first + plan.chunk, plan.n))
    try:
        return Done(first, task(generators(plan.seed, members)))
    except SystemError as error:  # how Ctrl-C comes out of compiled code
        if _came_from_interrupt(error):
            raise KeyboardInterrupt from error
        raise


def _came_from_interrupt(error: BaseException | None) -> bool:
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__
    return error is not None


def watched(chunks: Iterable[Done], watch: Callable[[Done], None]) -> Iterator[Done]:
    """The same chunks, each shown to `watch` on its way."""
    for done in chunks:
        watch(done)
        yield done


def _shown(chunks: Iterable[Done], plan: Plan, what: str | None) -> Iterator[Done]:
    if what is None:
        yield from chunks
        return
    with _bar() as bar:
        number = bar.add_task(what, total=plan.n, completed=plan.first)
        for done in chunks:
            bar.advance(number, len(done.rows))
            yield done


def _bar() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
