"""The profile of a fit: curves of all parameters, the intervals they give, and the pictures."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayeslmm.arguments import verbs_in_our_words
from bayeslmm.errors import OptionError, check_choice, check_prob
from bayeslmm.likelihood.bootstrap.parameters import parameter_draws
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.likelihood.inference.comparison import as_fitted_by
from bayeslmm.likelihood.inference.profile.held import Solution
from bayeslmm.likelihood.inference.profile.limits import Curve, Limit
from bayeslmm.likelihood.inference.profile.parameters import parameters
from bayeslmm.likelihood.inference.table import InferenceTable, headed
from bayeslmm.printed import Page, Printed
from bayeslmm.spec.labels import parameter_labels

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


type Array = NDArray[np.float64]

WIDEST = 0.99  # probability of the interval that a curve covers


@verbs_in_our_words
@dataclass(frozen=True, eq=False)
class Profile(Printed):
    """Profiles of the ML deviance.

    Attributes
    ----------
    fit : by ML. curves : one a parameter, by label. n_points : on each side of a drawn curve.
    """

    fit: Fitted
    curves: dict[str, Curve]
    n_points: int

    def confint(self, prob: float = 0.95) -> InferenceTable:
        """Limits where the deviance is χ²₁'s quantile above its minimum: lower, upper by label.

        A bound of the parameter stands for a limit that isn't reached before it, NaN for one that doesn't
        exist; the notes below the table say which and why.
        """
        target = cut(prob)
        limits = {
            label: (curve.limit(-1, target), curve.limit(1, target)) for label, curve in self.curves.items()
        }
        rows = [(lower.value, upper.value) for lower, upper in limits.values()]
        frame = pd.DataFrame(rows, index=pd.Index(list(limits), name="label"), columns=["lower", "upper"])
        heading = f"{100 * prob:g} % profile-likelihood intervals (ML)"
        return headed(frame, heading, tuple(_notes(limits)), method="profile", prob=prob)

    @cached_property
    def table(self) -> InferenceTable:
        """Points of the curves: parameter, zeta, deviance, and the value of every parameter there."""
        rows = [row for label, curve in self.curves.items() for row in self._points(label, curve)]
        labels = parameter_labels(self.fit.design)
        frame = pd.DataFrame(rows, columns=["parameter", "zeta", "deviance", *labels])
        return headed(frame, "Points of the profiles (ML)")

    def _points(self, label: str, curve: Curve) -> Iterable[tuple[object, ...]]:
        if curve.held.reason:
            return
        ends = [curve.limit(side, cut(WIDEST)).value for side in (-1, 1)]
        halves = [np.linspace(curve.held.estimate, end, self.n_points + 1)[1:] for end in ends]
        inside = [half[np.isfinite(half)] for half in halves]
        labels = parameter_labels(self.fit.design)
        for value in np.unique([*inside[0][::-1], curve.held.estimate, *inside[1]]):
            solution = curve.solution(float(value))
            others = natural_values(self.fit, solution)
            others[labels.index(label)] = value
            yield label, curve.zeta(float(value)), solution.deviance, *others

    def plot(self, prob: float = 0.95) -> "Figure":
        """Zeta of every parameter: straight where the Wald interval is good, with the interval drawn in."""
        from bayeslmm.render.profiles import zeta_figure

        limits = self.confint(prob)
        parts = {label: self.table[self.table["parameter"] == label] for label in self.curves}
        curves = {label: part[[label, "zeta"]].to_numpy() for label, part in parts.items() if len(part)}
        return zeta_figure(curves, {label: limits.loc[label].to_numpy() for label in curves}, cut(prob))

    def plot_pairs(
        self, labels: Iterable[str] | None = None, probs: Iterable[float] = (0.5, 0.8, 0.95)
    ) -> "Figure":
        """Two parameters at a time: profile traces and contours of likelihood interpolated from them."""
        from bayeslmm.likelihood.inference.profile.pairs import pair_pictures
        from bayeslmm.render.profiles import pairs_figure

        drawn = [label for label in self.curves if not self.curves[label].held.reason]
        chosen = drawn if labels is None else [check_choice("parameter", label, drawn) for label in labels]
        if len(chosen) < 2:
            raise OptionError("a pair plot needs at least two parameters that have a profile")
        return pairs_figure(chosen, pair_pictures(self.table, chosen, tuple(probs)))

    @property
    def page(self) -> Page:
        """What is printed."""
        return self.confint().page

    def __repr__(self) -> str:
        return repr(self.confint())

    def _repr_html_(self) -> str:
        return self.confint()._repr_html_()


def profile(fit: Fitted, labels: str | Iterable[str] | None = None, n_points: int = 8) -> Profile:
    """The profile of a fit, which is refitted by ML if it wasn't.

    Parameters
    ----------
    labels : of the parameters wanted, or of one; None for all. n_points : on each side of a drawn curve.

    Raises
    ------
    OptionError
        For a parameter the model doesn't have, or where R depends on fitted values.
    """
    if fit.design.residual.of_fitted:
        raise OptionError(
            "a variance of fitted values has no likelihood of its own to profile; make the variance a "
            "function of a column, such as the population mean of a fit, fit.predict(random='none'), or "
            "take Wald's limits"
        )
    ml = as_fitted_by(fit, "ML")
    every = {held.label: held for held in parameters(ml)}
    asked = [labels] if isinstance(labels, str) else labels
    chosen = list(every) if asked is None else [check_choice("parameter", label, every) for label in asked]
    if n_points < 2:
        raise OptionError(f"n_points is {n_points}; a curve needs at least 2 on each side")
    return Profile(ml, {label: Curve(every[label], ml.criterion_value) for label in chosen}, n_points)


def cut(prob: float) -> float:
    """Root of χ²₁'s quantile: the normal one.

    Raises
    ------
    OptionError
        For a probability outside (0, 1).
    """
    from scipy.special import ndtri

    check_prob(prob)
    return float(ndtri(0.5 + prob / 2))


def natural_values(fit: Fitted, solution: Solution) -> Array:
    """All labelled parameters of a solution."""
    coordinates, model = fit.design.coordinates, solution.model
    x = coordinates.join(fit.theta_values, model.phi)  # of which φ counts
    rows = (model.beta[None], x[None], model.lam[None], np.array([model.sigma]))
    return np.asarray(parameter_draws(coordinates, *rows)[0])


def _notes(limits: dict[str, tuple[Limit, Limit]]) -> Iterable[str]:
    for label, pair in limits.items():
        for side, limit in zip(("lower", "upper"), pair, strict=True):
            if limit.note:
                yield f"{label}, {side} limit: {limit.note}"
