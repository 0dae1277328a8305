"""The posterior over natural parameters ω = (σ, sd, cor): the target without the Jacobian of φ.

Its highest point is what the priors make of REML: with flat priors it is the REML estimate itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayeslmm.posterior import names
from bayeslmm.posterior.parameters import log_prior
from bayeslmm.posterior.target import Target
from bayeslmm.spec.priors import LKJ, Flat, Prior, Priors

type Array = NDArray[np.float64]
type ByGroup = Mapping[str, ArrayLike]

WITHIN = 1e-13  # of log sd, from a prior's bound: there rounding doesn't lead across it


@dataclass(frozen=True, eq=False)
class NaturalTarget(Target):
    """log ∫ p(y | β, ω)π(β) dβ + log π(ω), for priors of β that are normal or flat.

    φ stays the coordinate that it is evaluated and searched in. It may be infinite, which is a face: −∞ of
    log sd is sd = 0, ±∞ of atanh z an end of the correlations.
    """

    def log_prior(self, phi: Array) -> Array:
        """Log prior density of ω at points (m, size): (m,)."""
        no_beta = np.zeros((len(phi), self.design.p))
        parts = log_prior(self.design, self._uneven, self.parameters(phi), no_beta)
        of_omega = [
            part.reshape(len(phi), -1).sum(axis=1) for name, part in parts.items() if name != names.BETA
        ]
        return np.sum([np.zeros(len(phi)), *of_omega], axis=0)

    def at(self, sigma: float, sd: ByGroup, cor: ByGroup, of_residual: ArrayLike = ()) -> Array:
        """φ (size,) of natural parameters and R's own φ; a correlation that isn't there counts as 0."""
        with np.errstate(divide="ignore"):
            parts = [np.log([sigma])] * self.design.residual.sigma_free
            for number, block in enumerate(self.design.blocks):
                free = self._of(number).free(cor.get(block.group, ()))
                parts += [np.log(np.asarray(sd[block.group], dtype=float)), np.arctanh(free)]
        parts.append(np.asarray(of_residual, dtype=float))
        return np.concatenate([np.zeros(0), *parts])

    @cached_property
    def faces(self) -> Array:
        """(size, 2) where φ ends: ∓∞ at sd = 0 and z = ±1, a prior's own bounds, NaN where it doesn't."""
        parts = [_ends([self.priors.sigma], missing=-np.inf)] if self.design.residual.sigma_free else []
        for number, block in enumerate(self.design.blocks):
            parts.append(_ends(self.priors.sd[block.group]))
            parts.append(np.tile([-np.inf, np.inf], (self._of(number).n_free, 1)))
        parts.append(np.full((self.design.residual.n_phi, 2), np.nan))
        return np.concatenate([np.zeros((0, 2)), *parts])

    @cached_property
    def _uneven(self) -> Priors:
        """Without LKJ(1), which is the same everywhere, on the faces too."""
        even = {label: Flat() for label, prior in self.priors.table.items() if prior == LKJ(1.0)}
        return replace(self.priors, table={**self.priors.table, **even})


def unbounded(priors: Priors) -> tuple[str, ...]:
    """Parameters whose prior density has no bound where the likelihood is positive, at sd = 0 or cor = ±1."""
    at_zero = [
        label
        for block in priors.blocks
        for label, prior in zip(block.labels, priors.sd[block.group], strict=True)
        if np.isposinf(prior.logpdf(0.0))
    ]
    at_one = [label for label, prior in priors.table.items() if isinstance(prior, LKJ) and prior.eta < 1]
    return (*at_zero, *at_one)


def _ends(priors: Sequence[Prior], missing: float = np.nan) -> Array:
    """Logs (k, 2) of where priors of positive numbers begin and end."""
    with np.errstate(divide="ignore"):
        ends = np.log(np.maximum([prior.bounds for prior in priors], 0.0)).reshape(-1, 2)
    inside = ends + np.array([WITHIN, -WITHIN])
    return np.where((ends == np.inf) | (ends == missing), np.nan, inside)
