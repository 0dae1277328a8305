"""Priors written for Bambi or PyMC as records."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from bayeslmm.errors import PriorError, nearest
from bayeslmm.spec.design import Design
from bayeslmm.spec.priors import Prior, Priors, preset


class _Asked(dict[str, float]):
    """Arguments that remember which of them were asked for."""

    def __init__(self, arguments: Mapping[str, float]) -> None:
        super().__init__(arguments)
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> float:
        self.asked.add(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self.asked.add(name)
        return super().get(name, default)


def replaced(design: Design, priors: Priors, given: Any) -> Priors:
    """These priors with those that a user gives: by name, as `as_prior` reads them, or by a preset's word.

    Raises
    ------
    PriorError
        For something else, a parameter the model doesn't have, or a family that doesn't fit it.
    """
    if isinstance(given, str):
        return preset(design, priors, given)
    if not isinstance(given, Mapping):
        raise PriorError(
            "priors are given by what they are of, {'sd': bayeslmm.HalfNormal(1)}, or by a word, 'weak', not "
            f"as a {type(given).__name__}"
        )
    return priors.replace({name: as_prior(prior) for name, prior in given.items()})


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
        if getattr(given, "dist", None) is not None:
            raise PriorError(f"the prior {given.name!r} has a density of its own, dist=; give a known family")
        return _record(str(given.name), given.args, element)
    if getattr(given, "owner", None) is not None:
        return _of_variable(given, element)
    raise PriorError(
        f"{given!r} is no prior; give a record such as {_example(given)}, a bambi.Prior, "
        "or a PyMC distribution such as pm.Normal.dist(0, 10)"
    )


def _example(given: Any) -> str:
    """A record to write: for text such as brms's "normal(0, 5)" of the family that it names."""
    known = Prior.kinds()
    word = str(given).partition("(")[0].replace("_", "") if isinstance(given, str) else ""
    family = known.get(nearest(word, known) or "")
    if family is None:
        return "bayeslmm.Normal(0, 10)"
    return f"bayeslmm.{family.__name__}({', '.join(each.name for each in fields(family))})"


def _record(name: str, arguments: Mapping[str, Any], element: int) -> Prior:
    family = _family(name)
    plain = _Asked({key: _number(name, key, value, element) for key, value in arguments.items()})
    try:
        record = family.read(name, plain)
    except KeyError as missing:
        raise PriorError(f"the prior {name} needs the argument {missing}, it has {list(plain)}") from None
    if plain.keys() - plain.asked:
        raise PriorError(
            f"the prior {name} has the arguments {', '.join(plain)}; {', '.join(plain.keys() - plain.asked)} "
            "can't be stated here"
        )
    return record


def _family(name: str) -> type[Prior]:
    """The family that reads PyMC's distribution of this name."""
    readers = {known: family for family in Prior.kinds().values() for known in family.variables}
    if name not in readers:
        raise PriorError(
            f"a prior of the family {name!r} isn't known here; there are {', '.join(sorted(readers))}"
        )
    return readers[name]


def _number(name: str, key: str, value: Any, element: int) -> float:
    if hasattr(value, "name") and hasattr(value, "args"):
        raise PriorError(f"the prior {name} has a prior for its {key}, {value}; here it must be a number")
    try:
        values = np.ravel(np.asarray(value, dtype=float))
        return float(values[element if len(values) > 1 else 0])
    except (TypeError, ValueError, IndexError):
        raise PriorError(f"the prior {name} has {value!r} for its {key}; give a number") from None


def _of_variable(variable: Any, element: int) -> Prior:
    """A PyMC variable made by ``.dist``: its operation names the family and knows its parameters."""
    operation = variable.owner.op
    name = _distribution(type(operation))
    values = [parameter.eval() for parameter in operation.dist_params(variable.owner)]
    named = dict(zip(_family(name).variables[name], values, strict=True))
    if None in named and np.any(named.pop(None) != 0):
        raise PriorError(f"a {name} prior starts at 0; this one is moved")
    return _record(name, {key: value for key, value in named.items() if key is not None}, element)


def _distribution(operation: type[Any]) -> str:
    """PyMC's name of the distribution of an operation, where a family reads it; else the operation's."""
    import pymc as pm

    known = (name for family in Prior.kinds().values() for name in family.variables)
    own = (name for name in known if getattr(getattr(pm, name, None), "rv_type", None) is operation)
    return next(own, operation.__name__.removesuffix("RV"))


def to_bambi_prior(priors: Sequence[Prior], positive: bool = False) -> Any:
    """A ``bambi.Prior`` of one or several parameters of the same family.

    Parameters
    ----------
    positive : standard deviations, where a flat prior begins at 0.

    Raises
    ------
    PriorError
        When the families differ: Bambi has one family a term.
    """
    import bambi

    stated = [prior.stated(positive) for prior in priors]
    if len({each.name for each in stated}) > 1:
        raise PriorError(
            f"Bambi gives a term one family of priors, here are {', '.join(map(str, priors))}; give them one"
        )
    arguments = {key: [each.arguments[key] for each in stated] for key in stated[0].arguments}
    plain = {key: np.array(values) if len(stated) > 1 else values[0] for key, values in arguments.items()}
    return bambi.Prior(stated[0].name, **plain)
