"""Parametric bootstrap: new random effects and residuals from the fitted normal laws."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from bayeslmm.kernel.problem.sufficient import ResponseLaw
from bayeslmm.likelihood.bootstrap.kinds.base import ResponseKind
from bayeslmm.likelihood.bootstrap.responses import Responses, Rows, RowSampler, Sampler
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.likelihood.simulation import spherical_to_effects
from bayeslmm.spec.design import Design

type Array = NDArray[np.float64]

DENSE_EFFECTS = 1000  # random effects up to which (q, q) matrices are held


@dataclass(frozen=True)
class Parametric(ResponseKind):
    """y* = Xβ̂ + Zb* + e*, b* ~ N(0, σ̂²ΛΛᵀ), e* ~ N(0, σ̂²/w), β, θ and σ those of the fit.

    Made from sufficient statistics where random effects are few beside the rows and nobody asks for rows,
    else row by row; the law is the same, the draws are not.
    """

    keyword: ClassVar[str] = "parametric"

    def rows(self, fit: Fitted) -> RowSampler:
        """Responses row by row."""
        return NormalRows(fit.design, fit.theta_values, fit.sigma)

    def statistics(self, fit: Fitted) -> Sampler | None:
        """Responses without rows, where (q, q) matrices can be held."""
        few = fit.design.q <= min(DENSE_EFFECTS, fit.design.n)
        return StatisticsSampler.of(fit) if few else None


@dataclass(frozen=True, slots=True, eq=False)
class StatisticsSampler:
    """Responses from sufficient statistics, without rows.

    Attributes
    ----------
    law : of the statistics. effects : (q, q), row i the effects Λ makes of the i-th spherical one. sigma : σ̂.
    """

    law: ResponseLaw
    effects: Array
    sigma: float

    @classmethod
    def of(cls, fit: Fitted) -> "StatisticsSampler":
        """The sampler of a fit."""
        kernel, design = fit.design.kernel, fit.design
        effects = spherical_to_effects(design, fit.theta_values, np.eye(design.q))
        return cls(ResponseLaw.of(kernel.problem, kernel.known), effects, fit.sigma)

    def __call__(self, generators: Iterable[np.random.Generator]) -> Responses:
        """One response of each generator."""
        law, q, p = self.law, len(self.effects), len(self.law.cross)
        width = q + p + law.root.shape[1]
        drawn = [(g.standard_normal(width), g.chisquare(law.df) if law.df else 0.0) for g in generators]
        normal = self.sigma * np.array([each for each, _ in drawn])
        rest = self.sigma**2 * np.array([each for _, each in drawn])
        b = _each(normal[:, :q], self.effects)
        c = _each(b, law.to_c.T) + normal[:, q + p :]
        gamma = _each(b, law.cross.T) + normal[:, q : q + p]
        return Responses(_each(c, law.root.T), gamma, np.einsum("ij,ij->i", c, c) + rest, b)


def _each(rows: Array, matrix: Array) -> Array:
    """Each row times a matrix, on its own: its digits don't depend on how many there are."""
    return np.asarray((rows[:, None] @ matrix)[:, 0])


@dataclass(frozen=True, slots=True, eq=False)
class NormalRows:
    """Responses row by row."""

    design: Design
    theta: Array
    sigma: float

    def __call__(self, generator: np.random.Generator) -> Rows:
        """The response of one generator."""
        design = self.design
        b = spherical_to_effects(design, self.theta, self.sigma * generator.standard_normal(design.q))
        noise = self.sigma * design.residual.draw(generator, 1)[0]
        return Rows(design.Z @ b + noise, b)
