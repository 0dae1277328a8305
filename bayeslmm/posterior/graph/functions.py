"""Graphs as functions, by PyTensor's Python linker: nothing is compiled, and every node is NumPy's."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from bayeslmm.posterior.names import Tensor


def function_of(inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> Callable[..., list[Any]]:
    """The outputs as a function of the inputs, which may be given by name; some may play no part."""
    import pytensor

    mode = pytensor.compile.mode.Mode(linker="py", optimizer="fast_compile")
    with _without_traces(outputs):
        found: Callable[..., list[Any]] = pytensor.function(
            list(inputs), list(outputs), mode=mode, on_unused_input="ignore"
        )
    return found


@contextmanager
def _without_traces(outputs: Sequence[Tensor]) -> Iterator[None]:
    """Nothing above the outputs says which line made it.

    PyTensor's rewrites add a variable's lines to those of what takes its place, again and again: some graphs
    of 466 nodes came to have gigabytes of them.
    """
    from pytensor.graph.traversal import ancestors

    traced = [variable for variable in ancestors(list(outputs)) if hasattr(variable.tag, "trace")]
    kept = [variable.tag.trace for variable in traced]
    for variable in traced:
        variable.tag.trace = []
    try:
        yield
    finally:
        for variable, trace in zip(traced, kept, strict=True):
            variable.tag.trace = trace
