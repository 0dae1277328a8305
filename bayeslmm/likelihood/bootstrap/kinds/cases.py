"""Cases bootstrap: whole groups, or rows, drawn with replacement as they are."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from bayeslmm.errors import OptionError, check_choice
from bayeslmm.likelihood.bootstrap.engine import Replicates, Source
from bayeslmm.likelihood.bootstrap.hierarchy import chain, check_exchangeable, rows_by_level
from bayeslmm.likelihood.bootstrap.kinds.base import BootstrapKind
from bayeslmm.likelihood.bootstrap.whole_fits import refit, side_by_side
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.spec.design import Design
from bayeslmm.spec.subset import take

type Array = NDArray[np.float64]
type Codes = NDArray[np.int64]

ROWS = "rows"


@dataclass(frozen=True)
class Cases(BootstrapKind):
    """Levels are drawn with replacement, from the coarsest factor down to the rows, at the stages asked for.

    A level drawn twice becomes two levels. Rows resampled within groups add their own spread twice over, so
    the default draws the coarsest groups and keeps what is in them (Davison & Hinkley 1997, 3.8).

    Attributes
    ----------
    resample : stages that are drawn, names of nested grouping factors and "rows"; None for the coarsest
        factor, or rows where there is none. ("rows",) alone is allowed with crossed factors too.

    References
    ----------
    Van der Leeden, Meijer & Busing (2008), Handbook of Multilevel Analysis, 401-433; lmeresampler's
    `resample`, by name.
    """

    keyword: ClassVar[str] = "cases"
    has_effects: ClassVar[bool] = False

    resample: tuple[str, ...] | str | None = None

    def engine(self, fit: Fitted, rows: bool) -> "CasesEngine":
        """New designs and their fits.

        Raises
        ------
        OptionError
            For a stage that isn't there, crossed factors, levels with a known covariance, or rows that the
            residual's correlation joins.
        """
        design = fit.design
        if design.residual.groups is not None:
            raise OptionError(
                "the cases bootstrap draws rows and levels as if nothing joined them, and here a "
                "correlation of the "
                "residual does; use kind='parametric' or 'residual'"
            )
        asked = (self.resample,) if isinstance(self.resample, str) else self.resample
        blocks = chain(design) if asked is None or set(asked) != {ROWS} else ()
        if asked is None:
            asked = (blocks[0].group,) if blocks else (ROWS,)
        for stage in asked:
            check_choice("stage to resample", stage, (*(block.group for block in design.blocks), ROWS))
        check_exchangeable(blocks)
        drawn = tuple(block.group in asked for block in blocks)
        plan = CasesPlan(design, tuple(block.codes for block in blocks), drawn, ROWS in asked)
        names = {block.group: place for place, block in enumerate(blocks)}
        places = tuple(names.get(block.group, -1) for block in design.blocks)
        return CasesEngine(plan, places, Source.of(fit), fit.optimum.x)


@dataclass(frozen=True, slots=True, eq=False)
class CasesPlan:
    """Which stages are drawn.

    Attributes
    ----------
    codes : (n,) of each factor, coarsest first. drawn : whether its levels are. rows : whether rows are.
    """

    design: Design
    codes: tuple[Codes, ...]
    drawn: tuple[bool, ...]
    rows: bool

    def __call__(self, generator: np.random.Generator) -> tuple[Codes, list[Codes]]:
        """Rows drawn, (m,), and the new code of each at every factor."""
        groups = [np.arange(self.design.n)]
        sizes: list[Codes] = []
        for codes, drawn in zip(self.codes, self.drawn, strict=True):
            parts = [_levels(rows, codes, drawn, generator) for rows in groups]
            groups = [rows for part in parts for rows in part]
            sizes = [np.repeat(each, [len(part) for part in parts]) for each in sizes]
            sizes.append(np.arange(len(groups)))
        if self.rows:
            groups = [generator.choice(rows, len(rows)) for rows in groups]
        lengths = [len(rows) for rows in groups]
        return np.concatenate(groups), [np.repeat(each, lengths) for each in sizes]


def _levels(rows: Codes, codes: Codes, drawn: bool, generator: np.random.Generator) -> list[Codes]:
    """The levels among some rows, each with its rows, drawn or as they are."""
    members = [rows[inside] for inside in rows_by_level(codes[rows])]
    if not drawn:
        return members
    return [members[i] for i in generator.integers(0, len(members), len(members)).tolist()]


@dataclass(frozen=True, slots=True, eq=False)
class CasesEngine:
    """New designs and their fits.

    Attributes
    ----------
    plan : draws rows and levels. places : of each block among the plan's factors, −1 for none.
    source : of the refits. start : x̂.
    """

    plan: CasesPlan
    places: tuple[int, ...]
    source: Source
    start: Array

    def __call__(self, generators: Iterable[np.random.Generator]) -> Replicates:
        """Replicates of these generators."""
        fits = [self._fit(generator) for generator in generators]
        original = self.plan.design
        return Replicates(
            side_by_side(fits, original), fits.__getitem__, np.full((len(fits), original.q), np.nan)
        )

    def _fit(self, generator: np.random.Generator) -> Fitted:
        rows, codes = self.plan(generator)
        own = [codes[place] if place >= 0 else None for place in self.places]
        return refit(take(self.plan.design, rows, own), self.source, self.start)
