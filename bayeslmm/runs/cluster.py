"""Chunks of replicates on a Dask cluster; what a killed worker had is done again by another."""

from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from bayeslmm.errors import OptionError
from bayeslmm.runs.plan import Done, Plan, Task

AHEAD = 4  # chunks on their way for each thread of the cluster


def spread(
    client: Any, work: Callable[[Task, Plan, int], Done], task: Task, plan: Plan, firsts: range
) -> Iterator[Done]:
    """Finished chunks in order; a few for each thread of the cluster are under way at any time.

    The task is sent as a computation, not as data: the scheduler can make it again when the workers that
    hold it die.

    Raises
    ------
    OptionError
        When `client` isn't one, or its cluster has no workers.
    """
    check_client(client)
    sent = client.submit(_itself, task, pure=False)
    waiting = iter(firsts)
    ahead = AHEAD * max(1, sum(client.nthreads().values()))
    pending = deque(client.submit(work, sent, plan, first, pure=False) for first in islice(waiting, ahead))
    try:
        while pending:
            yield pending.popleft().result()
            pending.extend(client.submit(work, sent, plan, first, pure=False) for first in islice(waiting, 1))
    finally:
        client.cancel(list(pending))


def check_client(client: Any) -> None:
    """One clear error for what isn't a client of a running cluster."""
    if not (hasattr(client, "submit") and hasattr(client, "nthreads")):
        raise OptionError(
            f"client is a {type(client).__name__}; give a dask.distributed.Client "
            "(pip install 'bayeslmm[cluster]'), or n_jobs= for the cores of this machine"
        )
    if not client.nthreads():
        raise OptionError("the client's cluster has no workers; wait with client.wait_for_workers(1)")


def _itself(task: Task) -> Task:
    return task
