"""The priors of a model: one record a parameter, replaced by name."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf
from typing import TYPE_CHECKING, NamedTuple

from bayeslmm.errors import PriorError, did_you_mean
from bayeslmm.markup import html_table
from bayeslmm.spec.labels import SIGMA, beta_label, group_label, kind_of

from .base import Prior
from .lkj import LKJ

if TYPE_CHECKING:
    import pandas as pd

_RANK_FOR_FLAT = 2
_LACKING = {
    "beta": "the model has no fixed effects",
    "sd": "the model has no random effects",
    "cor": "the model has no correlations: no bar has two coefs that may be correlated",
    "sigma": "sigma is known, given as sigma=",
}
_ALLOWED = {
    "beta": ("real", "any"),
    "sd": ("positive", "any"),
    "cor": ("correlation",),
    "sigma": ("positive", "any"),
}


_RANGES = {"beta": (-inf, inf), "sd": (0.0, inf), "cor": (-1.0, 1.0), "sigma": (0.0, inf)}


class PriorBlock(NamedTuple):
    """What priors need to know of a grouping factor.

    Attributes
    ----------
    group : its name. sds : names of its free standard deviations. n_levels : of the factor.
    correlated : whether there are correlations.
    ranks : by sd, how many independent levels the fixed part leaves: as sd grows the likelihood falls as
        sd^−rank.
    sizes : by sd, the scale of its default prior: what the data could call large.
    """

    group: str
    sds: tuple[str, ...]
    n_levels: int
    correlated: bool
    ranks: tuple[int, ...]
    sizes: tuple[float, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """Of its free standard deviations."""
        return tuple(group_label("sd", self.group, name) for name in self.sds)


@dataclass(frozen=True)
class Priors:
    """The priors of a model.

    Attributes
    ----------
    coefs : fixed effects
    blocks : grouping factors
    table : prior by name: `beta[Days]`, `sd[Subject: Days]`, `cor[Subject]`, `sigma`
    """

    coefs: tuple[str, ...]
    blocks: tuple[PriorBlock, ...]
    table: Mapping[str, Prior]

    @property
    def beta(self) -> tuple[Prior, ...]:
        """One a fixed effect."""
        return tuple(self.table[beta_label(coef)] for coef in self.coefs)

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
        return any(_ends_within(prior.bounds, _RANGES[kind_of(label)]) for label, prior in self.table.items())

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
                _check_family(label, prior)
                self._check_proper(label, prior)
                table[label] = prior
        return replace(self, table=table)

    def to_frame(self) -> "pd.DataFrame":
        """One row a prior: index the parameter's name; columns kind and prior."""
        import pandas as pd

        rows = {label: (kind_of(label), str(prior)) for label, prior in self.table.items()}
        frame = pd.DataFrame.from_dict(rows, orient="index", columns=["kind", "prior"])
        return frame.rename_axis("parameter")

    def __repr__(self) -> str:
        width = max(map(len, self.table), default=0)
        return "\n".join(f"{label:<{width}}  {prior}" for label, prior in self.table.items())

    def _repr_html_(self) -> str:
        return html_table(self.to_frame())

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

    def _check_proper(self, label: str, prior: Prior) -> None:
        """A flat prior on an sd needs a likelihood that falls faster than 1/sd; else nothing is proper."""
        if prior.proper or kind_of(label) != "sd":
            return
        for block in self.blocks:
            rank = dict(zip(block.labels, block.ranks, strict=True)).get(label, _RANK_FOR_FLAT)
            if rank < _RANK_FOR_FLAT:
                raise PriorError(
                    f"a flat prior on {label!r} makes the posterior improper: of the {block.n_levels} levels "
                    f"of {block.group!r} the fixed part leaves {rank} to tell it from, and {_RANK_FOR_FLAT} "
                    "are needed; use HalfNormal or Exponential, or leave out what is constant within levels"
                )


def _check_family(label: str, prior: Prior) -> None:
    if not isinstance(prior, Prior):
        raise PriorError(
            f"the prior of {label!r} is a {type(prior).__name__}; give one of bayeslmm.spec.priors"
        )
    allowed = _ALLOWED[kind_of(label)]
    if prior.support not in allowed:
        fits = ", ".join(word for word, family in Prior.kinds().items() if family.support in allowed)
        raise PriorError(f"{type(prior).__name__} doesn't fit {label!r}; what does: {fits}")
    if prior.proper and prior.bounds[0] < _RANGES[kind_of(label)][0]:
        raise PriorError(f"{prior} reaches below 0, where {label!r} can't be; truncate it there")


def _ends_within(bounds: tuple[float, float], whole: tuple[float, float]) -> bool:
    return bounds[0] > whole[0] or bounds[1] < whole[1]


def _narrowness(name: str) -> int:
    """0 for a kind, 1 for a group, 2 for one parameter."""
    return ("[" in name) + (": " in name)


def _within(name: str, label: str) -> bool:
    """Is the parameter `label` one of those that `name`, a kind or a group's kind, stands for?"""
    return label.startswith(f"{name}[") or (name.endswith("]") and label.startswith(f"{name[:-1]}: "))
