"""The kernel of one problem: θ ↦ (log|V₀|, A) and everything read off it."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from bayeslmm.kernel.arrays import Floats, Ints
from bayeslmm.kernel.effects.conditional import Conditional, conditional
from bayeslmm.kernel.factor.blocked import factor
from bayeslmm.kernel.factor.dense import LARGE
from bayeslmm.kernel.factor.factored import Factored
from bayeslmm.kernel.problem import layout as at
from bayeslmm.kernel.problem.condensed import Condensed, condense
from bayeslmm.kernel.problem.crossproducts import Observations, Whitened
from bayeslmm.kernel.problem.entries import Whitening, as_they_are
from bayeslmm.kernel.problem.layout import Problem
from bayeslmm.kernel.problem.relation import Known
from bayeslmm.kernel.problem.sufficient import write_response
from bayeslmm.kernel.values.criterion import criteria, criterion, profile
from bayeslmm.kernel.values.solved import Solved

CHEAP = 200_000  # panel elements up to which an evaluation takes about a millisecond
ELEMENT, LOOPED = 400, 10  # of LAPACK's multiplications that an element of a panel, and one in a loop, take


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """What the likelihood needs of the data at one Λ.

    Attributes
    ----------
    logdet : log|V₀|, V₀ = ZΛΛᵀZᵀ + R; −inf where M could not be factored.
    A : (p + 1, p + 1), [Q r]ᵀV₀⁻¹[Q r] with R^{-½}X = Q R_X and r the least-squares residual of y.
    """

    logdet: float
    A: Floats

    @property
    def solved(self) -> Solved:
        """The best δ and r² there."""
        return Solved.of(self.A)


@dataclass(frozen=True, eq=False)
class Kernel:
    """One problem, reduced to cross-products; it never sees n again.

    Attributes
    ----------
    problem : packed (see `layout`), as compiled code takes it.
    known : lower factor of each block's known covariance between levels; empty where there is none.
    """

    problem: Problem
    known: Known = ()

    @classmethod
    def build(
        cls,
        y: Floats,
        X: Floats,
        blocks: list[tuple[Ints, Floats, int]],
        whiten: Whitening = as_they_are,
        log_det: float = 0.0,
        known: Known = (),
    ) -> "Kernel":
        """Reduce a problem to its cross-products.

        Parameters
        ----------
        y : (n,) response, offset taken off. X : (n, p) of full column rank.
        blocks : (codes (n,), columns (n, k), n_levels) of each block of random effects, in public order.
        whiten, log_det : R^{-½} rows, and log|R|, e ~ N(0, σ²R).
        known : (J, J) lower factor of the known covariance between the levels of each block, or None.
        """
        rows = Observations.of(y, X, blocks, known or (None,) * len(blocks))
        return cls.of_rows(rows.whitened(whiten), log_det)

    @classmethod
    def of_rows(cls, whitened: Whitened, log_det: float) -> "Kernel":
        """The cross-products of whitened rows; `log_det` is log|R|."""
        known = tuple(block.known for block in whitened.observations.blocks)
        return cls(whitened.problem(log_det), known if any(L is not None for L in known) else ())

    def responding(self, zr: Floats, gamma: Floats, rr: float) -> "Kernel":
        """The same of another response, whose cross-products `sufficient.write_response` takes."""
        problem = self.problem._replace(floats=self.problem.floats.copy())
        write_response(problem, zr, gamma, rr)
        other = replace(self, problem=problem)
        if "condensed" in vars(self):  # what was found of the design holds for every response
            vars(other)["condensed"] = self.condensed.responding(zr, gamma, rr)
        return other

    @property
    def n(self) -> int:
        return int(self.problem.ints[at.N_ROWS])

    @property
    def p(self) -> int:
        return self.problem.p

    @property
    def q(self) -> int:
        return self.problem.q

    @property
    def n_lam(self) -> int:
        return int(self.problem.ints[at.N_LAM])

    @cached_property
    def small(self) -> bool:
        """Whether an evaluation is cheap enough that differences of gradients cost nothing to speak of."""
        return bool(not self.large_tail and self.problem.ints[at.N_PANEL] < CHEAP)

    @property
    def large_tail(self) -> bool:
        """Whether the tail is LAPACK's, so that a factor is dear."""
        return bool(self.problem.ints[at.Q_TAIL] >= LARGE)

    @property
    def n_panel(self) -> int:
        """Elements of the panels: what an evaluation costs."""
        return int(self.problem.ints[at.N_PANEL])

    @property
    def work(self) -> float:
        """Multiplications by LAPACK that a value with its gradient is worth, about: counted, not timed."""
        ints, rate = self.condensed.problem.ints, 1 if self.large_tail else LOOPED
        return float(ELEMENT * ints[at.N_PANEL] + rate * int(ints[at.Q_TAIL] + ints[at.P] + 1) ** 3 / 3)

    @cached_property
    def condensed(self) -> Condensed:
        """The same (log|V₀|, A) from as few nodes as there can be, for those who evaluate it many times."""
        return condense(self.problem)

    @cached_property
    def R_X(self) -> Floats:
        """(p, p) upper triangular, R^{-½}X = Q R_X."""
        return self.problem.R_X

    @property
    def gamma_ls(self) -> Floats:
        """(p,) least-squares coefficients in the coordinates of Q."""
        return self.problem.gamma

    def to_beta(self, delta: Floats) -> Floats:
        """β = R_X⁻¹(γ + δ), (..., p)."""
        # pivoting finds nothing to do in a triangle: this is back substitution, without SciPy's overhead
        return np.linalg.solve(self.R_X, np.asarray(self.gamma_ls + delta).T).T

    def to_delta(self, beta: Floats) -> Floats:
        """δ = R_X β − γ, (..., p)."""
        return np.asarray(beta) @ self.R_X.T - self.gamma_ls

    def moments(self, lam: Floats) -> Moments:
        """(log|V₀|, A) at Λ."""
        logdet, A, _, _ = factor(lam, self.problem)
        return Moments(logdet, A)

    def criterion(self, lam: Floats, reml: bool, sigma: float = np.nan) -> tuple[float, Floats]:
        """The criterion at the best β for Λ and its gradient (n_lam,); σ is known, or NaN for the best."""
        return criterion(lam, self.problem, reml, sigma)

    def profiled(self, factored: Factored, reml: bool, sigma: float = np.nan) -> tuple[float, Floats]:
        """The same from a factor, with the derivative by A (p + 1, p + 1); that by log|V₀| is 1."""
        return profile(factored.logdet, factored.A, self.problem, reml, sigma)

    def criteria(
        self, lams: Floats, reml: bool, sigma: float = np.nan, slopes: bool = True
    ) -> tuple[Floats, Floats]:
        """The same at m Λ (m, n_lam) at once: (m,) and (m, n_lam), zeros where no `slopes` are asked for."""
        return criteria(np.ascontiguousarray(lams), self.problem, reml, sigma, slopes)

    def pullback(self, lam: Floats, logdet_bar: float, A_bar: Floats) -> Floats:
        """Gradient with respect to Λ of a function of (log|V₀|, A), given its derivatives there."""
        return self.factored(lam).by_lam(logdet_bar, A_bar)

    def factored(self, lam: Floats) -> Factored:
        """The factor at Λ, (log|V₀|, A) and what pulls their derivatives back."""
        return Factored.at(lam, self.problem)

    def conditional(self, lam: Floats) -> Conditional:
        """Mean, variance and draws of the random effects at Λ."""
        return conditional(lam, self.problem, self.known)
