"""A seeded loop of replicates: the same numbers however it is cut up or spread. Knows no statistics."""

from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import BrokenExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayeslmm.errors import WorkerError
from bayeslmm.one_thread import one_thread
from bayeslmm.runs.plan import Done, Plan, Task, generators
from bayeslmm.runs.progress import shown

type Array = NDArray[np.float64]

PATIENCE = 3  # times that processes may be killed while nothing comes of them


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
        for done in shown(chunks, plan, progress):
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
    firsts = range(plan.first, plan.n, plan.chunk)
    if client is not None:
        from bayeslmm.runs.cluster import spread

        yield from spread(client, work, task, plan, firsts)
    elif plan.n_jobs == 1:
        with one_thread():
            yield from (_chunk(task, plan, first) for first in firsts)
    else:
        yield from _by_workers(task, plan, firsts)


def _by_workers(task: Task, plan: Plan, firsts: range) -> Iterator[Done]:
    """Chunks by joblib's threads or processes; those that a killed process had are made again.

    Raises
    ------
    WorkerError
        Where processes are killed again and again and no chunk comes of it, or can't take the task at all.
    """
    from joblib import Parallel, delayed
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    finished, killed = 0, 0
    while finished < len(firsts):
        parallel = Parallel(n_jobs=plan.n_jobs, prefer="threads", return_as="generator")
        try:
            for done in parallel(delayed(work)(task, plan, first) for first in firsts[finished:]):
                yield done
                finished, killed = finished + 1, 0
        except BrokenExecutor as error:
            killed += 1
            if not isinstance(error, TerminatedWorkerError):
                raise WorkerError(f"worker processes can't do this task: {error}") from error
            if killed == PATIENCE:
                raise WorkerError(_killed(firsts[finished], plan.n)) from error


def _killed(n_done: int, n: int) -> str:
    return (
        f"worker processes were killed {PATIENCE} times in a row after {n_done} of {n} replicates, as "
        "happens when memory runs out; take fewer (n_jobs=). With store= the same call goes on from there"
    )


def work(task: Task, plan: Plan, first: int) -> Done:
    """One chunk, in a process that may not have limited its libraries yet, which takes milliseconds."""
    with one_thread():
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
