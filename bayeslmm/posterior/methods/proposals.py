"""What importance sampling proposes from: multivariate t distributions, one a mode."""

from dataclasses import dataclass
from math import lgamma, log, pi
from typing import Self

import numpy as np
from numpy.typing import NDArray

from bayeslmm.posterior.methods.laplace import LaplaceFit

type Array = NDArray[np.float64]

DF, WIDEN = 5.0, 1.1
MANY = 10  # above so many parameters a t with heavy tails hardly ever proposes the middle
DF_OF_MANY, WIDEN_OF_MANY = 15.0, 1.03  # or as many degrees of freedom as parameters
FEWEST_POINTS = 5  # per parameter that a mean is made of, by their effective number
LEAST_SHARE = 0.05  # of the proposals that the lightest part gets: its mass is only an estimate


def tails(d: int) -> tuple[float, float]:
    """How much wider than the Laplace fit a proposal of d parameters is, and its degrees of freedom."""
    return (WIDEN, DF) if d <= MANY else (WIDEN_OF_MANY, max(DF_OF_MANY, float(d)))


@dataclass(frozen=True, slots=True, eq=False)
class Student:
    """A multivariate t about `centre` (d,), scale matrix widen²·root·rootᵀ, `df` degrees of freedom."""

    centre: Array
    root: Array
    widen: float = WIDEN
    df: float = DF

    @classmethod
    def about(cls, centre: Array, root: Array) -> Self:
        """With the tails that its number of parameters allows."""
        return cls(centre, root, *tails(len(centre)))

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
            tuple(Student.about(fit.mode, fit.root) for fit in fits),
            _shares(np.exp(log_mass - log_mass.max())),
        )

    def propose(self, n: int, rng: np.random.Generator) -> tuple[Array, Array]:
        """n points (n, d) and their log density (n,), which a part alone knows without looking back."""
        if len(self.parts) > 1:
            phi = self.draw(n, rng)
            return phi, self.log_density(phi)
        (part,) = self.parts
        unit = part.draw(n, rng)
        return part.points(unit), part.log_density(unit) + part.log_constant

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
    """The part at the moments of its points; where it is, if they are too few to have any.

    A covariance has d(d + 1)/2 elements; of fewer than twice as many points its noise costs more than it
    gains.
    """
    d, points = phi.shape[1], weight.sum() ** 2 / np.sum(weight**2)
    if points < FEWEST_POINTS * d:
        return part
    centre = np.average(phi, axis=0, weights=weight)
    if points < d * (d + 1):
        return Student.about(centre, part.root)
    return Student.about(centre, np.linalg.cholesky(np.atleast_2d(np.cov(phi.T, aweights=weight))))
