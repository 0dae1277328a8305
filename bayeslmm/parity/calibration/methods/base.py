"""What a method is, and what it is asked about: one simulated data set after the other."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayeslmm.likelihood.bootstrap.engine import ResponseEngine
from bayeslmm.likelihood.bootstrap.responses import Responses
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.likelihood.studies.truth import Values, simulator
from bayeslmm.posterior.batch.arrays import OnePosterior
from bayeslmm.posterior.batch.run import Batch
from bayeslmm.posterior.target import Target
from bayeslmm.registry import Registered
from bayeslmm.spec.priors import Priors

type Array = NDArray[np.float64]
type MethodWord = Literal[
    "z", "satterthwaite", "kenward-roger", "deviance", "bootstrap", "eti", "hdi", "profile", "nuts"
]


@dataclass(frozen=True, eq=False)
class Study:
    """What all data sets share.

    Attributes
    ----------
    fit : stands at the truth. truth : by label. priors : of the posteriors. prob : of the intervals.
    labels : (L,) estimands.
    """

    fit: Fitted
    truth: Values
    priors: Priors
    prob: float
    labels: tuple[str, ...]

    @cached_property
    def ml(self) -> ResponseEngine:
        """Refits by ML of the same responses."""
        options = replace(self.fit.options, criterion="ML")
        return simulator(replace(self.fit, options=options), self.truth)

    def batch(self, priors: Priors) -> Batch:
        """Posteriors under some priors."""
        return Batch(Target(self.fit.design, priors), prob=self.prob)


@dataclass(frozen=True, eq=False)
class Case:
    """One data set.

    Attributes
    ----------
    fit : of it. truth, estimate : (L,). responses, rows : what it was made of, Xβ of the truth not in it.
    seed : of what a method draws. kept : what one method found and another may use.
    """

    fit: Fitted
    truth: Array
    estimate: Array
    responses: Responses
    rows: Array
    seed: int
    kept: dict[Any, Any] = field(default_factory=dict)

    def ml(self, study: Study) -> Fitted:
        """The fit by ML."""
        if not self.fit.reml:
            return self.fit
        return self.once("ML", lambda: study.ml.refit(self.responses, [self.rows]).fit(0))

    def posterior(self, batch: Batch) -> OnePosterior:
        """The posterior's summaries, made once for all methods that read them."""
        return self.once(id(batch.pilot.priors), lambda: batch.of_design(self.fit.design))

    def once[T](self, key: Any, make: Callable[[], T]) -> T:
        """What was made before under a key, or is now."""
        if key not in self.kept:
            self.kept[key] = make()
        found: T = self.kept[key]
        return found


class Said(NamedTuple):
    """What a method says of a data set, (L,) each; NaN where it says nothing.

    Attributes
    ----------
    point : estimate. lower, upper : limits. covers : does the interval hold the truth, 0 or 1?
    rejects : is 0 outside of it, 0 or 1?
    """

    point: Array
    lower: Array
    upper: Array
    covers: Array
    rejects: Array

    @classmethod
    def interval(cls, point: Array, lower: Array, upper: Array, truth: Array) -> "Said":
        """Of limits."""
        there = np.isfinite(lower) & np.isfinite(upper) & np.isfinite(truth)
        covers = np.where(there, (lower <= truth) & (truth <= upper), np.nan)
        rejects = np.where(there, (lower > 0) | (upper < 0), np.nan)
        return cls(np.where(there, point, np.nan), lower, upper, covers, rejects)

    @classmethod
    def nothing(cls, n: int) -> "Said":
        """Of n estimands."""
        return cls(*np.full((len(cls._fields), n), np.nan))


type Maker = Callable[[Case], Said]


@dataclass(frozen=True)
class Method(Registered, ABC):
    """One way to intervals; its options are its fields.

    Attributes
    ----------
    keyword : what asks for it. paradigm : "likelihood" or "posterior".
    usual : whether it is among the default methods; the others are dear. place : in the order of tables.
    """

    paradigm: ClassVar[str]
    usual: ClassVar[bool] = False
    place: ClassVar[int] = 100

    @abstractmethod
    def maker(self, study: Study) -> Maker:
        """What speaks of each data set; all that doesn't change between them is done here."""

    def objection(self, study: Study) -> str:
        """Why the method isn't for this study, or nothing."""
        del study
        return ""

    @property
    def title(self) -> str:
        """The keyword, with the options that aren't the usual ones."""
        changed = [each.name for each in fields(self) if getattr(self, each.name) != each.default]
        options = ", ".join(f"{name}={getattr(self, name)!r}" for name in changed)
        return f"{self.keyword} ({options})" if options else self.keyword
