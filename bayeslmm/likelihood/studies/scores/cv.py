"""Cross-validation: what a fit without some rows says of them."""

import warnings
from typing import ClassVar

import numpy as np

from bayeslmm.errors import BayesLMMWarning, OptionError
from bayeslmm.kernel.kernel import Kernel
from bayeslmm.kernel.values.density import marginal_values
from bayeslmm.likelihood.bootstrap.engine import Source
from bayeslmm.likelihood.bootstrap.whole_fits import refit
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.spec.design import Design
from bayeslmm.spec.subset import without

from .base import Folds, Rows, Score, Scored


class CrossValidation(Score):
    """−2 Σ log p(y_F | y_-F, β̂, θ̂, σ̂ of the rows kept), random effects integrated out, over folds F.

    Rows whose group has others are predicted with its random effects, rows of a group left out without.
    """

    keyword: ClassVar[str] = "cv"
    needs_folds: ClassVar[bool] = True

    def of(self, fit: Fitted, folds: Folds) -> Scored:
        source = Source.of(fit)
        found = np.array([-2 * _log_density(fit, source, rows) for rows in folds.values()])
        return Scored(float(found.sum()), se=float(np.sqrt(len(found)) * found.std(ddof=1)))


def check_folds(fit: Fitted, folds: Folds) -> None:
    """Refuse folds without which a coefficient can't be estimated.

    Raises
    ------
    OptionError
        Naming the fold.
    """
    if len(folds) < 2:
        raise OptionError(f"cross-validation needs at least two folds; there is {len(folds)}")
    for name, rows in folds.items():
        X = _kept(fit.design, rows).X
        if fit.design.p and np.linalg.matrix_rank(X) < fit.design.p:
            raise OptionError(
                f"without fold {name} the coefficients of {fit.formula!r} can't all be estimated: a level or "
                "a covariate occurs in no other; take folds that leave some of it"
            )


def _kept(design: Design, rows: Rows) -> Design:
    return without(design, rows)


def _log_density(fit: Fitted, source: Source, rows: Rows) -> float:
    """log p of some rows given the others: the density of all less that of the others, at their estimates."""
    others = _kept(fit.design, rows)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesLMMWarning)
        found = refit(others, source, fit.optimum.x)
    return _marginal(fit.design.kernel, found) - _marginal(others.kernel, found)


def _marginal(kernel: Kernel, found: Fitted) -> float:
    """log p(y | β̂, σ̂, Λ̂) of a kernel's rows at another fit's estimates."""
    at = (found.lam[None], np.array([[found.sigma]]), found.beta_values[None])
    return float(marginal_values(*at, kernel.problem)[0, 0])
