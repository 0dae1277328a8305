"""The kernel's log density where R has parameters, as one PyTensor operation."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op
from pytensor.link.numba.dispatch.basic import generate_fallback_impl, register_funcify_and_cache_key
from pytensor.tensor import as_tensor, dscalar, dvector

from bayeslmm.posterior.moving import density_at
from bayeslmm.posterior.names import Tensor
from bayeslmm.spec.design import Design
from bayeslmm.spec.priors import Priors


class Of(NamedTuple):
    """Whose density: a design and its priors, of which those of β count."""

    design: Design
    priors: Priors


class MovingKernelDensity(Op):
    """log p(y | σ, Λ, φ) with β integrated out, or log p(y | β, σ, Λ, φ).

    Inputs are Λ (n_lam,), σ, the residual's natural values (n_phi,), absolute ones over σ, and β (p,) where
    it isn't integrated out; outputs the log density and its derivative by each. Rows are whitened each time.
    """

    __props__ = ("of",)

    def __init__(self, of: Of) -> None:
        self.of = of

    def make_node(self, *inputs: Any) -> Apply[Any]:
        tensors = [as_tensor(value) for value in inputs]
        derivatives = [dvector(), dscalar(), dvector(), dvector()][: len(tensors)]
        return Apply(self, tensors, [dscalar(), *derivatives])

    def perform(self, node: Apply[Any], inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        lam, sigma, ratios, *rest = inputs
        residual, beta = self.of.design.residual, rest[0] if rest else None
        phi = residual.of_ratios(np.asarray(ratios))
        found = density_at(*self.of, np.asarray(lam), float(sigma), beta, phi)
        by_ratios = np.linalg.solve(residual.ratio_slopes(phi).T, found.phi)
        told = [found.value, found.lam, found.sigma, by_ratios, found.beta][: len(outputs)]
        for cell, value in zip(outputs, told, strict=True):
            cell[0] = np.asarray(value, dtype=np.float64)

    def infer_shape(self, node: Apply[Any], shapes: list[Any]) -> list[Any]:
        return [(), *shapes]

    def connection_pattern(self, node: Apply[Any]) -> list[list[bool]]:
        none = [False] * len(node.inputs)
        return [[True, *none] for _ in node.inputs]

    def pullback(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], cotangents: Sequence[Tensor]
    ) -> list[Tensor]:
        return [cotangents[0] * derivative for derivative in outputs[1:]]


def _called(op: MovingKernelDensity, node: Apply[Any], **_: Any) -> tuple[Callable[..., Any], None]:
    """Python's own code, which no cache can keep."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that it is Python's own
        return generate_fallback_impl(op, node), None


register_funcify_and_cache_key(MovingKernelDensity)(_called)


def moving_log_density(design: Design, priors: Priors, *inputs: Any) -> Tensor:
    """The log density as a PyTensor scalar."""
    outputs: Tensor = MovingKernelDensity(Of(design, priors))(*inputs)
    return outputs[0]
