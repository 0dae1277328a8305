"""Priors that were declared for a density, taken off it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bayeslmm.errors import InputError
from bayeslmm.parity.anybody.quadratic import Array, Ours, Quadratic
from bayeslmm.spec.labels import group_label, kind_of

if TYPE_CHECKING:
    from bayeslmm.spec.design import Design
    from bayeslmm.spec.priors import Prior


@dataclass(frozen=True, eq=False)
class DeclaredPriors:
    """Priors by label: ``beta[Days]``, ``sd[Subject: Days]``, ``cor[Subject]``, ``sigma``.

    Attributes
    ----------
    design : the model's. priors : what was declared.
    """

    design: "Design"
    priors: "Mapping[str, Prior]"

    def taken_off(
        self, natural: Mapping[str, float], labels: tuple[str, ...], P: Array, mean: Array, logp: float
    ) -> Quadratic:
        """A Gaussian in (β, b) without them: log π(β) = c + sβ − ½Sβ² is taken off."""
        S, s, c = self._of_beta(labels)
        left, shift = P - np.diag(S), P @ mean - s
        without = np.linalg.solve(left, shift)
        change = 0.5 * float(shift @ without - mean @ P @ mean) - c
        change += 0.5 * float(np.linalg.slogdet(P)[1] - np.linalg.slogdet(left)[1])
        return Quadratic(natural, labels, left, without, logp + change - self._of_natural(natural), {})

    def _of_beta(self, labels: tuple[str, ...]) -> tuple[Array, Array, float]:
        """Precisions, shifts and the sum of constants."""
        S, s, c = np.zeros(len(labels)), np.zeros(len(labels)), 0.0
        for place, label in enumerate(labels):
            if label in self.priors:
                found = self.priors[label].quadratic
                if found is None:
                    raise InputError(
                        f"{label} ~ {self.priors[label]} isn't normal, and can't be integrated here"
                    )
                S[place], s[place] = found.precision, found.shift
                c += found.constant
        return S, s, c

    def _of_natural(self, natural: Mapping[str, float]) -> float:
        """Log prior of the variance parameters."""
        alone = (
            float(prior.logpdf(natural[label]))
            for label, prior in self.priors.items()
            if kind_of(label) in ("sd", "sigma")
        )
        return sum(alone) + sum(self._of_correlations(natural, b) for b in range(len(self.design.blocks)))

    def _of_correlations(self, natural: Mapping[str, float], number: int) -> float:
        from bayeslmm.spec.priors import LKJ, log_correlations

        block = self.design.blocks[number]
        prior = self.priors.get(group_label("cor", block.group))
        if not isinstance(prior, LKJ):
            return 0.0
        return float(
            log_correlations(block.structures, prior, Ours(self.design).by_group(natural)[1][block.group])
        )
