"""The priors of a model: one record a parameter, replaced by name."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import inf, isinf
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bayeslmm.errors import PriorError, did_you_mean
from bayeslmm.markup import html_table
from bayeslmm.printed import Page, Printed
from bayeslmm.spec.labels import SIGMA, beta_label, group_label, kind_of

from .base import Array, Prior
from .flat import Flat
from .lkj import LKJ
from .tails import Tail, Tails, fall

if TYPE_CHECKING:
    import pandas as pd

    from bayeslmm.spec.identified import Explained
    from bayeslmm.spec.residual.structure import Slot

_FAR_OUT = 1e150  # an sd there: which power its prior falls by in the end
_LACKING = {
    "beta": "the model has no fixed effects",
    "sd": "the model has no random effects",
    "cor": "the model has no correlations: no bar has two coefs that may be correlated",
    "sigma": "sigma is known, given as sigma=",
    "phi": "the residual has no correlation; give correlation=",
    "delta": "the residual has no variance function; give variance=",
}
_ALLOWED = {
    "beta": ("real", "any"),
    "sd": ("positive", "any"),
    "cor": ("correlation",),
    "sigma": ("positive", "any"),
}


PHI = "phi"  # kind of whatever R's own parameters are called
_RANGES = {"beta": (-inf, inf), "sd": (0.0, inf), "cor": (-1.0, 1.0), "sigma": (0.0, inf)}


class PriorBlock(NamedTuple):
    """What priors need to know of a grouping factor.

    Attributes
    ----------
    group : its name. sds : names of its free standard deviations.
    correlated : whether there are correlations.
    """

    group: str
    sds: tuple[str, ...]
    correlated: bool

    @property
    def labels(self) -> tuple[str, ...]:
        """Of its free standard deviations."""
        return tuple(group_label("sd", self.group, name) for name in self.sds)


@dataclass(frozen=True, eq=False)
class Priors(Printed):
    """The priors of a model.

    Attributes
    ----------
    coefs : fixed effects
    blocks : grouping factors
    table : prior by name: `beta[Days]`, `sd[Subject: Days]`, `cor[Subject]`, `phi[AR1]`, `sigma`
    sizes : scale of the default prior of each sd and of sigma, what the data could call large
    tails : how the likelihood falls as sds grow
    residual : what of the residual's own parameters has priors, by name
    """

    coefs: tuple[str, ...]
    blocks: tuple[PriorBlock, ...]
    table: Mapping[str, Prior]
    sizes: Mapping[str, float] = field(repr=False)
    tails: Tails = field(repr=False)
    residual: Mapping[str, "Slot"] = field(default_factory=dict, repr=False)

    def kind(self, label: str) -> str:
        """Of a parameter's prior: "phi" of all of the residual's own, however they are called."""
        return PHI if label in self.residual else kind_of(label)

    @property
    def beta(self) -> tuple[Prior, ...]:
        """One a fixed effect."""
        return tuple(self.table[beta_label(coef)] for coef in self.coefs)

    @cached_property
    def quadratic_of_beta(self) -> tuple[Array, Array, float]:
        """The log density of β, where each one's is a quadratic: precision (p, p), shift (p,), constant."""
        terms = [prior.quadratic for prior in self.beta if prior.quadratic is not None]
        precision, shift = (np.array([term[i] for term in terms], dtype=float) for i in (0, 1))
        return np.diag(precision), shift, float(sum(term.constant for term in terms))

    @property
    def sd(self) -> dict[str, tuple[Prior, ...]]:
        """By group, one a free standard deviation: one a coef, or one for all."""
        return {block.group: tuple(self.table[label] for label in block.labels) for block in self.blocks}

    @property
    def cor(self) -> dict[str, LKJ | None]:
        """By group; None where no correlation is free."""
        return {block.group: self._lkj(block.group) for block in self.blocks}

    def _lkj(self, group: str) -> LKJ | None:
        prior = self.table.get(group_label("cor", group))
        return prior if isinstance(prior, LKJ) else None

    @property
    def sigma(self) -> Prior:
        """Of a sigma that is free; a known one has none."""
        return self.table[SIGMA]

    @property
    def bounded(self) -> bool:
        """Whether a prior ends where its parameter doesn't."""
        return self.opened is not self

    def replace(self, changes: Mapping[str, Prior]) -> "Priors":
        """These priors with some of them changed.

        Parameters
        ----------
        changes : by name: all of a kind ("beta", "sd", "cor", "sigma"), a group's ("sd[Subject]",
            "cor[Subject]"), or one ("beta[Days]", "sd[Subject: Days]"); the narrower name wins

        Raises
        ------
        PriorError
            When there is no such parameter, the family doesn't fit it, or the posterior would be improper.
        """
        table = dict(self.table)
        for name in sorted(changes, key=_narrowness):
            prior = changes[name]
            for label in self._labels(name):
                self._check_family(label, prior)
                table[label] = prior
        made = replace(self, table=table)
        made._check_proper()
        return made

    def falls(self, at: Mapping[str, float] | float = _FAR_OUT) -> dict[str, float]:
        """The power by which the prior of each sd and of sigma falls there; far out where not said."""
        sds = [label for label in self.table if self.kind(label) in ("sd", SIGMA)]
        return {each: fall(self.table[each], at if isinstance(at, float) else at[each]) for each in sds}

    def tail(self, label: str, falls: Mapping[str, float]) -> Tail:
        """How the posterior of an sd falls where priors fall by these powers."""
        return self.tails.power(label, falls, self.table)

    @property
    def informed(self) -> tuple[str, ...]:
        """Kinds of parameters ("beta", "sd", "cor", "sigma", ...) with a prior that isn't flat, in order."""
        return tuple(
            dict.fromkeys(self.kind(label) for label, prior in self.table.items() if not _even(prior))
        )

    def only(self, kinds: Collection[str]) -> "Priors":
        """These priors of some kinds of parameters, those of the others flat."""
        kept = {label: prior if self.kind(label) in kinds else Flat() for label, prior in self.table.items()}
        return replace(self, table=kept)

    @property
    def opened(self) -> "Priors":
        """These priors, flat where one ends within the range of its parameter."""
        ends = {label for label, prior in self.table.items() if self._ends_within(label, prior)}
        return replace(self, table={**self.table, **dict.fromkeys(ends, Flat())}) if ends else self

    def to_frame(self) -> "pd.DataFrame":
        """One row a prior: index the parameter's name; columns kind and prior."""
        import pandas as pd

        rows = {label: (kind_of(label), str(prior)) for label, prior in self.table.items()}
        frame = pd.DataFrame.from_dict(rows, orient="index", columns=["kind", "prior"])
        return frame.rename_axis("parameter")

    @property
    def page(self) -> Page:
        """What is printed."""
        return Page(self.to_frame())

    def __repr__(self) -> str:
        width = max(map(len, self.table), default=0)
        return "\n".join(f"{label:<{width}}  {prior}" for label, prior in self.table.items())

    def _repr_html_(self) -> str:
        return html_table(self.to_frame())

    def check_sigma(self, explained: "Explained | None") -> None:
        """A response that leaves no residual has σ = 0, unless its prior vanishes there.

        Parameters
        ----------
        explained : how, if it leaves none.

        Raises
        ------
        PriorError
            When the posterior is improper.
        """
        if explained is None or SIGMA not in self.table:
            return
        design, enough = self.tails.design, 1 - fall(self.sigma, 1 / _FAR_OUT)
        if design.n - design.p - design.q >= enough or self.tails.beyond_all() >= enough:
            raise PriorError(
                f"the response {explained.how}, so sigma is 0, where {self.sigma} leaves the posterior "
                f"improper; {explained.advice}, or give sigma, or a prior of sigma that vanishes at 0, "
                "such as InverseGamma"
            )

    def _labels(self, name: str) -> list[str]:
        """The parameters a name stands for."""
        labels = [label for label in self.table if name == label or _within(name, label)]
        if not labels:
            raise PriorError(f"there is no parameter {name!r} to give a prior{self._hint(name)}")
        return labels

    def _hint(self, name: str) -> str:
        """What the model lacks, or what may have been meant."""
        kinds = {kind_of(label) for label in self.table}
        if kind_of(name) in _LACKING.keys() - kinds:
            return f": {_LACKING[kind_of(name)]}"
        known = [*self.table, *(f"sd[{block.group}]" for block in self.blocks), *sorted(kinds)]
        return did_you_mean(name, known) or f"; there are {', '.join(self.table)}"

    def _check_family(self, label: str, prior: Prior) -> None:
        """A family that fits, within the parameter's range, and proper where nothing else makes it so."""
        if not isinstance(prior, Prior):
            raise PriorError(
                f"the prior of {label!r} is a {type(prior).__name__}; give one of bayeslmm.spec.priors"
            )
        slot, kind = self.residual.get(label), kind_of(label)
        allowed = _ALLOWED[kind] if slot is None else _allowed(slot)
        low, high = (_RANGES[kind][0], inf) if slot is None else slot.bounds
        fits = ", ".join(word for word, family in Prior.kinds().items() if family.support in allowed)
        if prior.support not in allowed:
            raise PriorError(f"{type(prior).__name__} doesn't fit {label!r}; what does: {fits}")
        if prior.proper and (prior.bounds[0] < low or prior.bounds[1] > high):
            side, end = ("below", low) if prior.bounds[0] < low else ("above", high)
            raise PriorError(f"{prior} reaches {side} {end:g}, where {label!r} can't be; truncate it there")
        if slot is not None and not prior.proper and isinf(high):
            raise PriorError(
                f"a flat prior of {label!r} can make the posterior improper; what does fit: {fits}"
            )

    def _ends_within(self, label: str, prior: Prior) -> bool:
        """Does a prior end where its parameter doesn't?"""
        slot = self.residual.get(label)
        low, high = _RANGES[kind_of(label)] if slot is None else slot.bounds
        return prior.bounds[0] > low or prior.bounds[1] < high

    def _check_proper(self) -> None:
        """Flat priors of sds need a likelihood that falls faster than their number."""
        falls = self.falls() if any(not self.table[label].proper for label in self.table) else {}
        for label in (each for each in falls if not self.table[each].proper):
            tail = self.tail(label, falls)
            if tail.power <= 1:
                together = " and ".join(map(repr, tail.sds))
                raise PriorError(
                    f"a flat prior on {together} makes the posterior improper: the fixed part leaves "
                    f"{tail.rank} independent levels to tell from, and {len(tail.sds) + 1} are needed; use "
                    "HalfNormal or Exponential, or leave out what is constant within levels"
                )


def _allowed(slot: "Slot") -> tuple[str, ...]:
    """Supports of families that fit one of the residual's own parameters."""
    if slot.together:
        return ("correlation",)
    low, high = slot.bounds
    return ("any", "real" if isinf(low) else "positive" if isinf(high) else "share")


def _even(prior: Prior) -> bool:
    """Is it the same everywhere?"""
    return isinstance(prior, Flat) or prior == LKJ(1.0)


def _narrowness(name: str) -> int:
    """0 for a kind, 1 for a group, 2 for one parameter."""
    return ("[" in name) + (": " in name)


def _within(name: str, label: str) -> bool:
    """Is the parameter `label` one of those that `name`, a kind or a group's kind, stands for?"""
    own = name.endswith("]") and label.startswith((f"{name[:-1]}: ", f"{name[:-1]} | "))
    return own or label.startswith(f"{name}[")
