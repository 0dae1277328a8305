"""The priors of a model nobody gave priors to."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from bayeslmm.spec.labels import SIGMA, beta_label, group_label

from .base import Prior
from .flat import Flat
from .half_normal import HalfNormal
from .half_student_t import HalfStudentT
from .lkj import LKJ
from .table import PriorBlock, Priors

if TYPE_CHECKING:
    from bayeslmm.spec.design import Design, MeanSd


def default_priors(design: "Design") -> Priors:
    """The priors of a model nobody gave priors to.

    beta flat, so that the posterior is REML's twin; sd half-normal with Bambi's scale, 2.5·sd(y)/sd(z) for a
    left-hand column z and for a constant one √((2.5·sd(y))² + Σₖ sₖ²·mean(xₖ)²) over the fixed slopes,
    sₖ being 2.5·sd(y)/sd(xₖ); sigma half-t(4, sd(y)) where it is free; cor LKJ(2). Standard deviations divide
    by n.
    """
    spread = design.scales.y_sd or 1.0  # a constant response is possible when sigma is known
    table: dict[str, Prior] = {beta_label(coef): Flat() for coef in design.coefs}
    blocks = []
    for number, block in enumerate(design.blocks):
        correlated = bool(design.covariance.block_pairs(number))
        names = design.covariance.sd_names(number)
        blocks.append(PriorBlock(block.group, names, block.n_levels, correlated))
        scales = _scales(design, number, spread)
        table |= {label: HalfNormal(s) for label, s in zip(blocks[-1].labels, scales, strict=True)}
        table |= {group_label("cor", block.group): LKJ(2.0)} if correlated else {}
    table |= {SIGMA: HalfStudentT(4.0, spread)} if design.residual.sigma_free else {}
    return Priors(design.coefs, tuple(blocks), table)


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
