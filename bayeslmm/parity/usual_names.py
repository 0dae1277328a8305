"""What Bambi, brms and PyMC usually call a parameter, and what it is called here."""

import re
from collections.abc import Iterable, Iterator

from bayeslmm.spec.labels import kind_of

_SIGMA = ("sigma", "sd_residual", "sigma_y", "sigma_e", "residual_sd")


def usual_names(found: Iterable[str], ours: Iterable[str]) -> dict[str, str]:
    """Labels found elsewhere that can only mean one of ours, each to that one.

    Parameters
    ----------
    found : as ArviZ labels elements, ``1|Subject[308]``.
    ours : labels of the other results.
    """
    meant: dict[str, set[str]] = {}
    for label in ours:
        for name in _names_of(label):
            meant.setdefault(_key(name), set()).add(label)
    asked = {name: meant.get(_key(name), set()) for name in found}
    return {name: next(iter(labels)) for name, labels in asked.items() if len(labels) == 1}


def _key(name: str) -> str:
    """Names that differ by spaces, quotes or case alone are one."""
    return re.sub(r"[\s'\"`]", "", name).lower()


def _names_of(label: str) -> Iterator[str]:
    yield label
    inside = label.partition("[")[2].removesuffix("]")
    kind = kind_of(label)
    if kind == "sigma":
        yield from _SIGMA
    elif kind == "beta":
        yield from _of_beta(inside)
    elif kind == "sd":
        yield from _of_sd(*_split(inside))
    elif kind == "cor":
        yield from _of_cor(*_split(inside))
    elif kind == "ranef":
        yield from _of_ranef(*_split(inside))


def _split(inside: str) -> tuple[str, str]:
    group, _, coef = inside.partition(": ")
    return group, coef


def _factor_level(coef: str) -> tuple[str, str] | None:
    """``f[T.b]`` as ("f", "b"), one factor's own column."""
    found = re.fullmatch(r"([^\[\]]+)\[(?:T\.|S\.)?([^\[\]]+)\]", coef)
    return (found[1], found[2]) if found else None


def _brms(coef: str) -> str:
    """brms joins a factor and its level, and drops what isn't a letter or digit."""
    level = _factor_level(coef)
    return re.sub(r"[^\w]", "", "".join(level) if level else coef.replace(":", "__COLON__")).replace(
        "__COLON__", ":"
    )


def _of_beta(coef: str) -> Iterator[str]:
    yield coef  # Bambi, PyMC
    yield f"beta_{coef}"
    yield f"beta[{coef}]"
    yield f"b_{_brms(coef)}"  # brms
    if coef == "Intercept":
        yield from ("intercept", "alpha", "(Intercept)", "b_Intercept")
    if level := _factor_level(coef):
        factor, value = level
        yield from (f"{factor}[{value}]", f"{factor}{value}")


def _of_sd(group: str, coef: str) -> Iterator[str]:
    own = "1" if coef == "Intercept" else coef
    yield f"{own}|{group}_sigma"  # Bambi
    yield f"sd_{group}__{_brms(coef)}"  # brms
    yield f"sd_{group}[{coef}]"  # the variables of this package
    yield f"sd({coef})|{group}"
    if coef == "Intercept":
        yield from (f"sigma_{group}", f"sd_{group}", f"tau_{group}", f"{group}_sigma", f"{group}_sd")
    if level := _factor_level(coef):
        factor, value = level
        yield f"{factor}|{group}_sigma[{value}]"


def _of_cor(group: str, pair: str) -> Iterator[str]:
    one, _, other = pair.partition(", ")
    yield f"cor_{group}__{_brms(one)}__{_brms(other)}"  # brms
    yield f"cor_{group}__{_brms(other)}__{_brms(one)}"
    yield f"cor_{group}[{pair}]"


def _of_ranef(group_and_level: str, coef: str) -> Iterator[str]:
    group, _, level = group_and_level.partition("=")
    own = "1" if coef == "Intercept" else coef
    yield f"{own}|{group}[{level}]"  # Bambi
    yield f"r_{group}[{level},{_brms(coef)}]"  # brms
    yield f"ranef_{group}[{level},{coef}]"
    if factor_level := _factor_level(coef):
        factor, value = factor_level
        yield f"{factor}|{group}[{level},{value}]"
        yield f"{factor}|{group}[{value},{level}]"
