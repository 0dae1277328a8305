"""Lay the engines' results beside each other: ``bl.compare(fit, boot, post)``."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayeslmm.arguments import in_our_words
from bayeslmm.errors import InputError, check_prob
from bayeslmm.estimands.headed import HeadedTable
from bayeslmm.parity.comparison import Comparison
from bayeslmm.parity.sides import Sides, recognise
from bayeslmm.parity.verdicts.evidence import VerdictOptions
from bayeslmm.printed import Page, Printed
from bayeslmm.spec.labels import PARAMETERS

if TYPE_CHECKING:
    from pandas import DataFrame
    from plotly.graph_objects import Figure

    from bayeslmm.parity.calibration.result import Calibration
    from bayeslmm.parity.sensitivity import Alternatives


class Parity(Comparison, Printed):
    """Estimates of both paradigms side by side, with a verdict on each estimand.

    Everything is computed on first access. ``table`` is the long table, ``verdicts`` explains it,
    ``certificate`` says whether both engines hold the same model.

    Attributes
    ----------
    sides : Sides
        The results compared, by role.
    prob : float
        Probability of every interval.
    options : VerdictOptions
        Thresholds of the verdicts.
    """

    INNER = ("modelled", "prior_pull", "record", "recorded", "steps", "uncertified")

    def plot_forest(self, kinds: tuple[str, ...] = PARAMETERS) -> "Figure":
        """Draw point and interval of every estimand of these kinds, both paradigms in one row."""
        from bayeslmm.render.forest import plot_forest

        tables = [side.table for side in self.sides.present()]
        return plot_forest(tables, kinds, unit=self.response)

    def plot_shrinkage(self) -> "Figure":
        """Draw BLUPs against posterior means, a panel a coef, with the no-pooling estimates."""
        from bayeslmm.parity.panels import shrinkage_panels
        from bayeslmm.render.shrinkage import plot_shrinkage

        return plot_shrinkage(shrinkage_panels(self.sides))

    def plot_densities(self) -> "Figure":
        """Draw posterior densities with the estimate and its bootstrap distribution."""
        from bayeslmm.parity.panels import density_panels
        from bayeslmm.render.densities import plot_densities

        return plot_densities(density_panels(self.sides, self.draws, self.bootstrap_draws))

    def plot_ladder(self, label: str) -> "Figure":
        """Draw one estimand's way from the estimate to the posterior mean as a waterfall.

        Raises
        ------
        InputError
            If there is no such estimand, or only tables were compared.
        """
        from bayeslmm.parity.panels import ladder_marks
        from bayeslmm.parity.report.units import kind_unit
        from bayeslmm.render.ladder import plot_ladder

        marks, scale = ladder_marks(self.modelled, label)
        kind = self.modelled.study.estimands.kind(label)
        return plot_ladder(label, marks, scale, unit=kind_unit(kind, self.response))

    def sensitivity(self, alternatives: "Alternatives | None" = None) -> HeadedTable:
        """The posterior under other priors: flat, default, half and twice as wide, or `alternatives`.

        Parameters
        ----------
        alternatives : sets of priors by a name of their own, each as `LinearMixedModel` takes priors.

        Returns
        -------
        HeadedTable
            `label, priors, mean, sd, moved, moved_over_scale, how`.
        """
        from bayeslmm.parity.sensitivity import sensitivity

        frame = sensitivity(self.modelled.study, alternatives)
        return HeadedTable.of(frame, f"The posterior of {self.formula} under other priors")

    def report(self, path: str | Path, *, also: Collection[str] = ()) -> Path:
        """Write the report, one HTML page that needs no network, and give its path.

        Parameters
        ----------
        also : sections that take their time, by name: "intervals", every method's, the profile's among them;
            "sensitivity", the posterior under other priors.

        Raises
        ------
        OutputError
            If the file cannot be written.
        OptionError
            If a section asked for isn't one of these.
        """
        from bayeslmm.parity.report.write import write_report

        return write_report(self, Path(path), also)

    @property
    def page(self) -> Page:
        """What is printed: the verdicts."""
        return self.verdicts.page

    def __repr__(self) -> str:
        """Read as the verdicts."""
        return repr(self.verdicts)

    def _repr_html_(self) -> str:
        """Read as the verdicts in a notebook."""
        return self.verdicts._repr_html_()


@in_our_words
def compare(
    *results: Any,
    names: Mapping[str, str] | None = None,
    prob: float = 0.95,
    options: VerdictOptions | None = None,
    estimands: Mapping[str, Any] | None = None,
    calibration: "Calibration | None" = None,
) -> Parity:
    """Compare results of one model from different engines.

    Parameters
    ----------
    *results : fit, bootstrap, posterior or EstimateTable
        In any order; any may be missing, none twice.
    names : mapping, optional
        Foreign labels to this package's: ``{"slope": "beta[Days]"}``; the usual ones of Bambi, brms and PyMC
        are known.
    prob : float
        Probability of every interval.
    options : VerdictOptions, optional
        Thresholds of the verdicts.
    estimands : mapping, optional
        What else to follow, by name: a function of values by label, which takes arrays as it takes numbers,
        ``lambda v: v["sd[Subject: Days]"] / v["sigma"]``; weights of fixed and random effects,
        ``{"beta[Intercept]": 1, "beta[Days]": 9}``; or `Combinations`.
    calibration : Calibration, optional
        Of the same model, by `calibrate`: the report says which interval to trust.

    Returns
    -------
    Parity

    Raises
    ------
    InputError
        If a result gives no estimates, a role is filled twice, data or models differ, the calibration's among
        them, or prob isn't one.
    """
    check_prob(prob)
    sides = recognise(results, names, prob)
    trust = None if calibration is None else _trust(calibration, sides, prob)
    return Parity(sides, prob, options or VerdictOptions(), estimands, trust=trust)


def _trust(calibration: "Calibration", sides: Sides, prob: float) -> "DataFrame":
    """What a calibration of the model compared says of its intervals.

    Raises
    ------
    InputError
        For one of another model, or of intervals of another probability.
    """
    formula = str(sides.find("formula") or calibration.formula)
    if (calibration.formula, calibration.prob) != (formula, prob):
        raise InputError(
            f"the calibration is of {100 * calibration.prob:g} % intervals for {calibration.formula}; these "
            f"results are of {formula}, compared by {100 * prob:g} % intervals: calibrate that, at that prob"
        )
    return calibration.trust
