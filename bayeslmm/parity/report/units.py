"""What an axis measures, in the words of the data."""

from bayeslmm.parity.comparison import Comparison
from bayeslmm.spec.labels import kind_of

IN_UNITS = ("beta", "sd", "sigma", "ranef", "combination")  # of the response, slopes' over the covariate's


def unit_of(label: str, parity: Comparison) -> str:
    """The unit of an estimand: the response's, of a number's slope per unit of it."""
    unit, coef = kind_unit(str(parity.verdicts.frame["kind"][label]), parity.response), coef_of(label)
    plain = coef in ("", "Intercept") or "[" in coef or label in _of_residual(parity)
    return unit if plain or unit != parity.response else f"{unit} per unit of {coef}"


def kind_unit(kind: str, response: str) -> str:
    """The unit that estimands of a kind have, covariates aside."""
    if kind in IN_UNITS:
        return response
    return "correlation" if kind == "cor" else ""


def coef_of(label: str) -> str:
    """The coefficient that a label speaks of; nothing for what has none and what all of a group share."""
    inside = label.partition("[")[2].removesuffix("]")
    return inside if kind_of(label) == "beta" else inside.rpartition(": ")[2] if ": " in inside else ""


def _of_residual(parity: Comparison) -> tuple[str, ...]:
    design = parity.sides.find("design")
    return () if design is None else design.residual.labels
