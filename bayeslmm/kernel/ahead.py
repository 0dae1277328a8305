"""What a second process compiles the first time: ``python -m bayeslmm.kernel.ahead``, see `shared_cache`.

The signatures that a first bootstrap, posterior and comparison ask for are written down here, in the order in
which the first process will want them last, then those of a fit, which is interpreted at first.
`tests/kernel/test_ahead.py` holds them to what is asked for.
"""

import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from importlib import import_module
from threading import Thread

import numpy as np
from filelock import FileLock, Timeout
from numba import typeof, types

from bayeslmm.kernel.addresses import CalledByAddress
from bayeslmm.kernel.problem.layout import Problem
from bayeslmm.kernel.search.optimizer import begin
from bayeslmm.kernel.shared_cache import SharedCache

SIGNATURES = """
    search.optimizer.trust_region_step f1 f2 f
    search.optimizer._newton_step f1 f2 f2
    search.optimizer._shifted f1 f1 f f1
    search.optimizer.propose Search f
    search.optimizer._rank_one Search f1
    search.optimizer._accept Search f f1
    search.optimizer._judge Search f f1
    search.optimizer.take Search f f1
    search.optimizer.advance Search f f1 f
    factor.pullback.selected_inverse f1 f2 Problem
    factor.pullback.spherical_solution f1 f2 Problem
    factor.pullback.pullback f f2 f1 Problem f1 f2
    factor.dense.cholesky_leading f2 i
    factor.dense._cholesky_by_loops f2 i
    factor.dense.solve_rows_transposed f2 f2
    factor.dense.inverse_from_cholesky f2 i
    factor.dense._invert_by_loops f2 f2
    factor.dense.sweep f2 i
    problem.sufficient.write_response Problem f1 f1 f
    search.refit.solve_all f2 Problem b f f2 f2 f1
    problem.sufficient.effects_crossproducts Problem
    effects.conditional.times_factor f1 Problem f2

    effects.draws_by_level.draw_levels f2 f1 i1 f2 f2 i1 Problem
    values.leave_out._met f2
    values.leave_out._projected f2 f2
    values.leave_out._without f2 f2 f2
    effects.conditional.solve_transposed f1 f2 Problem f2
    values.leave_out._scaled_rows f1 f1 f2 f1 i1 i1 Problem
    values.leave_out._energy f2 f f1 f2 f1 b
    values.leave_out._all_groups f2 f1 f2 f2 f1 b f1 i1 i1 f2 i1 Problem
    factor.chain.chain_backward f1 Problem f2
    values.fixed_effects.draw_fixed_effects f2 f2
    values.fixed_effects.fixed_effects_factor f2 f f2 f1
    effects.draws._draw_delta f2 f1 i1 f2 f2 f1 Problem
    independence.independence_chain f1 f1
    values.density.integrated_values f2 f2 f2 f1 Problem
    values.density._moments_cotangent f2 f2 f
    values.density.integrated_at f f2 f f2 f1 Problem
    values.density.integrated f1 f f2 f1 Problem

    effects.conditional.diagonal_blocks f1 Problem f1 f2
    effects.effect_moments.conditional_variances f1 f1 f2 Problem
    effects.effect_moments._of_delta f2 f f1 f2 f1 b
    effects.effect_moments._at_all f2 f1 f2 f2 f1 b Problem

    factor.blocked.relative_factors f1 Problem
    factor.blocked.factor f1 Problem
    values.criterion.criterion f1 Problem b f
    values.criterion.profile f f2 Problem b f
    search.optimizer.begin f1 f2
    search.refit._times f1 f2
    search.refit.search f1 f2 f2 Problem b f f i
    search.refit.refit_all f2 f2 f3 f2 i2 f2 Problem b f f2 f2 f1 f i
    search.moment_start._add_pair f2 i1 i1 f1 i i f2 f3
    search.moment_start._equations Problem i1
    problem.elimination._add_rows i1 i1 f1 f2 i1 i1 i1 i1 f1 f1 i
    problem.tables._rows i1 i1 i1 i1 i1 i1 i1 i1 i i1 i1
    values.criterion.criteria f2 Problem b f b
"""

Unit = tuple[CalledByAddress, tuple[types.Type, ...]]


def units() -> Iterable[Unit]:
    """The functions in the order of compilation, each with the types of its arguments."""
    problem = Problem(np.zeros(1, dtype=np.int64), np.zeros(1))
    known: dict[str, types.Type] = {
        "f": types.float64,
        "i": types.int64,
        "b": types.boolean,
        "Problem": typeof(problem),
        "Search": typeof(begin(np.zeros(1), np.eye(1))),
    }
    known |= {f"{kind}{ndim}": types.Array(known[kind], ndim, "C") for kind in "fi" for ndim in (1, 2, 3)}
    for line in SIGNATURES.split("\n"):
        if words := line.split():
            module, name = f"bayeslmm.kernel.{words[0]}".rsplit(".", 1)
            import_module(module)
            yield CalledByAddress.known[module, name], tuple(known[word] for word in words[1:])


def compile_ahead() -> None:
    """Compile all of them that nobody else is compiling."""
    for function, arguments in units():
        cache = function._cache
        if isinstance(cache, SharedCache):
            with suppress(Timeout), cache.lock.acquire(timeout=0):
                function.compile(arguments)


def _end_with_parent() -> None:
    """Its end closes the pipe that is our standard input."""
    sys.stdin.read()
    os._exit(0)


def main() -> None:
    """Compile ahead, unless another process does, for as long as the one that asked for it lives."""
    Thread(target=_end_with_parent, daemon=True).start()
    first, _ = next(iter(units()))
    cache = first._cache
    if isinstance(cache, SharedCache):
        with suppress(Timeout), FileLock(f"{cache.cache_path}/ahead.lock").acquire(timeout=0):
            compile_ahead()


if __name__ == "__main__":
    main()
