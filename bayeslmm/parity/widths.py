"""The ladder of width: half an interval's width from z·se to the posterior interval's own shape."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayeslmm.estimands.table import EstimateTable
from bayeslmm.parity.ladder.study import Study
from bayeslmm.parity.sides import Sides

type Array = NDArray[np.float64]

COLUMNS = ("label", "side", "rung", "half_width", "ratio", "reason")
MOST_VALUES = 5_000_000  # nodes times estimands whose quantiles are looked for
Z, T = "z", "t"
NARROW, MEAN, WHOLE, SHAPE = "at the mode", "averaged", "and of the conditional mean", "own shape"


@dataclass(frozen=True, eq=False)
class Widths:
    """Half-widths at one probability of every estimand that is linear in β and b.

    Attributes
    ----------
    study : the model and what was found of it. prob : of the intervals.
    """

    study: Study
    prob: float

    @cached_property
    def quantile(self) -> float:
        from scipy.special import ndtri

        return float(ndtri(0.5 + self.prob / 2))

    @cached_property
    def linear(self) -> NDArray[np.intp]:
        """Places of the estimands that have a ladder."""
        estimands = self.study.estimands
        return np.array(
            [i for i, label in enumerate(estimands.labels) if estimands.is_linear(label)], dtype=int
        )

    @cached_property
    def z(self) -> Array:
        """z·se of the estimate, (L,)."""
        return self.quantile * self.study.se

    @cached_property
    def t(self) -> Array:
        """t·se with Satterthwaite's degrees of freedom; NaN for what isn't a combination of fixed effects."""
        from scipy.special import stdtrit

        from bayeslmm.likelihood.inference.ddf.methods import ddf_of

        fit, of_beta = self.study.best, self.study.estimands.of_beta
        out = np.full(len(self.study.estimands.labels), np.nan)
        if isinstance(fit, str) or not of_beta:
            return out
        L = np.array(list(of_beta.values()))
        df = ddf_of(fit, "satterthwaite").df(L)
        out[list(of_beta)] = stdtrit(df, 0.5 + self.prob / 2) * self.study.se[list(of_beta)]
        return out

    @cached_property
    def at_mode(self) -> Array | str:
        """z times the conditional sd at the mode with all priors, (L,)."""
        study = self.study
        if not study.known:
            return "the priors aren't known"
        if reason := study.no_mode(study.kinds):
            return reason
        return np.asarray(self.quantile * np.sqrt(study.variance_at(study.mode(study.kinds), study.kinds)))

    @cached_property
    def averaged(self) -> Array | str:
        """z·√E[Var(ψ | y, ω)], (L,)."""
        return self._parts if isinstance(self._parts, str) else self.quantile * np.sqrt(self._parts[0])

    @cached_property
    def whole(self) -> Array | str:
        """z times the posterior sd, (L,): Var(E[ψ | y, ω]) is added."""
        return self._parts if isinstance(self._parts, str) else self.quantile * np.sqrt(sum(self._parts))

    @cached_property
    def shape(self) -> Array | str:
        """Half the equal-tailed interval of the posterior itself, (L,), without draws."""
        study, found = self.study, self.study.averages if self.study.known else "the priors aren't known"
        if isinstance(found, str):
            return found
        own = study.estimands.own_places
        wanted = [i for i in self.linear.tolist() if i in own]
        if len(found.phi) * len(wanted) > MOST_VALUES:
            wanted = [i for i in wanted if i in study.estimands.of_beta]
        tails = np.array([0.5 - self.prob / 2, 0.5 + self.prob / 2])
        ends = found.components.quantiles(tails, np.array([own[i] for i in wanted], dtype=int))
        out = np.full(len(study.estimands.labels), np.nan)
        out[wanted] = 0.5 * (ends[1] - ends[0])
        return out

    @cached_property
    def error(self) -> Array:
        """(L,) relative error of the posterior's sd, NaN where it isn't known."""
        found = self.study.averages if self.study.known else ""
        if isinstance(found, str):
            return np.full(len(self.study.estimands.labels), np.nan)
        return np.asarray(
            found.error(lambda each: np.sqrt(sum(self.study.variance_parts(each)))) / self.study.sd
        )

    def against_best(self, i: int) -> tuple[float, str]:
        """The posterior's width over that of the likelihood's best interval, and which that is.

        Of β and b it is the equal-tailed interval's over t or z; of combinations, whose shape isn't known,
        and of sd, cor and σ, which have no ladder of width, it is the posterior sd's: profile and Wald's log
        scale would say how far 0 is, and not how much is known.
        """
        if isinstance(self.shape, str) or isinstance(self.whole, str):
            return np.nan, ""
        shaped = i in self._linear and np.isfinite(self.shape[i])
        best, name = (self.t[i], T) if np.isfinite(self.t[i]) else (self.z[i], Z)
        return (float((self.shape if shaped else self.whole)[i] / best), name) if best > 0 else (np.nan, "")

    @cached_property
    def _linear(self) -> frozenset[int]:
        return frozenset(self.linear.tolist())

    @property
    def share(self) -> Array:
        """(L,) share of the posterior variance that is due to ω: Var(E[ψ | y, ω]) over all of it."""
        if isinstance(self._parts, str):
            return np.full(len(self.study.estimands.labels), np.nan)
        inner, outer = self._parts
        with np.errstate(invalid="ignore"):
            return np.asarray(outer / (inner + outer))

    def frame(self, sides: Sides) -> pd.DataFrame:
        """One row an estimand and rung.

        Columns: `label`; `side`, likelihood, posterior or bootstrap; `rung`; `half_width`; `ratio` to the
        rung before on the same side, the first of the posterior's to z; `reason`, why there is no value.
        """
        return pd.DataFrame(self._rows(sides), columns=list(COLUMNS))

    def _rows(self, sides: Sides) -> Iterator[tuple[str, str, str, float, float, str]]:
        labels, own = self.study.estimands.labels, self._linear
        of_posterior = {NARROW: self.at_mode, MEAN: self.averaged, WHOLE: self.whole, SHAPE: self.shape}
        for i, label in enumerate(labels):
            if i in own:
                yield from _branch(label, "likelihood", {Z: self.z, T: self.t}, i, np.nan)
                yield from _branch(label, "posterior", of_posterior, i, self.z[i])
            yield from _beside(label, sides)

    @cached_property
    def _parts(self) -> tuple[Array, Array] | str:
        found = self.study.averages if self.study.known else "the priors aren't known"
        return found if isinstance(found, str) else self.study.variance_parts(found.components)


def _branch(
    label: str, side: str, rungs: dict[str, Array | str], i: int, last: float
) -> Iterator[tuple[str, str, str, float, float, str]]:
    for rung, found in rungs.items():
        value, reason = (np.nan, found) if isinstance(found, str) else (float(found[i]), "")
        yield label, side, rung, value, value / last if last else np.nan, reason
        last = value if np.isfinite(value) else last


def _beside(label: str, sides: Sides) -> Iterator[tuple[str, str, str, float, float, str]]:
    """Half of the intervals of the tables compared."""
    for table in (side.table for side in sides.present() if label in side.table):
        yield label, _side(table), f"{table.interval} interval", _half(table, label), np.nan, ""


def _side(table: EstimateTable) -> str:
    if table.is_posterior:
        return "posterior"
    return "bootstrap" if table.source == "bootstrap" else "likelihood"


def _half(table: EstimateTable, label: str) -> float:
    row = table.row(label)
    return 0.5 * (float(row["upper"]) - float(row["lower"]))
