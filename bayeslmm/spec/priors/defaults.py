"""The priors of a model nobody gave priors to."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayeslmm.spec.labels import SIGMA, beta_label, group_label

from .base import Prior
from .flat import Flat
from .half_normal import HalfNormal
from .half_student_t import HalfStudentT
from .lkj import LKJ
from .table import PriorBlock, Priors
from .tails import Tails

if TYPE_CHECKING:
    from bayeslmm.spec.design import Design

type Array = NDArray[np.float64]


def default_priors(design: "Design") -> Priors:
    """The priors of a model nobody gave priors to.

    beta flat, so that the posterior is REML's twin; sd half-normal with scale sₓ = 2.5·sd(y)/sd(x) for a
    left-hand column x and 2.5·sd(y) for an intercept, which with slopes beside it in its term lies at their
    origin: √((2.5·sd(y))² + Σₓ sₓ²·mean(x)²); sigma half-t(4, sd(y)) where it is free; cor LKJ(2); of the
    residual's own parameters what each structure says. Standard deviations divide by n.
    """
    spread = design.scales.y_sd or 1.0  # a constant response is possible when sigma is known
    table: dict[str, Prior] = {beta_label(coef): Flat() for coef in design.coefs}
    blocks: list[PriorBlock] = []
    sizes: dict[str, float] = {}
    for number, block in enumerate(design.blocks):
        correlated = bool(design.covariance.block_pairs(number))
        names = design.covariance.sd_names(number)
        blocks.append(PriorBlock(block.group, names, correlated))
        own = dict(zip(blocks[-1].labels, _scales(design, number, spread), strict=True))
        sizes |= own
        table |= {label: HalfNormal(size) for label, size in own.items()}
        table |= {group_label("cor", block.group): LKJ(2.0)} if correlated else {}
    slots = {slot.label: slot for part in design.residual.parts for own in part.slots(spread) for slot in own}
    families = Prior.kinds()
    table |= {label: families[slot.usual.family](*slot.usual.numbers) for label, slot in slots.items()}
    if design.residual.sigma_free:
        sizes[SIGMA] = spread
        table[SIGMA] = HalfStudentT(4.0, spread)
    return Priors(design.coefs, tuple(blocks), table, sizes, Tails(design), slots)


def _scales(design: "Design", number: int, spread: float) -> Iterator[float]:
    """Scale of each free sd of a block; of a shared one the mean over its coefs."""
    sizes = design.scales.columns[number]
    scales, first = [], 0
    for structure in design.blocks[number].structures:
        own = slice(first, first := first + structure.k)
        scales.append(scales_of_term(sizes.mean[own], sizes.sd[own], spread))
    owner = np.array(design.covariance.sd_of_coef(number))
    return (float(np.mean(np.concatenate(scales)[owner == place])) for place in range(owner[-1] + 1))


def scales_of_term(mean: Array, sd: Array, spread: float) -> Array:
    """Scales of the sds of a term's coefs, from means and sds of their columns; a constant's sd is 0."""
    varies = sd > 0
    slope = 2.5 * spread / np.where(varies, sd, np.inf)
    intercept = np.hypot(2.5 * spread, np.linalg.norm(slope * mean)) / np.where(varies, 1, np.abs(mean))
    return np.where(varies, slope, intercept)
