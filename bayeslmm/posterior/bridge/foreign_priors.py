"""Priors written for Bambi or PyMC as records."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from bayeslmm.errors import PriorError
from bayeslmm.spec.priors import (
    LKJ,
    Exponential,
    Flat,
    Gamma,
    HalfNormal,
    HalfStudentT,
    Laplace,
    Normal,
    Prior,
    StudentT,
)

type Arguments = Mapping[str, float]

# by the distribution's name in Bambi and PyMC, from its keyword arguments
_RECORDS: dict[str, Callable[[Arguments], Prior]] = {
    "Normal": lambda a: Normal(a.get("mu", 0.0), a["sigma"]),
    "StudentT": lambda a: StudentT(a["nu"], a.get("mu", 0.0), a["sigma"]),
    "Cauchy": lambda a: StudentT(1.0, a["alpha"], a["beta"]),
    "Laplace": lambda a: Laplace(a["mu"], a["b"]),
    "HalfNormal": lambda a: HalfNormal(a["sigma"]),
    "HalfStudentT": lambda a: HalfStudentT(a["nu"], a["sigma"]),
    "HalfCauchy": lambda a: HalfStudentT(1.0, a["beta"]),
    "Exponential": lambda a: Exponential(a["scale"] if "scale" in a else 1 / a["lam"]),
    "Gamma": lambda a: _gamma(a),
    "LKJCorr": lambda a: LKJ(a["eta"]),
    "Flat": lambda a: Flat(),
    "HalfFlat": lambda a: Flat(),
}

# of a PyMC variable: its parameters in order; None where one must be 0
_PYMC: dict[str, tuple[str | None, ...]] = {
    "Normal": ("mu", "sigma"),
    "StudentT": ("nu", "mu", "sigma"),
    "Cauchy": ("alpha", "beta"),
    "Laplace": ("mu", "b"),
    "HalfNormal": (None, "sigma"),
    "HalfStudentT": ("nu", "sigma"),
    "HalfCauchy": ("beta",),
    "Exponential": ("scale",),
    "Gamma": ("alpha", "scale"),
    "Flat": (),
    "HalfFlat": (),
}


def as_prior(given: Any, element: int = 0) -> Prior:
    """A prior record from a ``bambi.Prior`` or a PyMC distribution such as ``pm.Normal.dist(0, 1)``.

    Parameters
    ----------
    element : which element, where the arguments are arrays.

    Raises
    ------
    PriorError
        When it is neither, or a family there is no record for.
    """
    if isinstance(given, Prior):
        return given
    if hasattr(given, "name") and isinstance(getattr(given, "args", None), Mapping):
        return _record(str(given.name), given.args, element)
    if getattr(given, "owner", None) is not None:
        return _of_variable(given, element)
    raise PriorError(
        f"{given!r} is no prior; give a record such as bayeslmm.Normal(0, 10), a bambi.Prior, "
        "or a PyMC distribution such as pm.Normal.dist(0, 10)"
    )


def _record(name: str, arguments: Mapping[str, Any], element: int) -> Prior:
    make = _RECORDS.get(name)
    if make is None:
        raise PriorError(f"a prior of the family {name!r} isn't known here; there are {', '.join(_RECORDS)}")
    plain = {key: _number(value, element) for key, value in arguments.items()}
    try:
        return make(plain)
    except KeyError as missing:
        raise PriorError(f"the prior {name} needs the argument {missing}, it has {list(plain)}") from None


def _number(value: Any, element: int) -> float:
    values = np.ravel(np.asarray(value, dtype=float))
    return float(values[element if len(values) > 1 else 0])


def _of_variable(variable: Any, element: int) -> Prior:
    """A PyMC variable made by ``.dist``: its operation names the family and knows its parameters."""
    operation = variable.owner.op
    name = type(operation).__name__.removesuffix("RV")
    if name not in _PYMC:
        raise PriorError(
            f"a PyMC distribution {name!r} isn't known here; there are {', '.join(_PYMC)}. "
            "For correlations give bayeslmm.LKJ(eta)"
        )
    values = [parameter.eval() for parameter in operation.dist_params(variable.owner)]
    named = dict(zip(_PYMC[name], values, strict=True))
    if None in named and np.any(named.pop(None) != 0):
        raise PriorError(f"a {name} prior starts at 0; this one is moved")
    return _record(name, {key: value for key, value in named.items() if key is not None}, element)


def _gamma(arguments: Arguments) -> Prior:
    if "scale" in arguments:
        return Gamma(arguments["alpha"], 1 / arguments["scale"])
    if "mu" in arguments:
        rate = arguments["mu"] / arguments["sigma"] ** 2
        return Gamma(arguments["mu"] * rate, rate)
    return Gamma(arguments["alpha"], arguments["beta"])


def to_bambi_prior(priors: Sequence[Prior]) -> Any:
    """A ``bambi.Prior`` of one or several parameters of the same family.

    Raises
    ------
    PriorError
        When the families differ: Bambi has one family a term.
    """
    import bambi

    from bayeslmm.posterior.graph.pymc_priors import plain_prior, stated

    plain = [plain_prior(prior) for prior in priors]
    if len({type(prior) for prior in plain}) > 1:
        raise PriorError(
            f"Bambi gives a term one family of priors, here are {', '.join(map(str, priors))}; give them one"
        )
    name, keywords = stated(plain[0], positive=False)
    fields = {key: [getattr(prior, field) for prior in plain] for key, field in keywords.items()}
    arguments = {key: np.array(values) if len(plain) > 1 else values[0] for key, values in fields.items()}
    return bambi.Prior(name, **arguments)
