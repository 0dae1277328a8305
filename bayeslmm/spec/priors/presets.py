"""Presets by a word: "weak" makes every prior proper, in the data's units."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

import numpy as np

from bayeslmm.errors import check_choice
from bayeslmm.spec.labels import beta_label

from .base import Prior
from .defaults import default_priors, scales_of_term
from .normal import Normal
from .table import Priors

if TYPE_CHECKING:
    from bayeslmm.spec.design import Design

type Preset = Literal["weak"]


def preset(design: "Design", priors: Priors, word: str | None) -> Priors:
    """The priors that a word makes of these; None leaves them as they are.

    Raises
    ------
    OptionError
        For an unknown word.
    """
    return priors if word is None else PRESETS[check_choice("priors", word, PRESETS)](design, priors)


def weak_priors(design: "Design", priors: Priors) -> Priors:
    """These priors with the flat ones replaced.

    A slope's becomes normal(0, 2.5·sd(y)/sd(x)); an intercept's is normal around mean(y) with scale
    2.5·sd(y), and more where covariates lie far from 0, as for a random intercept; a flat prior of a standard
    deviation becomes the default one. Standard deviations divide by n.
    """
    proper = {**default_priors(design).table, **dict(_of_beta(design))}
    flat = {label: proper[label] for label, prior in priors.table.items() if not prior.proper}
    return priors.replace(flat)


def _of_beta(design: "Design") -> Iterator[tuple[str, Prior]]:
    sizes = design.scales.X
    scales = scales_of_term(sizes.mean, sizes.sd, design.scales.y_sd or 1.0)
    level = float(np.mean(design.y - design.offset))
    columns = zip(design.coefs, sizes.mean, sizes.sd, scales, strict=True)
    for coef, mean, sd, scale in columns:
        yield beta_label(coef), Normal(0.0 if sd > 0 else level / float(mean), float(scale))


PRESETS = {"weak": weak_priors}
