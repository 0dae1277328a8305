"""Calls of R's `lme` and `gls`, read as models here: formula, random part, correlation, variance."""

import re
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from bayeslmm.spec.residual import CorrelationStructure, VarianceFunction

CORRELATIONS = {
    "corAR1": "AR1",
    "corCAR1": "CAR1",
    "corARMA": "ARMA",
    "corCompSymm": "CompoundSymmetry",
    "corSymm": "Unstructured",
    "corExp": "Exponential",
    "corGaus": "Gaussian",
    "corLin": "Linear",
    "corRatio": "RationalQuadratic",
    "corSpher": "Spherical",
}
VARIANCES = {
    "varIdent": "Ident",
    "varFixed": "Fixed",
    "varPower": "Power",
    "varExp": "Exp",
    "varConstPower": "ConstantPower",
}
RANDOM = {"pdDiag": "diag", "pdCompSymm": "homcs", "pdSymm": "us", "pdIdent": "homdiag"}


@dataclass
class Call:
    """A call of R: its name, unnamed arguments in order, named ones."""

    name: str
    unnamed: list[str] = field(default_factory=list)
    named: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str) -> "Call":
        name, _, inside = text.strip().partition("(")
        return cls.of_arguments(name, inside.rsplit(")", 1)[0])

    @classmethod
    def of_arguments(cls, name: str, inside: str) -> "Call":
        call = cls(name)
        for argument in split(inside):
            word = re.match(r"\s*([\w.]+)\s*=(?!=)\s*(.*)", argument, re.DOTALL)
            if word:
                call.named[word[1]] = word[2].strip()
            elif argument.strip():
                call.unnamed.append(argument.strip())
        return call


def split(text: str) -> list[str]:
    """At the commas outside of parentheses."""
    parts, depth, last = [], 0, 0
    for place, sign in enumerate(text):
        depth += (sign == "(") - (sign == ")")
        if sign == "," and not depth:
            parts.append(text[last:place])
            last = place + 1
    return [*parts, text[last:]]


@dataclass(frozen=True)
class Model:
    """What a call asks for, in the words of this package."""

    formula: str
    correlation: Any = None
    variance: Any = None


def model_of(arguments: str) -> Model:
    """The model of a call's arguments."""
    call = Call.of_arguments("", arguments)
    bars, innermost = random_part(call.named.get("random"))
    correlation = call.named.get("correlation")
    weights = call.named.get("weights")
    return Model(
        " + ".join([expression(call.unnamed[0]), *bars]),
        correlation and correlation_of(Call.read(correlation), innermost),
        weights and variance_of(weights),
    )


def expression(text: str) -> str:
    """R's expressions in ours."""
    return re.sub(r"\bpi\b", "3.141592653589793", text)


def random_part(text: str | None) -> tuple[list[str], str | None]:
    """Bars, and the innermost group."""
    if text is None:
        return [], None
    if not text.startswith("list"):
        left, group = text.lstrip("~ ").split("|")
        return [f"({expression(left)} | {group})"], group.strip().replace("/", ":")
    bars, outer = [], []
    for group, given in Call.read(text).named.items():
        outer.append(group)
        keyword, left = ("", given) if given.startswith("~") else read_pd(given)
        bars.append(f"{keyword}({expression(left.lstrip('~ '))} | {':'.join(outer)})")
    return bars, ":".join(outer)


def read_pd(text: str) -> tuple[str, str]:
    call = Call.read(text)
    left = (call.named.get("form") or call.unnamed[-1]).lstrip("~ ")
    return RANDOM[call.name], left


def form_of(call: Call) -> str:
    given = call.named.get("form") or next((each for each in call.unnamed if each.startswith("~")), "~ 1")
    return given.lstrip("~ ")


def correlation_of(call: Call, innermost: str | None) -> CorrelationStructure:
    form = form_of(call)
    if "|" not in form and innermost:
        form = f"{form} | {innermost}"
    orders = {name: int(call.named[name]) for name in "pq" if name in call.named}
    nugget = {"nugget": True} if call.named.get("nugget") in ("TRUE", "T") else {}
    return CorrelationStructure.kind(CORRELATIONS[call.name])(form, **orders, **nugget)


def variance_of(text: str) -> Any:
    call = Call.read(text)
    if call.name == "varComb":
        first, *others = map(variance_of, call.unnamed)
        for other in others:
            first = first * other
        return first
    left, _, group = form_of(call).partition("|")
    kind = VarianceFunction.kind(VARIANCES[call.name])
    if call.name == "varIdent":
        return kind(group.strip().replace("*", ":"))
    if left.strip() in ("1", "fitted(.)"):
        return kind(of="fitted")
    return kind(left.strip(), by=group.strip() or None)


def weights_by_level(variance: dict[str, Any]) -> dict[str, float]:
    """Relative standard deviations by level of a reference's varIdent, alone or in a product."""
    values = variance["parameters_natural_scale"]
    return {name.partition(".")[2] if "." in name else name: value for name, value in values.items()}


def frame_of(data: pd.DataFrame, transforms: list[dict[str, str]]) -> pd.DataFrame:
    """The data with the columns the reference adds."""
    for step in transforms:
        data[step["column"]] = data.eval(step["r_expression"].replace("%%", "%"))
    return data
