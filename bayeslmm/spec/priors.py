"""The priors of a model: one record a parameter, defaults scaled by the data, replaced by name."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayeslmm.errors import PriorError, did_you_mean

from .covariance import CovarianceStructure
from .distributions import (
    LKJ,
    Exponential,
    Flat,
    Gamma,
    HalfNormal,
    HalfStudentT,
    Laplace,
    Normal,
    PenalizedComplexity,
    Prior,
    StudentT,
)

if TYPE_CHECKING:
    import pandas as pd

    from .design import Design, MeanSd

__all__ = [
    "LKJ",
    "Exponential",
    "Flat",
    "Gamma",
    "HalfNormal",
    "HalfStudentT",
    "Laplace",
    "Normal",
    "PenalizedComplexity",
    "Prior",
    "Priors",
    "StudentT",
    "default_priors",
    "log_correlations",
]

type Array = NDArray[np.float64]

_LEVELS_FOR_FLAT = 3
_LACKING = {
    "beta": "the model has no fixed effects",
    "sd": "the model has no random effects",
    "cor": "the model has no correlations: no bar has two coefs that may be correlated",
    "sigma": "sigma is known, given as sigma=",
}


class PriorBlock(NamedTuple):
    """What priors need to know of a grouping factor; `sds` are the names of its free standard deviations."""

    group: str
    sds: tuple[str, ...]
    n_levels: int
    correlated: bool


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
        return tuple(self.table[_beta(coef)] for coef in self.coefs)

    @property
    def sd(self) -> dict[str, tuple[Prior, ...]]:
        """By group, one a free standard deviation: one a coef, or one for all."""
        return {
            block.group: tuple(self.table[_sd(block.group, name)] for name in block.sds)
            for block in self.blocks
        }

    @property
    def cor(self) -> dict[str, LKJ | None]:
        """By group; None where no correlation is free."""
        return {block.group: self._lkj(block.group) for block in self.blocks}

    def _lkj(self, group: str) -> LKJ | None:
        prior = self.table.get(_cor(group))
        return prior if isinstance(prior, LKJ) else None

    @property
    def sigma(self) -> Prior:
        """Of a sigma that is free; a known one has none."""
        return self.table["sigma"]

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

        rows = {label: (_kind(label), str(prior)) for label, prior in self.table.items()}
        frame = pd.DataFrame.from_dict(rows, orient="index", columns=["kind", "prior"])
        return frame.rename_axis("parameter")

    def __repr__(self) -> str:
        width = max(map(len, self.table), default=0)
        return "\n".join(f"{label:<{width}}  {prior}" for label, prior in self.table.items())

    def _repr_html_(self) -> str:
        html: str = self.to_frame().to_html()
        return html

    def _labels(self, name: str) -> list[str]:
        """The parameters a name stands for."""
        labels = [label for label in self.table if name == label or _within(name, label)]
        if not labels:
            raise PriorError(f"there is no parameter {name!r} to give a prior{self._hint(name)}")
        return labels

    def _hint(self, name: str) -> str:
        """What the model lacks, or what may have been meant."""
        kinds = {_kind(label) for label in self.table}
        if _kind(name) in _LACKING.keys() - kinds:
            return f": {_LACKING[_kind(name)]}"
        known = [*self.table, *(f"sd[{block.group}]" for block in self.blocks), *sorted(kinds)]
        return did_you_mean(name, known) or f"; there are {', '.join(self.table)}"

    def _check_proper(self, label: str, prior: Prior) -> None:
        """A flat prior on an sd needs three levels, or the posterior is improper."""
        if not isinstance(prior, Flat) or not label.startswith("sd"):
            return
        few = [
            block for block in self.blocks if block.n_levels < _LEVELS_FOR_FLAT and label in _labels_of(block)
        ]
        if few:
            raise PriorError(
                f"a flat prior on {label!r} makes the posterior improper: {few[0].group!r} has "
                f"{few[0].n_levels} levels and {_LEVELS_FOR_FLAT} are needed; use HalfNormal or Exponential"
            )


def default_priors(design: "Design") -> Priors:
    """The priors of a model nobody gave priors to.

    beta flat, so that the posterior is REML's twin; sd half-normal with Bambi's scale, 2.5·sd(y)/sd(z) for a
    left-hand column z and for a constant one √((2.5·sd(y))² + Σₖ sₖ²·mean(xₖ)²) over the fixed slopes,
    sₖ being 2.5·sd(y)/sd(xₖ); sigma half-t(4, sd(y)) where it is free; cor LKJ(2). Standard deviations divide
    by n.
    """
    spread = design.scales.y_sd or 1.0  # a constant response is possible when sigma is known
    table: dict[str, Prior] = {_beta(coef): Flat() for coef in design.coefs}
    blocks = []
    for number, block in enumerate(design.blocks):
        correlated = bool(design.covariance.block_pairs(number))
        names = design.covariance.sd_names(number)
        blocks.append(PriorBlock(block.group, names, block.n_levels, correlated))
        scales = _scales(design, number, spread)
        table |= {label: HalfNormal(s) for label, s in zip(_labels_of(blocks[-1]), scales, strict=True)}
        table |= {_cor(block.group): LKJ(2.0)} if correlated else {}
    table |= {"sigma": HalfStudentT(4.0, spread)} if design.residual.sigma_free else {}
    return Priors(design.coefs, tuple(blocks), table)


def log_correlations(structures: Sequence[CovarianceStructure], prior: LKJ, cor: ArrayLike) -> Array:
    """Log density of a group's free correlations (..., n_pairs), its bars being independent."""
    given = np.asarray(cor, dtype=float)
    total, used = np.zeros(given.shape[:-1]), 0
    for structure in structures:
        own = given[..., used : used + len(structure.pairs)]
        used += len(structure.pairs)
        if structure.cor_range is not None:
            total = total + prior.logpdf_one(own[..., 0], *structure.cor_range)
        elif structure.pairs:
            total = total + prior.logpdf(_matrix(structure, own))
    return total


def _matrix(structure: CovarianceStructure, cor: Array) -> Array:
    """Correlation matrices (..., k, k) of free correlations."""
    R = np.broadcast_to(np.eye(structure.k), (*cor.shape[:-1], structure.k, structure.k)).copy()
    for place, (i, j) in enumerate(structure.pairs):
        R[..., i, j] = R[..., j, i] = cor[..., place]
    return R


def _scales(design: "Design", number: int, spread: float) -> Iterator[float]:
    """Scale of each free sd of a block; of a shared one the mean over its coefs."""
    z, x = design.scales.columns[number], design.scales.X
    scales = np.array([_scale(*each, spread, x) for each in zip(*z, strict=True)])
    owner = np.array(design.covariance.sd_of_coef(number))
    return (float(np.mean(scales[owner == place])) for place in range(owner[-1] + 1))


def _scale(mean: float, sd: float, spread: float, X: "MeanSd") -> float:
    """Scale of the sd of a left-hand column's coef."""
    if sd > 0:
        return 2.5 * spread / sd
    varies = X.sd > 0
    slopes = 2.5 * spread / X.sd[varies] * X.mean[varies]
    return float(np.hypot(2.5 * spread, np.linalg.norm(slopes)) / abs(mean))


def _check_family(label: str, prior: Prior) -> None:
    if not isinstance(prior, Prior):
        raise PriorError(
            f"the prior of {label!r} is a {type(prior).__name__}; give one of bayeslmm.spec.priors"
        )
    allowed = {"beta": ("real", "any"), "cor": ("correlation",)}.get(_kind(label), ("positive", "any"))
    if prior.support not in allowed:
        fits = ", ".join(sorted(family.__name__ for family in _families() if family.support in allowed))
        raise PriorError(f"{type(prior).__name__} doesn't fit {label!r}; what does: {fits}")


def _families() -> Iterator[type[Prior]]:
    yield from Prior.__subclasses__()


def _kind(name: str) -> str:
    """beta, sd, cor or sigma."""
    return name.partition("[")[0]


def _narrowness(name: str) -> int:
    """0 for a kind, 1 for a group, 2 for one parameter."""
    return ("[" in name) + (": " in name)


def _within(name: str, label: str) -> bool:
    """Is the parameter `label` one of those that `name`, a kind or a group's kind, stands for?"""
    return label.startswith(f"{name}[") or (name.endswith("]") and label.startswith(f"{name[:-1]}: "))


def _beta(coef: str) -> str:
    return f"beta[{coef}]"


def _sd(group: str, name: str) -> str:
    return f"sd[{group}: {name}]" if name else f"sd[{group}]"


def _labels_of(block: PriorBlock) -> list[str]:
    return [_sd(block.group, name) for name in block.sds]


def _cor(group: str) -> str:
    return f"cor[{group}]"
