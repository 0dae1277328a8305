"""How far a run is: a bar on a terminal or in a notebook, a line now and then in a log."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.util import find_spec
from threading import Event, Thread
from time import perf_counter
from typing import TYPE_CHECKING

from bayeslmm.runs.budget import readable
from bayeslmm.runs.plan import Done, Plan

if TYPE_CHECKING:
    from rich.console import Console

EVERY = 15.0  # seconds between two lines of a log
WAITING: ContextVar[bool] = ContextVar("WAITING", default=False)


def shown(chunks: Iterable[Done], plan: Plan, what: str | None) -> Iterator[Done]:
    """The same chunks, told of as they come: by a bar where one can be drawn, else by a line now and then."""
    from rich.console import Console

    if what is None:
        yield from chunks
        return
    console = Console(stderr=True)
    drawn = console.is_terminal or (console.is_jupyter and find_spec("ipywidgets"))
    show = _bar(console, plan, what) if drawn else _lines(plan, what)
    with show as tell:
        for done in chunks:
            tell(len(done.rows))
            yield done


@contextmanager
def waited(what: str, of: float | None = None) -> Iterator[None]:
    """A line on standard error every `EVERY` seconds of what can't say how far it is: how long it has taken.

    What is waited for within says nothing of its own.

    Parameters
    ----------
    of : seconds that it was said to take, or None.
    """
    if WAITING.get():
        yield
        return
    over = Event()
    said = "" if of is None else f", of about {readable(of)}"
    teller = Thread(target=_tell, args=(what, said, over), daemon=True)
    teller.start()
    token = WAITING.set(True)
    try:
        yield
    finally:
        WAITING.reset(token)
        over.set()
        teller.join()


def _tell(what: str, said: str, over: Event) -> None:
    start = perf_counter()
    while not over.wait(EVERY):
        print(f"{what}: {readable(perf_counter() - start)} so far{said}", file=sys.stderr, flush=True)


@contextmanager
def _bar(console: "Console", plan: Plan, what: str) -> Iterator[Callable[[int], None]]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        number = bar.add_task(what, total=plan.n, completed=plan.first)
        yield lambda more: bar.advance(number, more)


@contextmanager
def _lines(plan: Plan, what: str) -> Iterator[Callable[[int], None]]:
    """A line on standard error every `EVERY` seconds, none of a short run."""
    start = last = perf_counter()
    done = plan.first

    def tell(more: int) -> None:
        nonlocal done, last
        done, now = done + more, perf_counter()
        if now - last > EVERY and done < plan.n:
            left = (now - start) / (done - plan.first) * (plan.n - done)
            print(f"{what}: {done} of {plan.n}, about {readable(left)} left", file=sys.stderr, flush=True)
            last = now

    yield tell
