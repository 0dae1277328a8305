"""The names of estimands: one spelling for every table, plot and graph coordinate.

``beta[Days]``, ``sd[Subject: Days]``, ``cor[Subject: Intercept, Days]``, ``sigma``,
``ranef[Subject=308: Days]``. What all coefs of a group share is ``sd[Subject]`` or
``cor[Subject]``.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .design import Design

SIGMA = "sigma"
PARAMETERS = ("beta", "sd", "cor", "phi", "delta", "nugget", "sigma")
KINDS = (*PARAMETERS, "ranef")


def beta_label(coef: str) -> str:
    """Label of a fixed effect."""
    return f"beta[{coef}]"


def group_label(kind: str, group: str, name: str = "") -> str:
    """Label of a group's standard deviation or correlation; without a name, of what all its coefs share."""
    return f"{kind}[{group}: {name}]" if name else f"{kind}[{group}]"


def icc_label(group: str) -> str:
    """Label of a group's intraclass correlation."""
    return f"icc[{group}]"


def ranef_label(group: str, level: object, coef: str) -> str:
    """Label of one level's random effect."""
    return f"ranef[{group}={level}: {coef}]"


def kind_of(label: str) -> str:
    """Kind of an estimand, read off its label: ``"sd[Subject: Days]"`` is an ``"sd"``."""
    return label.partition("[")[0]


def beta_labels(design: "Design") -> tuple[str, ...]:
    """Labels of the p fixed effects, in the order of X's columns."""
    return tuple(beta_label(coef) for coef in design.coefs)


def sd_labels_of(design: "Design", number: int) -> tuple[str, ...]:
    """Labels of the free standard deviations of one block."""
    group = design.blocks[number].group
    return tuple(group_label("sd", group, name) for name in design.covariance.sd_names(number))


def cor_labels_of(design: "Design", number: int) -> tuple[str, ...]:
    """Labels of the free correlations of one block."""
    group = design.blocks[number].group
    return tuple(group_label("cor", group, name) for name in design.covariance.cor_names(number))


def sd_labels(design: "Design") -> tuple[str, ...]:
    """Labels of the free standard deviations: block by block, coefs in order."""
    return tuple(label for number in range(len(design.blocks)) for label in sd_labels_of(design, number))


def cor_labels(design: "Design") -> tuple[str, ...]:
    """Labels of the free correlations: block by block, pairs in order (none across bars)."""
    return tuple(label for number in range(len(design.blocks)) for label in cor_labels_of(design, number))


def parameter_labels(design: "Design") -> tuple[str, ...]:
    """Labels of all parameters: beta, sd, cor, the residual's, sigma (left out where sigma is known)."""
    ends = (SIGMA,) if design.residual.sigma_free else ()
    return beta_labels(design) + sd_labels(design) + cor_labels(design) + design.residual.labels + ends


def ranef_labels(design: "Design") -> tuple[str, ...]:
    """Labels of the q random effects: block by block, level by level, coef fastest (the order of b)."""
    return tuple(
        ranef_label(block.group, level, coef)
        for block in design.blocks
        for level in block.levels
        for coef in block.coefs
    )
