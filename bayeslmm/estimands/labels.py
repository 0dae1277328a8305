"""The names of estimands: one spelling for every table, plot and graph coordinate.

``beta[Days]``, ``sd[Subject: Days]``, ``cor[Subject: Intercept, Days]``, ``sigma``,
``ranef[Subject=308: Days]``.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bayeslmm.spec.design import Design

SIGMA = "sigma"
KINDS = ("beta", "sd", "cor", "sigma", "ranef")


def beta_label(coef: str) -> str:
    """Label of a fixed effect."""
    return f"beta[{coef}]"


def sd_label(group: str, coef: str) -> str:
    """Label of the standard deviation of a random effect (absolute, in the response's units)."""
    return f"sd[{group}: {coef}]"


def cor_label(group: str, a: str, b: str) -> str:
    """Label of the correlation between two random effects of a group."""
    return f"cor[{group}: {a}, {b}]"


def ranef_label(group: str, level: object, coef: str) -> str:
    """Label of one level's random effect."""
    return f"ranef[{group}={level}: {coef}]"


def kind_of(label: str) -> str:
    """Kind of an estimand, read off its label: ``"sd[Subject: Days]"`` is an ``"sd"``."""
    return label.partition("[")[0]


def beta_labels(design: "Design") -> tuple[str, ...]:
    """Labels of the p fixed effects, in the order of X's columns."""
    return tuple(beta_label(coef) for coef in design.coefs)


def sd_labels(design: "Design") -> tuple[str, ...]:
    """Labels of the standard deviations: block by block, coefs in order."""
    return tuple(sd_label(block.group, coef) for block in design.blocks for coef in block.coefs)


def cor_labels(design: "Design") -> tuple[str, ...]:
    """Labels of the free correlations: block by block, pairs in order (none across bars)."""
    return tuple(
        cor_label(block.group, block.coefs[i], block.coefs[j])
        for number, block in enumerate(design.blocks)
        for i, j in design.covariance.block_pairs(number)
    )


def parameter_labels(design: "Design", sigma_known: bool = False) -> tuple[str, ...]:
    """Labels of all parameters: beta, sd, cor, sigma (left out where sigma is known)."""
    ends = () if sigma_known else (SIGMA,)
    return beta_labels(design) + sd_labels(design) + cor_labels(design) + ends


def ranef_labels(design: "Design") -> tuple[str, ...]:
    """Labels of the q random effects: block by block, level by level, coef fastest (the order of b)."""
    return tuple(
        ranef_label(block.group, level, coef)
        for block in design.blocks
        for level in block.levels
        for coef in block.coefs
    )
