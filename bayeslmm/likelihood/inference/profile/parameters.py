"""Every parameter of a fit, to be held at a value."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from bayeslmm.kernel.kernel import Kernel
from bayeslmm.kernel.values.solved import Solved
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.likelihood.inference.profile.held import Held
from bayeslmm.likelihood.inference.profile.inner import Inner, Model
from bayeslmm.likelihood.inference.profile.of_covariance import HeldCor, HeldSd
from bayeslmm.likelihood.inference.profile.of_residual import held_of_residual
from bayeslmm.spec.labels import SIGMA, beta_labels, cor_labels_of, sd_labels_of

type Array = NDArray[np.float64]


class HeldBeta(Held):
    """A fixed effect; δ moves from its best along A_XX⁻¹c until c'δ is right."""

    def __init__(self, fit: Fitted, label: str, place: int) -> None:
        """Take the coefficient's place."""
        super().__init__(fit, label)
        self.place = place

    def found(self, value: float, own: Array, inner: Inner) -> tuple[Model, Array, Array]:
        """At θ."""
        kernel = inner.problem.kernel
        factored, c = kernel.factored(self.covariance.flat(own)), self._row(kernel)
        solved = Solved.of(factored.A)
        along = solved.inverse @ c
        short = value - c @ (kernel.gamma_ls + solved.delta)
        delta = solved.delta + along * short / (c @ along)
        return self._in_theta(inner.with_delta(factored, delta, self.residual.sigma), own)

    def _row(self, kernel: Kernel) -> Array:
        """c with β = c'(γ + δ)."""
        return np.asarray(np.linalg.solve(kernel.R_X.T, np.eye(kernel.p)[self.place]))


class HeldSigma(Held):
    """The residual standard deviation."""

    range = (0.0, np.inf)

    def found(self, value: float, own: Array, inner: Inner) -> tuple[Model, Array, Array]:
        """At θ."""
        return self._in_theta(inner.profiled(self.covariance.flat(own), value), own)


def parameters(fit: Fitted) -> Iterator[Held]:
    """Every parameter of an ML fit, in the labels' order."""
    design = fit.design
    for place, label in enumerate(beta_labels(design)):
        yield HeldBeta(fit, label, place)
    slots = design.covariance.slots
    for number in range(len(design.blocks)):
        own = [slot for slot in slots if slot.block == number]
        sds = [(slot, coef) for slot in own for coef in slot.structure.sd_index]
        for label, (slot, coef) in zip(sd_labels_of(design, number), sds, strict=True):
            yield HeldSd(fit, label, slot, coef)
    for number in range(len(design.blocks)):
        pairs = [(slot, pair) for slot in slots if slot.block == number for pair in slot.structure.pairs]
        for label, (slot, pair) in zip(cor_labels_of(design, number), pairs, strict=True):
            yield HeldCor(fit, label, slot, pair)
    for place, label in enumerate(design.residual.labels):
        yield held_of_residual(fit, label, place)
    if design.residual.sigma_free:
        yield HeldSigma(fit, SIGMA)
