"""The posterior in coordinates without bounds or units: log σ, log sd, atanh z, R's own φ, β where sampled.

All of them together are φ here, R's own alone are `phi` of `Parameters`. β's coordinates are
(β − least squares)/s, s its standard errors there.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayeslmm.posterior.correlations import BlockCorrelation
from bayeslmm.posterior.fixed_effects import integrable, prior_of_delta
from bayeslmm.posterior.parameters import Index, Parameters, columnwise, over_kernels, relative_factors
from bayeslmm.spec.design import Design
from bayeslmm.spec.priors import Believed, Priors

if TYPE_CHECKING:
    from bayeslmm.kernel.kernel import Kernel
    from bayeslmm.kernel.values.fixed_effects import PriorOfDelta

type Array = NDArray[np.float64]

LEAST_SIGMA = 1e-6  # of the residuals: there eps·r²/σ² is some 1e-4
_STEP = 1e-5  # of central differences of closed forms; they are smooth and cost nothing


class _Density(NamedTuple):
    """Log likelihood and its derivatives; `beta` is empty where β is integrated out."""

    value: float
    lam: Array
    sigma: float
    beta: Array
    phi: Array


@dataclass(frozen=True, eq=False)
class Target:
    """log p(y, φ): the kernel's likelihood (eq. 7; eq. 6 where β is sampled), the priors and φ's Jacobian.

    Attributes
    ----------
    design, priors : the model; where σ is known φ lacks log σ. R stands at some φ.
    """

    design: Design
    priors: Priors

    @cached_property
    def integrates_beta(self) -> bool:
        """Whether β is integrated out (else it is part of φ)."""
        return integrable(self.priors)

    @property
    def opened(self) -> "Target":
        """The same coordinates, β's among them, with priors that end nowhere within a parameter's range."""
        made = Target(self.design, self.priors.opened)
        vars(made)["integrates_beta"] = self.integrates_beta
        return made

    @cached_property
    def size(self) -> int:
        """Number of elements of φ."""
        of_blocks = sum(each.n_sd + each.n_free for each in self._correlations)
        residual = self.design.residual
        p = 0 if self.integrates_beta else self.design.p
        return of_blocks + residual.sigma_free + residual.n_phi + p

    @property
    def cheap(self) -> bool:
        """Does an evaluation cost next to nothing? Where R has parameters rows are whitened anew for each."""
        return self.design.kernel.small and not self.design.residual.n_phi

    def parameters(self, phi: Array) -> Parameters:
        """Natural parameters of points (m, size)."""
        m, known = len(phi), self.design.residual.sigma
        columns = iter(phi.T)
        sigma = np.exp(next(columns)) if known is None else np.full(m, known)
        sd, z = {}, {}
        for b, block in enumerate(self.design.blocks):
            sd[block.group] = np.exp(_take(columns, self._of(b).n_sd, m))
            z[block.group] = np.tanh(_take(columns, self._of(b).n_free, m))
        of_residual = _take(columns, self.design.residual.n_phi, m)
        beta = None if self.integrates_beta else self._beta(_take(columns, self.design.p, m))
        return Parameters(sigma, sd, z, beta, of_residual)

    def log_prior(self, phi: Array) -> Array:
        """Log prior density in φ, Jacobian included, of points (m, size): (m,)."""
        columns, m = iter(phi.T), len(phi)
        total = np.zeros(m)
        if self.design.residual.sigma_free:
            log_sigma = next(columns)
            total = total + self.priors.sigma.logpdf(np.exp(log_sigma)) + log_sigma
        for b, block in enumerate(self.design.blocks):
            log_sd = _take(columns, self._of(b).n_sd, m)
            prior = columnwise(self.priors.sd[block.group], np.exp(log_sd))
            total += (prior + log_sd).sum(axis=1)
            total += self._log_correlations(b, _take(columns, self._of(b).n_free, m))
        if n_phi := self.design.residual.n_phi:
            at = _take(columns, n_phi, m), self.parameters(phi).sigma
            total += self._believed.log_density(*at) + self._believed.log_volume(*at)
        if not self.integrates_beta:
            beta = self._beta(_take(columns, self.design.p, m))
            total += columnwise(self.priors.beta, beta).sum(axis=1) + np.log(self._beta_scale).sum()
        return total

    def log_likelihood(self, phi: Array) -> Array:
        """Log likelihood, random effects and (where exact) β integrated out, of points (m, size): (m,)."""
        parameters = self.parameters(phi)
        return self._log_likelihood(parameters, parameters.sigma[:, None])[:, 0]

    def _log_likelihood(self, parameters: Parameters, sigma: Array) -> Array:
        """The same of m draws, each at s σ, sigma (m, s), that Λ = sd/σ goes along with: (m, s)."""
        from bayeslmm.kernel.values.density import integrated_values, marginal_values

        lam, sigma = relative_factors(self.design, parameters), np.ascontiguousarray(sigma)

        def one(kernel: "Kernel", own: Index) -> tuple[Array]:
            problem = kernel.condensed.problem
            if parameters.beta is not None:
                beta = np.ascontiguousarray(parameters.beta[own])
                return (marginal_values(lam[own], sigma[own], beta, problem),)
            prior = self._prior_at(kernel)
            found = integrated_values(lam[own], sigma[own], prior.precision, prior.shift, problem)
            return (found + prior.log_constant,)

        return over_kernels(one, self.design, parameters.phi)[0]

    def __call__(self, phi: Array) -> Array:
        """Log posterior density up to a constant, of points (m, size): (m,)."""
        return self.log_likelihood(phi) + self.log_prior(phi)

    def finite(self, phi: Array) -> Array:
        """The same, −∞ where it can't be evaluated: r²/σ² has no digits where a free σ is next to 0."""
        return self.by_scale(phi, np.zeros(1))[:, 0]

    def scaled(self, phi: Array, scales: Array) -> Array:
        """Points (m, size) with s common scales added to their log σ and log sds: (m, s, size)."""
        out = np.repeat(phi[:, None], len(scales), axis=1)
        out[:, :, self.log_scales] += scales[:, None]
        return out

    def by_scale(self, phi: Array, scales: Array) -> Array:
        """`finite` at the `scaled` points, (m, s): one factor serves all scales of a point."""
        points = self.scaled(phi, scales)
        with np.errstate(over="ignore", invalid="ignore"):
            parameters = self.parameters(phi)
            sigma = parameters.sigma[:, None] * (np.exp(scales) if self.design.residual.sigma_free else 1.0)
            prior = self.log_prior(points.reshape(sigma.size, self.size)).reshape(sigma.shape)
            values = self._log_likelihood(parameters, sigma) + prior
        return np.where(np.isfinite(values) & (sigma > self.least_sigma), values, -np.inf)

    @property
    def least_sigma(self) -> float:
        """Above it r²/σ² has digits."""
        return LEAST_SIGMA * self._residual_sd if self.design.residual.sigma_free else 0.0

    @cached_property
    def log_sds(self) -> NDArray[np.intp]:
        """Which elements of φ are log sds, block by block."""
        kinds = [part for each in self._correlations for part in (each.n_sd * [True], each.n_free * [False])]
        first = int(self.design.residual.sigma_free)
        return first + np.flatnonzero(np.concatenate([np.zeros(0, dtype=bool), *kinds]))

    @cached_property
    def of_residual(self) -> slice:
        """Which elements of φ are R's own."""
        first = self.design.residual.sigma_free + sum(each.n_sd + each.n_free for each in self._correlations)
        return slice(first, first + self.design.residual.n_phi)

    @property
    def log_scales(self) -> NDArray[np.intp]:
        """Which elements of φ move when σ and every sd are multiplied alike: a free log σ, and log sds."""
        return np.concatenate([np.arange(self.design.residual.sigma_free), self.log_sds])

    def value_and_gradient(self, phi: Array) -> tuple[float, Array]:
        """Log density and gradient at one point (size,); one evaluation of the kernel."""
        values, gradients = self.with_gradients(phi[None])
        return float(values[0]), gradients[0]

    def with_gradients(self, phi: Array) -> tuple[Array, Array]:
        """Log densities (m,) and gradients (m, size) at points (m, size); m evaluations of the kernel."""
        m, steps = len(phi), _STEP * np.eye(self.size)
        moves = np.concatenate([np.zeros((1, self.size)), steps, -steps])
        around = (phi[:, None] + moves).reshape(m * len(moves), self.size)
        parameters = self.parameters(around)
        lam, sigma, prior = (
            values.reshape(m, len(moves), -1)
            for values in (
                relative_factors(self.design, parameters),
                parameters.sigma,
                self.log_prior(around),
            )
        )
        at = [self._density(parameters, lam[i, 0], i * len(moves)) for i in range(m)]
        by_lam, by_sigma = np.array([each.lam for each in at]), np.array([[each.sigma] for each in at])
        gradients = _difference(lam) @ by_lam[:, :, None] + _difference(sigma) @ by_sigma[:, :, None]
        gradients = (gradients + _difference(prior))[:, :, 0]
        gradients[:, self.of_residual] += np.array([each.phi for each in at])
        if len(at[0].beta):
            gradients[:, -len(at[0].beta) :] += np.array([each.beta for each in at]) * self._beta_scale
        return np.array([each.value for each in at]) + prior[:, 0, 0], gradients

    def start(self) -> Array:
        """A point away from every boundary: each coef adds about as much to y as the residual does."""
        covariance, residual = self.design.covariance, self.design.residual
        sigma = residual.sigma or self._residual_sd
        natural = covariance.natural(covariance.start(), sigma)
        phi = [np.log([sigma])] * residual.sigma_free
        for b, block in enumerate(self.design.blocks):
            phi += [np.log(natural.sd[block.group]), np.zeros(self._of(b).n_free)]
        phi.append(residual.start)
        if not self.integrates_beta:
            phi.append(np.zeros(self.design.p))
        return np.concatenate([np.zeros(0), *phi])

    def _beta(self, unit: Array) -> Array:
        """β (m, p) of its coordinates."""
        return np.asarray(self.design.kernel.to_beta(np.zeros(self.design.p)) + self._beta_scale * unit)

    @cached_property
    def _beta_scale(self) -> Array:
        """(p,) standard errors of least squares."""
        return self._residual_sd * np.linalg.norm(np.linalg.inv(self.design.kernel.R_X), axis=1)

    @cached_property
    def _residual_sd(self) -> float:
        """About σ: of the least-squares residual, over √2 for the random effects' share."""
        design = self.design
        residual = design.y - design.offset
        residual = residual - design.X @ np.linalg.lstsq(design.X, residual)[0] if design.p else residual
        return float(np.sqrt(np.mean(design.residual.whiten(residual) ** 2) / 2))

    @cached_property
    def prior_of_delta(self) -> "PriorOfDelta":
        return prior_of_delta(self.design.kernel, self.priors)

    def _prior_at(self, kernel: "Kernel") -> "PriorOfDelta":
        """The same in the coordinates of a kernel at some φ."""
        return self.prior_of_delta if kernel is self.design.kernel else prior_of_delta(kernel, self.priors)

    @cached_property
    def _believed(self) -> Believed:
        return Believed(self.design.residual.parts, self.priors.table)

    @cached_property
    def _correlations(self) -> list[BlockCorrelation]:
        return [BlockCorrelation.of(block) for block in self.design.blocks]

    def _of(self, block: int) -> BlockCorrelation:
        return self._correlations[block]

    def _log_correlations(self, block: int, zeta: Array) -> Array:
        """Log density of atanh z (m, n_free): (z + 1)/2 ~ Beta(a, a)."""
        from scipy.special import betaln

        lkj = self.priors.cor[self.design.blocks[block].group]
        if lkj is None:
            return np.zeros(len(zeta))
        a = self._of(block).shapes(lkj.eta)
        log_1mz2 = 2 * (np.log(2) - np.abs(zeta) - np.log1p(np.exp(-2 * np.abs(zeta))))
        logs: Array = a * log_1mz2 - betaln(a, a) - (2 * a - 1) * np.log(2)
        return logs.sum(axis=1)

    def _density(self, parameters: Parameters, lam: Array, i: int) -> "_Density":
        """The kernel's value and gradient at the i-th draw, whose Λ is `lam`."""
        from bayeslmm.kernel.values.density import integrated, marginal

        if self.design.residual.n_phi:
            return self._moving_density(parameters, lam, i)
        sigma, problem = float(parameters.sigma[i]), self.design.kernel.condensed.problem
        if parameters.beta is not None:
            return _Density(*marginal(lam, sigma, parameters.beta[i], problem), np.zeros(0))
        prior = self.prior_of_delta
        value, dlam, dsigma = integrated(lam, sigma, prior.precision, prior.shift, problem)
        return _Density(value + prior.log_constant, dlam, dsigma, np.zeros(0), np.zeros(0))

    def _moving_density(self, parameters: Parameters, lam: Array, i: int) -> "_Density":
        """The same where R has parameters."""
        from bayeslmm.posterior.moving import density_at

        beta = None if parameters.beta is None else parameters.beta[i]
        found = density_at(self.design, self.priors, lam, float(parameters.sigma[i]), beta, parameters.phi[i])
        return _Density(*found)


def _take(columns: Iterator[Array], n: int, m: int) -> Array:
    """The next n columns, (m, n)."""
    return np.array([next(columns) for _ in range(n)]).reshape(n, m).T


def _difference(values: Array) -> Array:
    """Central differences (m, k, ...) of (m, 1 + 2k, ...): f(φ), then f(φ + h eᵢ), then f(φ − h eᵢ)."""
    k = values.shape[1] // 2
    return (values[:, 1 : k + 1] - values[:, k + 1 :]) / (2 * _STEP)
