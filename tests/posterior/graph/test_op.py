import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.compile.mode import Mode

from bayeslmm.kernel.values.density import integrated
from bayeslmm.kernel.values.one_factor import one_factor_sizes
from bayeslmm.posterior.graph.op import KernelDensity
from tests.kernel.problems import crossed_kernel

PYTHON = Mode(linker="py", optimizer="fast_compile")


def data_of(design, integrates_beta):
    kernel = design.kernel
    prior = (np.diag([1e-4, 0.01]), np.array([0.02, 0.1])) if integrates_beta else ()
    return (*prior, *kernel.problem)


@pytest.mark.parametrize("integrates_beta", [True, False])
def test_gradient_is_that_of_the_value(sleepstudy, integrates_beta):
    parameters = [np.array([0.9, 0.0, 0.02, 0.2]), np.array(25.0), np.array([250.0, 10.0])]
    parameters = parameters[: 2 if integrates_beta else 3]
    inputs = [pt.tensor(f"x{i}", dtype="float64", shape=x.shape) for i, x in enumerate(parameters)]
    data = data_of(sleepstudy, integrates_beta)
    value = KernelDensity(integrates_beta)(*inputs, *data)[0]
    f = pytensor.function(inputs, [value, *pytensor.grad(value, inputs)], mode=PYTHON)
    found = f(*parameters)[1:]
    for which, x in enumerate(parameters):
        numeric = np.zeros(x.size)
        for i in range(x.size):
            step = 1e-5 * max(1.0, abs(x.flat[i])) * np.eye(x.size)[i].reshape(x.shape)
            up, down = ([*parameters[:which], x + s, *parameters[which + 1 :]] for s in (step, -step))
            numeric[i] = (f(*up)[0] - f(*down)[0]) / (2 * step.sum())
        np.testing.assert_allclose(np.ravel(found[which]), numeric, rtol=2e-6, atol=1e-5)


def test_one_evaluation_serves_value_and_gradient(sleepstudy):
    lam, sigma = pt.dvector(), pt.dscalar()
    value = KernelDensity(True)(lam, sigma, *data_of(sleepstudy, True))[0]
    f = pytensor.function([lam, sigma], [value, *pytensor.grad(value, [lam, sigma])], mode=PYTHON)
    assert sum(isinstance(node.op, KernelDensity) for node in f.maker.fgraph.toposort()) == 1


def test_an_impossible_step_is_minus_infinity(sleepstudy):
    kernel_density = KernelDensity(True)
    value = kernel_density(np.full(4, np.nan), np.array(25.0), *data_of(sleepstudy, True))[0]
    assert value.eval(mode=PYTHON) == -np.inf


@pytest.mark.slow
@pytest.mark.parametrize("integrates_beta", [True, False])
def test_numba_compiles_the_density_of_one_factor_for_its_sizes(sleepstudy, integrates_beta):
    sizes = one_factor_sizes(sleepstudy.kernel.problem)
    assert sizes == (2, 2)
    values = [np.array([0.9, 0.0, 0.02, 0.2]), np.array(25.0), np.array([250.0, 10.0])]
    values = values[: 2 if integrates_beta else 3]
    inputs = [pt.tensor(f"x{i}", dtype="float64", shape=x.shape) for i, x in enumerate(values)]
    outputs = KernelDensity(integrates_beta, sizes)(*inputs, *data_of(sleepstudy, integrates_beta))
    by_numba = pytensor.function(inputs, outputs, mode="NUMBA")(*values)
    for found, expected in zip(
        by_numba, pytensor.function(inputs, outputs, mode=PYTHON)(*values), strict=True
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.slow
def test_numba_calls_lapack_for_a_large_tail():
    kernel, lam = crossed_kernel()
    sigma, flat = np.array(1.3), (np.zeros((2, 2)), np.zeros(2))
    inputs = [pt.dvector(), pt.dscalar()]
    outputs = KernelDensity(True)(*inputs, *flat, *kernel.problem)
    by_numba = pytensor.function(inputs, outputs, mode="NUMBA")(lam, sigma)
    for found, expected in zip(by_numba, integrated(lam, 1.3, *flat, kernel.problem), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12)
