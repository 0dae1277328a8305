"""Random-effects block bootstrap: least-squares effects, and residuals kept together by group."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from bayeslmm.errors import OptionError
from bayeslmm.likelihood.bootstrap.hierarchy import rows_by_level
from bayeslmm.likelihood.bootstrap.kinds.base import ResponseKind
from bayeslmm.likelihood.bootstrap.reflate import reflated_effects, reflated_residuals
from bayeslmm.likelihood.bootstrap.responses import Rows
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.spec.block import Block
from bayeslmm.spec.design import Design

type Array = NDArray[np.float64]


@dataclass(frozen=True)
class RandomEffectsBlock(ResponseKind):
    """y* = Xβ̂ + Zb* + e*, b* from groupwise least squares, e* within a group from one donor group.

    Marginal residuals y − Xβ̂ are split by least squares, b_j = Z_j⁺v_j and e_j = v_j − Z_jb_j: nothing is
    shrunken. Levels of b are drawn with replacement; each group draws a donor group, and its e* with
    replacement from the donor's. With `rescaled`, both are first brought to the fitted moments.

    References
    ----------
    Chambers & Chandra (2013), Journal of Computational and Graphical Statistics 22, 452-470; REB/0, and
    `rescaled` their REB/1, as lmeresampler's `reb_type`.
    """

    keyword: ClassVar[str] = "random-effects block"

    rescaled: bool = False

    def rows(self, fit: Fitted) -> "BlockRows":
        """What draws the rows.

        Raises
        ------
        OptionError
            Unless there is exactly one grouping factor, which is what the method is defined for.
        """
        design = fit.design
        if len(design.blocks) != 1 or design.blocks[0].known is not None:
            groups = ", ".join(block.group for block in design.blocks) or "none"
            raise OptionError(
                "the random-effects block bootstrap is defined for one grouping factor of independent "
                f"levels; this model has {groups}. Use kind='residual'"
            )
        (block,), whiten = design.blocks, design.residual.whiten
        v = whiten(design.y - design.offset - design.X @ fit.beta_values)
        members = rows_by_level(block.codes)
        effects, noise = _split(block, v, whiten(block.columns), members)
        if self.rescaled:
            (effects,) = reflated_effects(design, fit.theta_values, fit.sigma, effects.ravel())
            noise = reflated_residuals(noise, fit.sigma)
        return BlockRows(design, effects, noise, members)


def _split(block: Block, v: Array, columns: Array, members: list[NDArray[np.int64]]) -> tuple[Array, Array]:
    """Effects (J, k) and residuals (n,) of groupwise least squares of v (n,) on columns (n, k), whitened."""
    effects, noise = np.zeros((block.n_levels, block.k)), np.empty_like(v)
    for rows in members:
        Z = columns[rows]
        b = np.linalg.lstsq(Z, v[rows])[0]
        effects[block.codes[rows[0]]] = b
        noise[rows] = v[rows] - Z @ b
    return effects, noise


@dataclass(frozen=True, slots=True, eq=False)
class BlockRows:
    """Draws levels of `effects` (J, k), and `noise` (n,) within donor groups, whose rows are `members`."""

    design: Design
    effects: Array
    noise: Array
    members: list[NDArray[np.int64]]

    def __call__(self, generator: np.random.Generator) -> Rows:
        """The response of one generator."""
        b = generator.choice(self.effects, len(self.effects)).ravel()
        donors = generator.integers(0, len(self.members), len(self.members))
        e = np.empty_like(self.noise)
        for rows, donor in zip(self.members, donors.tolist(), strict=True):
            e[rows] = generator.choice(self.noise[self.members[donor]], len(rows))
        return Rows(self.design.Z @ b + self.design.residual.unwhiten(e), b)
