"""The ML deviance of one model: at a Λ, a φ and a σ, β at its best or as it is held."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayeslmm.kernel.factor.factored import Factored
from bayeslmm.kernel.values.solved import Solved
from bayeslmm.spec.moving import AtPhi

type Array = NDArray[np.float64]


class Model(NamedTuple):
    """A model and its deviance −2ℓ, all natural parameters given: lam (n_lam,), phi (n_phi,), beta (p,)."""

    deviance: float
    lam: Array
    phi: Array
    beta: Array
    sigma: float


class Slopes(NamedTuple):
    """Derivatives of a deviance by Λ (n_lam,), φ (n_phi,) and log σ, which is 0 where σ is at its best."""

    lam: Array
    phi: Array
    log_sigma: float


@dataclass(frozen=True, slots=True, eq=False)
class Inner:
    """The models at one φ.

    Attributes
    ----------
    problem : its cross-products. n : number of rows.
    """

    problem: AtPhi
    n: int

    def profiled(self, lam: Array, known: float | None) -> tuple[Model, Slopes]:
        """At Λ with the best β, and σ = `known` or, for None, the best."""
        factored = self.problem.kernel.factored(lam)
        return self.with_delta(factored, Solved.of(factored.A).delta, known)

    def with_delta(self, factored: Factored, delta: Array, known: float | None) -> tuple[Model, Slopes]:
        """The same with β as δ says."""
        a, n, kernel = np.append(-delta, 1.0), self.n, self.problem.kernel
        r2 = float(a @ factored.A @ a)
        sigma = float(np.sqrt(r2 / n)) if known is None else known
        deviance = float(factored.logdet + n * np.log(2 * np.pi * sigma**2) + r2 / sigma**2)
        found = Model(deviance, factored.lam, self.problem.phi, kernel.to_beta(delta), sigma)
        if not np.isfinite(deviance):
            nothing = Slopes(np.zeros(len(factored.lam)), np.zeros(len(self.problem.phi)), 0.0)
            return found._replace(deviance=np.inf), nothing
        A_bar = np.outer(a, a) / sigma**2
        by_phi = self.problem.pull(factored, 1.0, A_bar)
        return found, Slopes(factored.by_lam(1.0, A_bar), by_phi, 2 * n - 2 * r2 / sigma**2)
