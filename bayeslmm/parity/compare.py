"""Lay the engines' results beside each other: ``bl.compare(fit, boot, post)``."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from bayeslmm.errors import InputError
from bayeslmm.parity.judgement import judged
from bayeslmm.parity.sides import Sides, recognise
from bayeslmm.parity.verdict_table import Verdicts
from bayeslmm.parity.verdicts.evidence import VerdictOptions

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from bayeslmm.parity.certificate import Certificate
    from bayeslmm.runs.manifest import Manifest


@dataclass(frozen=True)
class Parity:
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

    sides: Sides
    prob: float
    options: VerdictOptions

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row per estimand and likelihood interval; columns of ``parity.table.COLUMNS``."""
        from bayeslmm.parity.table import long_table

        return long_table(self.sides, self.verdicts.frame["verdict"])

    @cached_property
    def verdicts(self) -> Verdicts:
        """Verdict and evidence by estimand."""
        from bayeslmm.parity.checks import problem

        frame = judged(self.sides, self.options, self.prior_pull, problem(self.sides, self.options))
        return Verdicts(frame, self.options)

    @cached_property
    def prior_pull(self) -> dict[str, float]:
        """First-order pull of the priors by label; empty without draws, priors or design."""
        from bayeslmm.parity.prior_pull import prior_pull

        priors, estimates = self.sides.find("priors"), self.sides.fit
        if priors is None or estimates is None or self.draws.empty:
            return {}
        estimate = estimates.table.frame["estimate"]
        return prior_pull(self.draws, self.sides.find("design"), priors, estimate)

    @cached_property
    def certificate(self) -> "Certificate":
        """Whether both engines hold the same model, measured; needs a result that carries its design.

        Raises
        ------
        InputError
            If only bare tables were compared.
        """
        from bayeslmm.parity.witnesses import certificate_of

        design = self.sides.find("design")
        if design is None:
            raise InputError("a certificate needs the model: compare fits or posteriors, not only tables")
        return certificate_of(design, getattr(self.sides.find("options"), "sigma", None))

    @cached_property
    def draws(self) -> pd.DataFrame:
        """Posterior draws of beta, sd, cor and sigma by label; empty if the posterior brought none."""
        from bayeslmm.parity.draws import posterior_draws

        design, data = self.sides.find("design"), self._posterior_data()
        return pd.DataFrame() if design is None or data is None else posterior_draws(data, design)

    @cached_property
    def bootstrap_draws(self) -> pd.DataFrame:
        """Bootstrap estimates by label; empty without a bootstrap."""
        side = self.sides.bootstrap
        draws = getattr(side.result, "draws", None) if side else None
        return draws if isinstance(draws, pd.DataFrame) else pd.DataFrame()

    @cached_property
    def manifest(self) -> "Manifest":
        """Versions, seeds, data hash and options of this comparison."""
        from bayeslmm.parity.record import manifest_of

        return manifest_of(self.sides, self.prob, self.options)

    def plot_forest(self, kinds: tuple[str, ...] = ("beta", "sd", "cor", "sigma")) -> "Figure":
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

    def report(self, path: str | Path) -> Path:
        """Write the report, one HTML page that needs no network, and give its path.

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        from bayeslmm.parity.report import write_report

        return write_report(self, Path(path))

    @property
    def response(self) -> str:
        """Name of the response, the unit of beta, sd and sigma."""
        return str(getattr(self.sides.find("design"), "response", ""))

    @property
    def formula(self) -> str:
        """The model's formula as it was written."""
        return str(self.sides.find("formula") or getattr(self.sides.find("spec"), "formula", ""))

    def __repr__(self) -> str:
        """Read as the verdicts."""
        return repr(self.verdicts)

    def _repr_html_(self) -> str:
        """Read as the verdicts in a notebook."""
        return self.verdicts._repr_html_()

    def _posterior_data(self) -> Any:
        return getattr(self.sides.posterior.result, "data", None) if self.sides.posterior else None


def compare(
    *results: Any,
    names: Mapping[str, str] | None = None,
    prob: float = 0.95,
    options: VerdictOptions | None = None,
) -> Parity:
    """Compare results of one model from different engines.

    Parameters
    ----------
    *results : fit, bootstrap, posterior or EstimateTable
        In any order; any may be missing, none twice.
    names : mapping, optional
        Foreign labels to this package's: ``{"b_Days": "beta[Days]"}``.
    prob : float
        Probability of every interval.
    options : VerdictOptions, optional
        Thresholds of the verdicts.

    Returns
    -------
    Parity

    Raises
    ------
    InputError
        If a result gives no estimates, a role is filled twice, or data or models differ.
    """
    if not 0 < prob < 1:
        raise InputError(f"prob is the probability of the intervals, between 0 and 1, got {prob}")
    return Parity(recognise(results, names, prob), prob, options or VerdictOptions())
