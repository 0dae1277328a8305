"""What importance sampling proposes from: multivariate t distributions, one a mode."""

from dataclasses import dataclass
from math import lgamma, log, pi
from typing import Self

import numpy as np
from numpy.typing import NDArray

from bayeslmm.posterior.methods.laplace import LaplaceFit

type Array = NDArray[np.float64]

DF = 5.0
MANY, DF_OF_MANY = 10, 15.0  # above so many parameters a t with heavy tails hardly ever proposes the middle
WIDEN = 1.1
FEWEST_POINTS = 5  # per parameter that moments are made of, by their effective number
LEAST_SHARE = 0.05  # of the proposals that the lightest part gets: its mass is only an estimate


def degrees(d: int) -> float:
    """Of freedom, of a proposal of d parameters."""
    return DF if d <= MANY else DF_OF_MANY


@dataclass(frozen=True, slots=True, eq=False)
class Student:
    """A multivariate t about `centre` (d,), scale matrix widen²·root·rootᵀ, `df` degrees of freedom."""

    centre: Array
    root: Array
    widen: float = WIDEN
    df: float = DF

    def draw(self, n: int, rng: np.random.Generator) -> Array:
        """(n, d) in units of the root."""
        d = len(self.centre)
        normal = rng.standard_normal((n, d))
        mixing = rng.chisquare(self.df, n) / self.df
        return np.asarray(self.widen * normal / np.sqrt(mixing)[:, None])

    def points(self, unit: Array) -> Array:
        """Draws in the target's coordinates."""
        return self.centre + unit @ self.root.T

    def unit(self, phi: Array) -> Array:
        """Points of the target's coordinates in units of the root."""
        return np.linalg.solve(self.root, (phi - self.centre).T).T

    def log_density(self, unit: Array) -> Array:
        """Up to a constant, (n,)."""
        d = len(self.centre)
        return -0.5 * (self.df + d) * np.log1p(np.sum((unit / self.widen) ** 2, axis=1) / self.df)

    @property
    def log_constant(self) -> float:
        """What `log_density` lacks as a density of points in the target's coordinates."""
        d = len(self.centre)
        shape = lgamma((self.df + d) / 2) - lgamma(self.df / 2) - 0.5 * d * log(self.df * pi)
        return shape - d * log(self.widen) - float(np.linalg.slogdet(self.root)[1])


@dataclass(frozen=True, slots=True, eq=False)
class Proposer:
    """A mixture of t distributions.

    Attributes
    ----------
    parts : one a mode. shares : of the proposals, their sum is 1.
    """

    parts: tuple[Student, ...]
    shares: Array

    @classmethod
    def of(cls, fits: tuple[LaplaceFit, ...]) -> Self:
        """Modes by the mass that their Laplace fits hold."""
        log_mass = np.array([fit.log_mass for fit in fits])
        return cls(
            tuple(Student(fit.mode, fit.root, df=degrees(len(fit.mode))) for fit in fits),
            _shares(np.exp(log_mass - log_mass.max())),
        )

    def draw(self, n: int, rng: np.random.Generator) -> Array:
        """n points (n, d)."""
        unit = self.parts[0].draw(n, rng)
        owner = rng.spawn(1)[0].choice(len(self.parts), n, p=self.shares)
        phi = np.empty_like(unit)
        for number, part in enumerate(self.parts):
            phi[owner == number] = part.points(unit[owner == number])
        return phi

    def log_density(self, phi: Array) -> Array:
        """Of points (n, d): (n,)."""
        return np.asarray(np.logaddexp.reduce(self._log_parts(phi), axis=0))

    def adapted(self, phi: Array, log_weight: Array) -> Self:
        """Mean and covariance of weighted points by part, weights truncated (Ionides 2008).

        A point belongs to a part as far as the part proposes it: a step of expectation-maximization.
        """
        weight = np.exp(log_weight - log_weight.max())
        weight = np.minimum(weight, weight.mean() * np.sqrt(len(weight)))
        log_parts = self._log_parts(phi)
        owned = weight * np.exp(log_parts - np.logaddexp.reduce(log_parts, axis=0))
        mass = owned.sum(axis=1) / owned.sum()
        parts = [
            _moved(part, phi, own) if share > LEAST_SHARE / 10 else part
            for part, own, share in zip(self.parts, owned, mass, strict=True)
        ]
        return type(self)(tuple(parts), _shares(mass))

    def _log_parts(self, phi: Array) -> Array:
        """Log density of each part times its share, (K, n)."""
        logs = [part.log_density(part.unit(phi)) + part.log_constant for part in self.parts]
        return np.array(logs) + np.log(self.shares)[:, None]


def _shares(mass: Array) -> Array:
    """Shares by mass, none of them vanishing."""
    shares = np.maximum(mass / mass.sum(), LEAST_SHARE)
    return np.asarray(shares / shares.sum())


def _moved(part: Student, phi: Array, weight: Array) -> Student:
    """The part at the moments of its points; where it is, if they are too few to have any."""
    if weight.sum() ** 2 < FEWEST_POINTS * phi.shape[1] * np.sum(weight**2):
        return part
    covariance = np.atleast_2d(np.cov(phi.T, aweights=weight))
    centre, root = np.average(phi, axis=0, weights=weight), np.linalg.cholesky(covariance)
    return Student(centre, root, df=degrees(len(centre)))
