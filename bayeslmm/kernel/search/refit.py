"""Many responses, one model: the search for Λ repeated at compiled speed."""

import numpy as np

from bayeslmm.kernel.arrays import Floats, Ints
from bayeslmm.kernel.compiled import compiled, compiled_always
from bayeslmm.kernel.copies import put, put_rows
from bayeslmm.kernel.factor.blocked import factor
from bayeslmm.kernel.factor.dense import sweep
from bayeslmm.kernel.problem.layout import Problem
from bayeslmm.kernel.problem.sufficient import write_response
from bayeslmm.kernel.search.optimizer import EVALUATIONS, Search, advance, begin
from bayeslmm.kernel.values.criterion import criterion, profile


@compiled
def _times(vector: Floats, matrix: Floats) -> Floats:
    out = np.zeros(matrix.shape[1])
    for i in range(matrix.shape[0]):
        for j in range(matrix.shape[1]):
            out[j] += vector[i] * matrix[i, j]
    return out


@compiled_always
def search(
    start: Floats,
    hessian: Floats,
    linear: Floats,
    problem: Problem,
    reml: bool,
    sigma: float,
    tolerance: float,
    max_evaluations: int,
) -> Search:
    """Minimize the criterion over x, Λ = x · linear, by rank-one updates of a given model.

    Parameters
    ----------
    start, hessian : (k,), (k, k) in the units of x, which are natural ones. linear : (k, n_lam).
    """
    state = begin(start, hessian)
    transposed = np.ascontiguousarray(linear.T)
    going = True
    while going and state.counts[EVALUATIONS] < max_evaluations:
        value, slope = criterion(_times(state.trial, linear), problem, reml, sigma)
        going = advance(state, value, _times(slope, transposed), tolerance)
    return state


@compiled_always
def refit_all(
    point: Floats,
    gradient: Floats,
    hessian: Floats,
    numbers: Floats,
    counts: Ints,
    linear: Floats,
    problem: Problem,
    reml: bool,
    sigma: float,
    zr: Floats,
    gamma: Floats,
    rr: Floats,
    tolerance: float,
    max_evaluations: int,
) -> None:
    """Search for each of m responses.

    Nothing is returned: with Ctrl-C waiting, compiled code crashes where it makes a named tuple for Python.

    Parameters
    ----------
    point, gradient, hessian, numbers, counts : of m searches, (m, ...), as `Search` says; changed in place.
        They begin at `point` with `hessian`, whatever the others hold.
    zr, gamma, rr : (m, q), (m, p), (m,) as `sufficient.write_response` takes them. others : as `search`.
    """
    work = Problem(problem.ints, problem.floats.copy())
    for i in range(len(rr)):
        write_response(work, zr[i], gamma[i], rr[i])
        state = search(point[i], hessian[i], linear, work, reml, sigma, tolerance, max_evaluations)
        put(state.point, point[i])
        put(state.gradient, gradient[i])
        put_rows(state.hessian, hessian[i])
        put(state.numbers, numbers[i])
        put(state.counts, counts[i])


@compiled
def solve_all(
    lam: Floats,
    problem: Problem,
    reml: bool,
    sigma: float,
    zr: Floats,
    gamma: Floats,
    rr: Floats,
) -> tuple[Floats, Floats, Floats]:
    """δ̂ (m, p), r² (m,) and the criterion (m,) of m responses, each at its own Λ (m, n_lam)."""
    m, p = gamma.shape
    delta, r2, values = np.empty((m, p)), np.empty(m), np.empty(m)
    work = Problem(problem.ints, problem.floats.copy())
    for i in range(m):
        write_response(work, zr[i], gamma[i], rr[i])
        logdet, A, _, _ = factor(lam[i], work)
        values[i] = profile(logdet, A, work, reml, sigma)[0]
        K = A.copy()
        sweep(K, p)
        r2[i] = K[p, p]
        put(K[p, :p], delta[i])
    return delta, r2, values
