"""The factor at one Λ, and derivatives by (log|V₀|, A) pulled back from there."""

from dataclasses import dataclass
from typing import Self

from bayeslmm.kernel.arrays import Floats
from bayeslmm.kernel.factor.blocked import factor
from bayeslmm.kernel.factor.product_cotangents import product_cotangents
from bayeslmm.kernel.factor.pullback import pullback
from bayeslmm.kernel.problem.layout import Problem


@dataclass(frozen=True, slots=True, eq=False)
class Factored:
    """A factor.

    Attributes
    ----------
    lam : (n_lam,) Λ. problem : packed. logdet : log|V₀|, −∞ where M could not be factored.
    A : (p + 1, p + 1), [Q r]ᵀV₀⁻¹[Q r]. panels, tail : the columns of L.
    """

    lam: Floats
    problem: Problem
    logdet: float
    A: Floats
    panels: Floats
    tail: Floats

    @classmethod
    def at(cls, lam: Floats, problem: Problem) -> Self:
        """Factor at Λ."""
        return cls(lam, problem, *factor(lam, problem))

    def by_lam(self, logdet_bar: float, A_bar: Floats) -> Floats:
        """Gradient (n_lam,) of a function of (log|V₀|, A), given its derivatives."""
        return pullback(logdet_bar, A_bar, self.lam, self.problem, self.panels, self.tail)

    def by_products(self, logdet_bar: float, A_bar: Floats) -> tuple[Floats, Floats]:
        """Its derivatives by the problem's panels and tail, as `product_cotangents` says."""
        return product_cotangents(logdet_bar, A_bar, self.lam, self.problem, self.panels, self.tail)
