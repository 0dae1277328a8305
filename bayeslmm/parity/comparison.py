"""What a comparison is made of: the results and all that follows from them, computed when first asked for."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import pandas as pd

from bayeslmm.errors import InputError
from bayeslmm.estimands.headed import HeadedTable
from bayeslmm.parity.judgement import Gathering, judged
from bayeslmm.parity.sides import Sides
from bayeslmm.parity.verdict_table import Verdicts
from bayeslmm.parity.verdicts.evidence import VerdictOptions

if TYPE_CHECKING:
    from bayeslmm.parity.certificate.record import Certificate
    from bayeslmm.parity.ladder.ladder import Ladder
    from bayeslmm.parity.side_by_side import SideBySide
    from bayeslmm.parity.widths import Widths
    from bayeslmm.runs.manifest import Manifest


@dataclass(frozen=True, eq=False)
class Comparison:
    """Results of both paradigms, the verdict on each estimand, the certificate, and the draws behind them.

    Attributes
    ----------
    sides : Sides
        The results compared, by role.
    prob : float
        Probability of every interval.
    options : VerdictOptions
        Thresholds of the verdicts.
    estimands : mapping, optional
        Estimands of a user's own, by name.
    record : mapping
        What a run adds to the manifest's options.
    trust : DataFrame, optional
        The interval to trust by label, of a calibration: see `Calibration.trust`.
    """

    sides: Sides
    prob: float
    options: VerdictOptions
    estimands: Mapping[str, Any] | None = None
    record: Mapping[str, Any] = field(default_factory=dict)
    trust: pd.DataFrame | None = None

    def recorded(self, record: Mapping[str, Any]) -> Self:
        """The same with what its manifest adds to the options."""
        return replace(self, record=record)

    @cached_property
    def steps(self) -> "Ladder | None":
        """The ladder of location with what it was computed from; None where only tables were compared."""
        from bayeslmm.parity.ladder.ladder import Ladder
        from bayeslmm.parity.study_of import study_of

        study = study_of(self.sides, self.prob, self.estimands)
        return None if study is None else Ladder(study)

    @property
    def ladder(self) -> HeadedTable:
        """Every estimand's way from the estimate to the posterior mean (eq. 16): see `Ladder.frame`.

        Raises
        ------
        InputError
            If only tables were compared, without their model.
        """
        return HeadedTable.of(self.modelled.frame, f"From estimate to posterior mean: {self.formula}")

    @property
    def widths(self) -> HeadedTable:
        """Half-widths of intervals of β, combinations and b, from z·se to the posterior's (eq. 17)."""
        heading = f"Half-widths of {self._percent} intervals: {self.formula}"
        return HeadedTable.of(self._widths.frame(self.sides), heading)

    @property
    def _percent(self) -> str:
        return f"{100 * self.prob:g} %"

    @cached_property
    def _widths(self) -> "Widths":
        from bayeslmm.parity.widths import Widths

        return Widths(self.modelled.study, self.prob)

    @cached_property
    def intervals(self) -> HeadedTable:
        """Every method's interval of every estimand, against the likelihood's best: see `interval_table`."""
        from bayeslmm.parity.intervals import interval_table

        frame = interval_table(self.sides, self.modelled.study.best, self.prob)
        return HeadedTable.of(frame, f"{self._percent} intervals of every method: {self.formula}")

    @cached_property
    def ranef(self) -> HeadedTable:
        """Random effects: both intervals, shrinkage, share of variance due to ω: see `effect_table`."""
        from bayeslmm.parity.effects import effect_table

        frame = effect_table(self.sides, self.modelled.study.best, self._widths)
        return HeadedTable.of(frame, f"Random effects, {self._percent} intervals: {self.formula}")

    @cached_property
    def corrections(self) -> HeadedTable:
        """The bootstrap's bias, share at zero and width beside the step of integration: see `corrections`."""
        from bayeslmm.parity.corrections import corrections

        frame = corrections(self.sides, self.modelled, self.bootstrap_draws)
        return HeadedTable.of(frame, f"The bootstrap's bias beside integration's step: {self.formula}")

    @property
    def modelled(self) -> "Ladder":
        """The ladder, or the error that there is none."""
        if self.steps is None:
            raise InputError("a ladder needs the model: compare fits or posteriors, not only tables")
        return self.steps

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row per estimand and likelihood interval; columns of ``parity.table.COLUMNS``."""
        from bayeslmm.parity.table import long_table

        return long_table(self.sides, self.verdicts.frame["verdict"])

    @cached_property
    def followed(self) -> "dict[str, SideBySide]":
        """Both sides of intraclass correlations and of a user's own estimands, by label."""
        from bayeslmm.parity.followed import followed

        return {} if self.steps is None else followed(self._widths, self.bootstrap_draws)

    @cached_property
    def verdicts(self) -> Verdicts:
        """Verdict, evidence and run check by estimand."""
        widths = None if self.steps is None else self._widths
        gathered = Gathering(self.sides, self.options, self.steps, widths)
        return Verdicts(judged(gathered.evidence, gathered.run_checks, self.options), self.options)

    @cached_property
    def prior_pull(self) -> dict[str, float]:
        """What all priors together move the mode by, by label; deprecated, see `ladder`.

        Warns
        -----
        DeprecationWarning
        """
        said = "par.prior_pull is deprecated; par.ladder has the step of every kind of prior"
        warnings.warn(said, DeprecationWarning, stacklevel=2)
        return {} if self.steps is None else self.steps.pull

    @cached_property
    def certificate(self) -> "Certificate":
        """Whether both engines hold the same model, as it was written and sampled: see `Certificate`.

        Raises
        ------
        InputError
            If only bare tables were compared.
        """
        from bayeslmm.parity.witnesses import certificate_of

        sides = self.sides
        design, recipe = sides.find("design"), sides.find("recipe")
        if design is None:
            raise InputError("a certificate needs the model: compare fits or posteriors, not only tables")
        return certificate_of(
            design,
            sides.find("priors"),
            centred=bool(sides.posterior and _centred(sides.posterior.result)),
            fit=sides.fit.result if sides.fit and hasattr(sides.fit.result, "optimum") else None,
            origin=recipe and recipe.origin,
        )

    @property
    def uncertified(self) -> str:
        """Why there is no certificate; empty if there is one."""
        known = self.sides.find("design") is not None
        return "" if known else "None: only tables were compared, without their model."

    @cached_property
    def draws(self) -> pd.DataFrame:
        """Posterior draws of every parameter by label, chain after chain; empty if there are none."""
        from bayeslmm.posterior.summary.estimates import draws_by_label

        design, data = self.sides.find("design"), self._posterior_data()
        if design is None or data is None:
            return pd.DataFrame()
        labels, draws = draws_by_label(data, design)
        return pd.DataFrame(draws.reshape(-1, len(labels)), columns=list(labels))

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

        return manifest_of(self.sides, self.prob, self.options, self.record)

    @property
    def response(self) -> str:
        """Name of the response, the unit of beta, sd and sigma."""
        return str(getattr(self.sides.find("design"), "response", ""))

    @property
    def formula(self) -> str:
        """The model's formula as it was written."""
        return str(self.sides.find("formula") or getattr(self.sides.find("spec"), "formula", ""))

    def _posterior_data(self) -> Any:
        return getattr(self.sides.posterior.result, "data", None) if self.sides.posterior else None


def _centred(posterior: Any) -> bool:
    """Whether the explicit graph it was sampled from has b itself for a variable."""
    return bool(getattr(getattr(posterior, "options", None), "centred", False))
