"""A linear mixed model given its variance parameters, as a quadratic in (β, b): what is compared.

With C = [X Z], W = diag(w) and K = blockdiag(0, L⁻ᵀL⁻¹ ⊗ T⁻¹) the precision of (β, b) is CᵀWC/σ² + K, and
times its mean CᵀW(y − o)/σ².
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayeslmm.spec.labels import cor_labels_of, ranef_labels, sd_labels_of

if TYPE_CHECKING:
    from bayeslmm.spec.design import Design

type Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Quadratic:
    """What one side says at one point.

    Attributes
    ----------
    natural : σ, standard deviations and correlations by label. labels : of the m effects, β first.
    precision : (m, m) of the effects. mean : (m,). logp : log ∫ p(y, effects) d effects.
    log_priors : what it declares besides, by variable.
    """

    natural: Mapping[str, float]
    labels: tuple[str, ...]
    precision: Array
    mean: Array
    logp: float
    log_priors: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class Ours:
    """A design at natural parameters, dense.

    Attributes
    ----------
    design : the model's.
    """

    design: "Design"

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Of (β, b)."""
        return (*(f"beta[{coef}]" for coef in self.design.coefs), *ranef_labels(self.design))

    @cached_property
    def columns(self) -> Array:
        """C = [X Z], (n, p + q)."""
        return np.hstack([self.design.X, self.design.Z.toarray()])

    @cached_property
    def row_precisions(self) -> Array:
        """(n,) w, precisions of rows in units of 1/σ²."""
        return 1 / self.design.residual.variances()

    def gram(self, weights: Array | None = None, columns: Array | None = None) -> Array:
        """CᵀWC, of other weights or columns where they are given."""
        C = self.columns if columns is None else columns
        return np.asarray((C * (self.row_precisions if weights is None else weights)[:, None]).T @ C)

    @cached_property
    def data_gram(self) -> Array:
        """CᵀWC."""
        return self.gram()

    def shift(self, values: Array) -> Array:
        """CᵀW values, (p + q,)."""
        return np.asarray(self.columns.T @ (self.row_precisions * values))

    def prior(self, natural: Mapping[str, float]) -> Array:
        """K, (p + q, p + q); infinite where a covariance is singular."""
        from scipy.linalg import block_diag

        parts = [self._of_block(b, T) for b, T in enumerate(self.covariances(natural))]
        return np.asarray(block_diag(np.zeros((self.design.p, self.design.p)), *parts))

    def covariances(self, natural: Mapping[str, float]) -> list[Array]:
        """T (k, k) of each block, absolute."""
        sd, cor = self.by_group(natural)
        covariance = self.design.covariance
        return [F @ F.T for F in covariance.unflatten(covariance.from_natural(sd, cor, 1.0))]

    def by_group(self, natural: Mapping[str, float]) -> tuple[dict[str, Array], dict[str, Array]]:
        """Standard deviations and correlations by group."""
        sd, cor = {}, {}
        for b, block in enumerate(self.design.blocks):
            sd[block.group] = np.array([natural[label] for label in sd_labels_of(self.design, b)])
            cor[block.group] = np.array([natural[label] for label in cor_labels_of(self.design, b)])
        return sd, cor

    def at(self, natural: Mapping[str, float], labels: tuple[str, ...]) -> Quadratic:
        """The model at natural parameters, for some of its effects; those left out have variance 0."""
        from bayeslmm.kernel.values.fixed_effects import PriorOfDelta
        from bayeslmm.likelihood import density

        sigma, (sd, cor) = natural["sigma"], self.by_group(natural)
        at = (sigma, sd, cor)
        logp, beta = density.integrated_loglik(self.design, PriorOfDelta.flat(self.design.p), *at)
        b = density.conditional_modes(self.design, beta, *at)
        P = self.data_gram / sigma**2 + self.prior(natural)
        varies, chosen = np.isfinite(np.diag(P)), self.places(labels)
        within = np.searchsorted(np.flatnonzero(varies), chosen)
        means = np.concatenate([beta, b])[chosen]
        return Quadratic(natural, labels, among(P[np.ix_(varies, varies)], within), means, logp, {})

    def places(self, labels: tuple[str, ...]) -> NDArray[np.intp]:
        """Where some effects stand in (β, b)."""
        where = {label: place for place, label in enumerate(self.labels)}
        return np.array([where[label] for label in labels], dtype=np.intp)

    def _of_block(self, number: int, T: Array) -> Array:
        """L⁻ᵀL⁻¹ ⊗ T⁻¹ of those coefs that vary, infinite on the diagonal of the others."""
        block = self.design.blocks[number]
        varies = np.diag(T) > 0
        inverse = np.diag(np.where(varies, 0.0, np.inf))
        inverse[np.ix_(varies, varies)] = np.linalg.inv(T[np.ix_(varies, varies)])
        between = np.eye(block.n_levels)
        if block.known is not None:
            root = np.linalg.inv(block.known)
            between = root.T @ root
        made = np.kron(between, np.where(np.isinf(inverse), 0.0, inverse))
        return np.asarray(made + np.diag(np.tile(np.where(varies, 0.0, np.inf), block.n_levels)))


def among(precision: Array, places: NDArray[np.intp]) -> Array:
    """Precision of some of several effects, the others integrated out."""
    if len(places) == len(precision):
        return np.asarray(precision[np.ix_(places, places)])
    return np.asarray(np.linalg.inv(np.linalg.inv(precision)[np.ix_(places, places)]))
