"""What data are simulated from: parameters by label, and a fit that stands there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayeslmm.errors import OptionError, check_choice
from bayeslmm.kernel.search.optimizer import Status
from bayeslmm.likelihood.bootstrap.engine import ResponseEngine
from bayeslmm.likelihood.bootstrap.kinds.parametric import NormalRows
from bayeslmm.likelihood.bootstrap.parameters import parameters
from bayeslmm.likelihood.bootstrap.whole_fits import WholeFits
from bayeslmm.likelihood.fit import LikelihoodFit
from bayeslmm.likelihood.fitted import FitOptions, Fitted
from bayeslmm.likelihood.inference.comparison import as_fit
from bayeslmm.likelihood.optimum import Convergence, Optimum
from bayeslmm.spec.design import Design
from bayeslmm.spec.labels import SIGMA, beta_labels, cor_labels, kind_of, parameter_labels, sd_labels
from bayeslmm.spec.recipe import Recipe

type Array = NDArray[np.float64]
type Values = "pd.Series[float]"
type Truth = Fitted | Mapping[str, float] | None

RANGES = {
    "sd": (0.0, np.inf, "at least 0"),
    "cor": (-1.0, 1.0, "between -1 and 1"),
    "sigma": (np.finfo(float).tiny, np.inf, "above 0"),
}
ANY = (-np.inf, np.inf, "a finite number")


@dataclass(frozen=True, eq=False)
class Asked:
    """A model or a fit whose design is simulated from.

    Attributes
    ----------
    model : as given. design, formula, recipe : its own. criterion : of the refits.
    """

    model: Any
    design: Design
    formula: str
    recipe: Recipe | None
    criterion: str

    @classmethod
    def of(cls, model: Any, criterion: str) -> Self:
        """Of a fit, whose criterion counts, or of a model.

        Raises
        ------
        OptionError
            For what is neither.
        """
        if not (isinstance(model, Fitted) or (hasattr(model, "spec") and hasattr(model, "design"))):
            raise OptionError(
                f"got a {type(model).__name__} where a LinearMixedModel or a fit of one is needed"
            )
        if isinstance(model, Fitted):
            return cls(model, model.design, model.formula, model.recipe, model.criterion)
        check_choice("criterion", criterion, ("REML", "ML"))
        return cls(model, model.design, model.spec.formula, model.recipe, criterion)

    def fit(self) -> Fitted:
        """To the data."""
        return as_fit(self.model, self.criterion)

    def at(self, values: Values) -> Fitted:
        """The fit that stands at these values."""
        return standing_at(values, self.design, self.criterion, self.formula, self.recipe)


def true_values(design: Design, truth: Truth, fitted: Callable[[], Fitted]) -> Values:
    """All parameters by label: a fit's, or those named and the rest as `fitted` to the data.

    Raises
    ------
    OptionError
        For what is none of these, an unknown label, a fit of another model, or a value outside its
        parameter's range.
    """
    labels, named = parameter_labels(design), _named(truth)
    for label in named:
        check_choice("parameter", label, labels)
    if set(named) == set(labels):
        return checked_values(pd.Series(named, dtype=float)[list(labels)])
    fit = truth if isinstance(truth, Fitted) else fitted()
    if parameter_labels(fit.design) != labels:
        raise OptionError(
            f"the truth is a fit with parameters {', '.join(parameter_labels(fit.design))}; this model has "
            f"{', '.join(labels)}: give values by label"
        )
    values = pd.Series(parameters(fit), index=list(labels))
    return checked_values(pd.Series({**values, **named}, dtype=float))


def _named(truth: Truth) -> dict[str, float]:
    """The values that are given by label."""
    if truth is None or isinstance(truth, Fitted):
        return {}
    if not (isinstance(truth, Mapping) and all(isinstance(value, Real) for value in truth.values())):
        raise OptionError(
            f'the truth is {truth!r:.80}; give numbers by label, {{"beta[x]": 1.5}}, a fit of the model, or '
            "a posterior where draws may stand for it"
        )
    return dict(truth)


def checked_values(values: Values) -> Values:
    """The values, each in its parameter's range; a correlation that doesn't exist is NaN."""
    for label, value in values.items():
        low, high, said = RANGES.get(kind_of(str(label)), ANY)
        missing = np.isnan(value) and kind_of(str(label)) == "cor"
        if not missing and not (np.isfinite(value) and low <= value <= high):
            raise OptionError(f"the truth has {label} = {value:g}; it is {said}")
    return values


def theta_of(design: Design, values: Values) -> tuple[Array, float]:
    """θ of the absolute sd and cor among the values, and σ."""
    covariance = design.covariance
    sigma = float(values[SIGMA]) if design.residual.sigma is None else design.residual.sigma
    sd, cor = {}, {}
    sds, cors = iter(values[list(sd_labels(design))]), iter(values[list(cor_labels(design))])
    for number, group in enumerate(covariance.groups):
        sd[group] = np.array([next(sds) for _ in covariance.block_sds(number)])
        cor[group] = np.nan_to_num([next(cors) for _ in covariance.block_pairs(number)])
    return covariance.theta_of_natural(sd, cor, sigma), sigma


def beta_of(design: Design, values: Values) -> Array:
    """(p,) the fixed effects among the values."""
    return np.asarray(values[list(beta_labels(design))], dtype=np.float64)


def at_truth(design: Design, values: Values) -> Design:
    """The design with R at its parameters among the values.

    Raises
    ------
    OptionError
        Where these make no R, or contradict σ.
    """
    residual = design.residual
    sigma: Array = np.array([values[SIGMA] if residual.sigma is None else residual.sigma])
    natural = values[list(residual.labels)].to_numpy(dtype=np.float64)
    with np.errstate(all="ignore"):
        phi = residual.free(np.asarray(natural[None], dtype=np.float64), sigma)
        made = residual.natural(phi, sigma)[0]
    if not np.allclose(made, natural, rtol=1e-6, atol=1e-9):
        told = ", ".join(
            f"{label} = {value:g}" for label, value in zip(residual.labels, natural, strict=True)
        )
        raise OptionError(
            f"the truth has {told}, which no residual has whose sigma is {sigma[0]:g}: a value is out of its "
            "range, correlations contradict each other, or the first level's sd isn't sigma"
        )
    return design.at_phi(phi[0])


def standing_at(
    values: Values, design: Design, criterion: str, formula: str = "", recipe: Recipe | None = None
) -> Fitted:
    """A fit whose optimum is the truth, on a response that was simulated from it."""
    design = at_truth(design, values)
    theta, sigma = theta_of(design, values)
    made = NormalRows(design, theta, sigma)(np.random.default_rng(0)).y
    simulated = design.with_response(design.X @ beta_of(design, values) + design.offset + made)
    there = Optimum(
        design.coordinates.start(theta),
        np.nan,
        Convergence(Status.CONVERGED, 0.0, np.zeros(0), (), 0, ()),
    )
    return LikelihoodFit(simulated, FitOptions(criterion), there, formula, recipe)


def simulator(fit: Fitted, values: Values) -> ResponseEngine:
    """What simulates from the truth that a fit stands at, row by row, and refits; R has no parameters."""
    theta, sigma = theta_of(fit.design, values)
    engine = ResponseEngine.of(fit, NormalRows(fit.design, theta, sigma), None)
    return replace(engine, beta=beta_of(fit.design, values))


def any_simulator(fit: Fitted, values: Values) -> ResponseEngine | WholeFits:
    """The same whatever R is."""
    if not fit.design.residual.n_phi:
        return simulator(fit, values)
    rows = NormalRows(fit.design, *theta_of(fit.design, values))
    mean = fit.design.X @ beta_of(fit.design, values) + fit.design.offset
    return replace(WholeFits.of(fit, rows), mean=mean)
