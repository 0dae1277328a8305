"""The fit: options in, a frozen record out; everything else is read off it when it is first asked for."""

import warnings
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from bayeslmm.errors import ConvergenceWarning, OptionError, SingularFitWarning, check_choice
from bayeslmm.kernel.conditional import Conditional
from bayeslmm.likelihood.optimum import Convergence, Criterion, Optimum, optimize
from bayeslmm.spec.design import Design

type Array = NDArray[np.float64]

CRITERIA = ("REML", "ML")


@dataclass(frozen=True, slots=True)
class FitOptions:
    """How to fit.

    Attributes
    ----------
    criterion : "REML" or "ML". start : (n_theta,) θ to begin with, or None. max_iter : evaluations allowed.
    sigma : known residual standard deviation, or None to estimate it.
    """

    criterion: str = "REML"
    start: tuple[float, ...] | None = None
    max_iter: int = 500
    sigma: float | None = None


@dataclass(frozen=True)
class LikelihoodFit:
    """A linear mixed model fitted by ML or REML.

    Attributes
    ----------
    design : the model's matrices. options : how it was fitted. optimum : θ, the criterion there, and the
        evidence of convergence. formula : as written.
    """

    design: Design
    options: FitOptions
    optimum: Optimum
    formula: str = field(default="")

    @property
    def criterion(self) -> str:
        return self.options.criterion

    @property
    def reml(self) -> bool:
        return self.options.criterion == "REML"

    @property
    def theta_values(self) -> Array:
        """(n_theta,) without labels."""
        return self.optimum.theta

    @cached_property
    def theta(self) -> pd.Series:
        """Relative Cholesky parameters, in lme4's order."""
        return pd.Series(self.optimum.theta, index=list(self.design.covariance.names), name="theta")

    @cached_property
    def lam(self) -> Array:
        """(n_lam,) the blocks' relative factors, flat."""
        return self.design.covariance.flat(self.optimum.theta)

    @cached_property
    def conditional(self) -> Conditional:
        """Moments and random effects at the optimum."""
        return self.design.kernel.conditional(self.lam)

    @cached_property
    def delta(self) -> Array:
        """(p,) β̂ in the kernel's coordinates."""
        A = self.conditional.A
        return np.linalg.solve(A[:-1, :-1], A[:-1, -1])

    @cached_property
    def beta_values(self) -> Array:
        """(p,) generalized least-squares coefficients at the optimum."""
        return self.design.kernel.to_beta(self.delta)

    @cached_property
    def pwrss(self) -> float:
        """r² = A_yy − A_yX A_XX⁻¹A_Xy, the penalized weighted residual sum of squares."""
        A = self.conditional.A
        return float(A[-1, -1] - A[-1, :-1] @ self.delta)

    @cached_property
    def sigma(self) -> float:
        """Residual standard deviation: the known one, or √(r²/(n − p)) by REML, √(r²/n) by ML."""
        if self.options.sigma is not None:
            return self.options.sigma
        return float(np.sqrt(self.pwrss / (self.design.n - self.design.p * self.reml)))

    @cached_property
    def vcov_values(self) -> Array:
        """(p, p) σ²(XᵀV₀⁻¹X)⁻¹."""
        root = np.linalg.solve(self.design.kernel.R_X, np.eye(self.design.p))
        return self.sigma**2 * root @ np.linalg.solve(self.conditional.A[:-1, :-1], root.T)

    @cached_property
    def beta(self) -> pd.Series:
        """Fixed-effects estimates by coefficient name."""
        return pd.Series(self.beta_values, index=list(self.design.coefs), name="beta")

    @cached_property
    def se(self) -> pd.Series:
        """Standard errors of the fixed effects by coefficient name."""
        return pd.Series(np.sqrt(np.diag(self.vcov_values)), index=list(self.design.coefs), name="se")

    @cached_property
    def vcov(self) -> pd.DataFrame:
        """Covariance matrix of the fixed effects."""
        names = list(self.design.coefs)
        return pd.DataFrame(self.vcov_values, index=names, columns=names)

    @property
    def criterion_value(self) -> float:
        """−2 log-likelihood (ML) or −2 restricted log-likelihood (REML)."""
        return self.optimum.value

    @property
    def loglik(self) -> float:
        return -0.5 * self.optimum.value

    @property
    def n_params(self) -> int:
        """p + n_theta, and 1 more where σ is estimated."""
        return self.design.p + self.design.n_theta + (self.options.sigma is None)

    @property
    def aic(self) -> float:
        return self.optimum.value + 2 * self.n_params

    @property
    def bic(self) -> float:
        """With the logarithm of n, as lme4 has it, for both criteria."""
        return self.optimum.value + float(np.log(self.design.n)) * self.n_params

    @property
    def convergence(self) -> Convergence:
        return self.optimum.convergence

    @property
    def is_singular(self) -> bool:
        """Whether some direction of some term's covariance has vanished."""
        return bool(self.optimum.convergence.vanished)


def fit(design: Design, options: FitOptions, formula: str = "") -> LikelihoodFit:
    """Fit by ML or REML.

    Raises
    ------
    OptionError
        For a misspelt criterion, or start values of the wrong length.

    Warns
    -----
    SingularFitWarning
        When some direction of a covariance vanished. ConvergenceWarning, when the evidence doesn't hold.
    """
    check_options(design, options)
    sigma = np.nan if options.sigma is None else options.sigma
    criterion = Criterion(design, options.criterion == "REML", sigma)
    result = LikelihoodFit(design, options, optimize(criterion, options.start, options.max_iter), formula)
    _warn(result)
    return result


def check_options(design: Design, options: FitOptions) -> None:
    """One clear error for options that can't be."""
    check_choice("criterion", options.criterion, CRITERIA)
    if options.start is not None and np.shape(options.start) != (design.n_theta,):
        raise OptionError(
            f"start has {np.size(options.start)} values; theta has {design.n_theta}: "
            f"{', '.join(design.covariance.names)}"
        )
    if options.max_iter < 1:
        raise OptionError(f"max_iter is {options.max_iter}; it must be at least 1")


def _warn(result: LikelihoodFit) -> None:
    convergence = result.convergence
    if not convergence.converged:
        warnings.warn(f"the fit is not at its optimum: {convergence.status.value}", ConvergenceWarning, stacklevel=4)
    elif convergence.vanished:
        which = "; ".join(str(vanished) for vanished in convergence.vanished)
        warnings.warn(f"singular fit: {which}. See fit.convergence", SingularFitWarning, stacklevel=4)


def natural(result: LikelihoodFit, theta: ArrayLike | None = None) -> "tuple[dict[str, Array], dict[str, Array]]":
    """Absolute sd and cor by group at the fit."""
    values = result.design.covariance.natural(result.optimum.theta if theta is None else theta, result.sigma)
    return values.sd, values.cor
