"""The one PyTensor operation: the kernel's log density with its gradient, in a single evaluation."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from pytensor.gradient import disconnected_type
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op
from pytensor.link.numba.dispatch.basic import numba_njit, register_funcify_default_op_cache_key
from pytensor.tensor import as_tensor, dscalar, dvector

from bayeslmm.kernel.compiled import source_stamp
from bayeslmm.kernel.problem.layout import Problem
from bayeslmm.kernel.values.density import integrated, marginal
from bayeslmm.kernel.values.one_factor import integrated_for_one_factor, marginal_for_one_factor
from bayeslmm.posterior.names import Tensor


class KernelDensity(Op):
    """log p(y | σ, Λ) with β integrated out, or log p(y | β, σ, Λ).

    Inputs are the parameters, then the data, the packed problem's two arrays last: ``lam, sigma, precision,
    shift`` where β is integrated (`bayeslmm.kernel.values.density.integrated`), else ``lam, sigma, beta``
    (`marginal` there). Outputs are the log density and its derivative by each parameter.

    With `sizes`, the sizes of a problem with one grouping factor, numba compiles the density that
    `bayeslmm.kernel.values.one_factor` makes for them; the Python linker calls the general one all the same.
    """

    __props__ = ("integrates_beta", "sizes")

    def __init__(self, integrates_beta: bool, sizes: tuple[int, int] | None = None) -> None:
        self.integrates_beta = integrates_beta
        self.sizes = sizes

    @property
    def n_parameters(self) -> int:
        """Number of leading inputs that the density is differentiated by."""
        return 2 if self.integrates_beta else 3

    @property
    def density(self) -> Callable[..., Any]:
        """The compiled function of the kernel, for any problem."""
        return integrated if self.integrates_beta else marginal

    @property
    def density_for_its_sizes(self) -> Callable[..., Any]:
        """The fastest function there is for its problems."""
        if self.sizes is None:
            return self.density
        make = integrated_for_one_factor if self.integrates_beta else marginal_for_one_factor
        return make(*self.sizes)

    def make_node(self, *inputs: Any) -> Apply[Any]:
        tensors = [as_tensor(value) for value in inputs]
        derivatives = [dvector(), dscalar(), dvector()][: self.n_parameters]
        return Apply(self, tensors, [dscalar(), *derivatives])

    def perform(self, node: Apply[Any], inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        lam, sigma, *rest = inputs[:-2]
        found = self.density(lam, float(sigma), *rest, Problem(*inputs[-2:]))
        for cell, value in zip(outputs, found, strict=True):
            cell[0] = np.asarray(value, dtype=np.float64)

    def infer_shape(self, node: Apply[Any], shapes: list[Any]) -> list[Any]:
        return [(), *shapes[: self.n_parameters]]

    def connection_pattern(self, node: Apply[Any]) -> list[list[bool]]:
        # only the value is differentiated, by the parameters only
        n_data = len(node.inputs) - self.n_parameters
        none = [False] * self.n_parameters
        return [[True, *none]] * self.n_parameters + [[False, *none]] * n_data

    def pullback(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], cotangents: Sequence[Tensor]
    ) -> list[Tensor]:
        scaled: list[Tensor] = [cotangents[0] * derivative for derivative in outputs[1:]]
        return scaled + [disconnected_type() for _ in inputs[self.n_parameters :]]


def _compiled(op: KernelDensity, node: Apply[Any] | None = None, **_: Any) -> tuple[Callable[..., Any], int]:
    inner = op.density_for_its_sizes
    if op.integrates_beta:

        @numba_njit
        def kernel_density(lam, sigma, precision, shift, ints, floats):  # type: ignore[no-untyped-def]
            value, dlam, dsigma = inner(lam, sigma.item(), precision, shift, Problem(ints, floats))
            return np.asarray(value), dlam, np.asarray(dsigma)

    else:

        @numba_njit
        def kernel_density(lam, sigma, beta, ints, floats):  # type: ignore[no-untyped-def]
            value, dlam, dsigma, dbeta = inner(lam, sigma.item(), beta, Problem(ints, floats))
            return np.asarray(value), dlam, np.asarray(dsigma), dbeta

    # PyTensor's cache is keyed by this number: the machine code holds the kernel, so its sources decide
    return kernel_density, int(source_stamp()[:15], 16)


register_funcify_default_op_cache_key(KernelDensity)(_compiled)


def log_density(integrates_beta: bool, sizes: tuple[int, int] | None, *inputs: Any) -> Tensor:
    """The log density as a PyTensor scalar; `sizes` as `KernelDensity` takes them."""
    outputs: Tensor = KernelDensity(integrates_beta, sizes)(*inputs)
    return outputs[0]
