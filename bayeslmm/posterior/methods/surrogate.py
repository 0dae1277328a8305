"""Where an evaluation is dear: a polynomial proposes, and the kernel is asked about some of the proposals.

A quartic fitted to exact log densities around the Laplace fit thins multivariate-t proposals (rejection
control; Liu, Chen and Wong 1998), so that they lie nearly as the posterior does. Its own values then stand in
for the kernel's, except at a random share π of the proposals, and at all in the outer region. There the
kernel decides, and a weight is w_s (1 + (w/w_s − 1)/π): over the random choice its mean is the exact weight
w, so a Metropolis chain over such weights has the exact posterior as its law (Andrieu and Roberts 2009),
whatever the polynomial.
"""

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

from bayeslmm.posterior.methods.laplace import LaplaceFit
from bayeslmm.posterior.methods.proposals import Student

type Array = NDArray[np.float64]
type Density = Callable[[Array], Array]

DEGREE = 4
POINTS = 3  # exact evaluations per coefficient
SPREAD = 1.4  # of these points, in posterior standard deviations
OUTER = 1e-5  # posterior mass beyond the polynomial's reach, were it normal
CHECKED = 1e-2  # mass of the outer region, where every proposal is evaluated
FLOOR = 1e-2  # least share of t proposals that is kept: the defence against a wrong polynomial
ERRORS = 20.0  # π in units of the polynomial's error: the weights' noise stays below 1/√20
LEAST = 0.05  # π of a polynomial without error


@dataclass(frozen=True, slots=True, eq=False)
class Surrogate:
    """A polynomial of a log density in units of a t distribution's root.

    Attributes
    ----------
    base : what is thinned. coefficients : (n_terms,). error : largest leave-one-out error of the log density
        within the inner region. log_bound : of the polynomial's density over the t's.
    """

    base: Student
    coefficients: Array
    error: float
    log_bound: float

    def __call__(self, unit: Array) -> Array:
        """The log density at (m, d)."""
        return _monomials(unit) @ self.coefficients

    @property
    def share(self) -> float:
        """π, the share of proposals in the inner region that it is safe to ask the kernel about; 1 is all."""
        return min(1.0, max(LEAST, ERRORS * self.error))

    def propose(self, n: int, rng: np.random.Generator) -> tuple[Array, Array]:
        """n independent draws (n, d), in units of the root, and their log density up to a constant, (n,)."""
        units: list[Array] = []
        while sum(len(part) for part in units) < n:
            unit = self.base.draw(2 * n, rng)
            units.append(unit[np.log(rng.uniform(size=len(unit))) < self._log_kept(unit)])
        found = np.concatenate(units)[:n]
        return found, self.base.log_density(found) + self._log_kept(found)

    def weigh(
        self, density: Density, unit: Array, log_proposal: Array, share: float, rng: np.random.Generator
    ) -> tuple[Array, Array, float]:
        """Log density and log weight of proposals (m,), and the share that was evaluated exactly.

        `share` is asked for; 1 makes every weight the exact one.
        """
        log_density = self(unit)
        outer = np.sum(unit**2, axis=1) > _radius(CHECKED, unit.shape[1]) ** 2
        asked = outer | (rng.uniform(size=len(unit)) < share)
        exact = density(self.base.points(unit[asked]))
        off = exact - log_density[asked]
        if np.any(np.expm1(off[~outer[asked]]) <= -share):  # a weight below 0: the polynomial doesn't hold
            asked, share = np.ones(len(unit), dtype=bool), 1.0
            exact = density(self.base.points(unit))
            off = exact - log_density
        chance = np.where(outer[asked], 1.0, share)
        with np.errstate(divide="ignore"):
            off = np.where(chance == 1, off, np.log1p(np.expm1(off) / chance))
        log_weight = log_density - log_proposal
        log_weight[asked] += off
        log_density[asked] = exact
        return log_density, log_weight, float(np.mean(asked))

    def _log_kept(self, unit: Array) -> Array:
        """Log probability with which a draw of the t is kept."""
        log_kept = np.clip(self(unit) - self.base.log_density(unit) - self.log_bound, np.log(FLOOR), 0.0)
        beyond = np.sum(unit**2, axis=1) > _radius(OUTER, unit.shape[1]) ** 2
        return np.where(beyond, np.log(FLOOR), log_kept)


def evaluations(size: int) -> int:
    """Exact evaluations that a fit takes."""
    return POINTS * len(_terms(size))


def fit_surrogate(density: Density, fit: LaplaceFit, base: Student, pool: Executor) -> Surrogate:
    """Fit the polynomial at quasi-random points about the Laplace fit.

    Points count by the square root of their density, so that far ones bend it little.
    """
    d = len(fit.mode)
    unit = _quasi_normal(evaluations(d), d)
    unit *= SPREAD * np.minimum(1, _radius(OUTER, d) / (SPREAD * np.linalg.norm(unit, axis=1)))[:, None]
    values = np.concatenate(list(pool.map(density, np.array_split(base.points(unit), len(unit) // 4))))
    root_weight = np.exp(0.25 * np.maximum(values - fit.value, -16.0))
    Q, R = np.linalg.qr(_monomials(unit) * root_weight[:, None])
    right = np.maximum(values, fit.value - 1e3) * root_weight
    coefficients = np.linalg.solve(R, Q.T @ right)
    left_out = (right - Q @ (Q.T @ right)) / (root_weight * (1 - np.sum(Q**2, axis=1)))
    inner = np.sum(unit**2, axis=1) < _radius(CHECKED, d) ** 2
    many = 1.2 * _quasi_normal(4096, d)
    many = many[np.sum(many**2, axis=1) < _radius(OUTER, d) ** 2]
    log_bound = float(np.max(_monomials(many) @ coefficients - base.log_density(many)))
    return Surrogate(base, coefficients, float(np.max(np.abs(left_out[inner]))), log_bound)


def _terms(d: int) -> list[tuple[int, ...]]:
    """Products of up to `DEGREE` of d coordinates, by their numbers."""
    return [term for degree in range(DEGREE + 1) for term in combinations_with_replacement(range(d), degree)]


def _monomials(unit: Array) -> Array:
    """(m, n_terms)."""
    return np.column_stack([np.prod(unit[:, term], axis=1) for term in _terms(unit.shape[1])])


def _quasi_normal(n: int, d: int) -> Array:
    """A Halton sequence carried to the standard normal, (n, d); its first point, 0, is left out."""
    from scipy.stats import norm, qmc

    return np.asarray(norm.ppf(qmc.Halton(d, scramble=False).random(n + 1)[1:]))


def _radius(mass: float, d: int) -> float:
    """Of the ball that leaves this mass of a standard normal outside."""
    from scipy.stats import chi2

    return float(np.sqrt(chi2.isf(mass, d)))
