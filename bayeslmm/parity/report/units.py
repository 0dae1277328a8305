"""What an axis measures, in the words of the data."""

from bayeslmm.spec.labels import kind_of


def unit_of(label: str, response: str) -> str:
    """The unit of an estimand: the response's, of a number's slope per unit of it; a correlation has none."""
    kind = kind_of(label)
    if kind == "cor":
        return "correlation"
    if kind not in ("beta", "sd", "sigma", "ranef") or not response:
        return ""
    coef = coef_of(label)
    plain = coef in ("", "Intercept") or "[" in coef
    return response if plain else f"{response} per unit of {coef}"


def coef_of(label: str) -> str:
    """The coefficient that a label speaks of; nothing for sigma and for what all coefs of a group share."""
    inside = label.partition("[")[2].removesuffix("]")
    return inside if kind_of(label) == "beta" else inside.rpartition(": ")[2] if ": " in inside else ""
