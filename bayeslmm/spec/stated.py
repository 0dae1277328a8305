"""A model as plain values that a file can hold, and back: data, never code."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from bayeslmm.errors import OptionError, check_choice

from .model_spec import ModelSpec
from .priors import Prior, Priors

FAMILY = "family"
ARGUMENTS = ("weights", "offset", "contrasts", "sigma", "missing")


def stated(spec: ModelSpec, priors: Priors) -> dict[str, Any]:
    """What states a model but for its data.

    Keys: the arguments of `LinearMixedModel`, priors by label as their family and its parameters, and
    `values`, the names of arguments that were arrays or functions, which aren't written down.
    """
    given = {name: getattr(spec, name) for name in ARGUMENTS}
    values = [name for name, value in given.items() if not _is_plain(value)]
    values += [name for name in ("covariance", "functions", "correlation", "variance") if getattr(spec, name)]
    plain = {name: value for name, value in given.items() if name not in values}
    by_label = {label: {FAMILY: type(each).__name__} | asdict(each) for label, each in priors.table.items()}
    return {"formula": spec.formula, **plain, "priors": by_label, "values": values}


def restated(found: Any) -> tuple[dict[str, Any], dict[str, Prior]]:
    """Arguments of `LinearMixedModel`, data aside, and priors of what `stated` gave.

    Raises
    ------
    OptionError
        For anything else, and for a model with arguments that weren't written down.
    """
    if not (isinstance(found, Mapping) and {"formula", "priors", "values"} <= set(found)):
        raise OptionError("this manifest holds no model: it wasn't written by a whole run, `parity`")
    if found["values"]:
        missing = ", ".join(map(str, found["values"]))
        raise OptionError(
            f"the model's {missing} came as values or code, which a manifest doesn't hold; build the model "
            "as before and call its parity()"
        )
    arguments = {name: found[name] for name in ("formula", *ARGUMENTS) if name in found}
    return arguments, {str(label): _prior(label, each) for label, each in dict(found["priors"]).items()}


def _is_plain(value: Any) -> bool:
    """Whether text, a number, nothing, or such by name."""
    if isinstance(value, Mapping):
        return all(map(_is_plain, value.values()))
    return value is None or isinstance(value, str | bool | int | float)


def _prior(label: str, found: Any) -> Prior:
    if not (isinstance(found, Mapping) and FAMILY in found):
        raise OptionError(f"the prior of {label!r} is {str(found)[:80]!r}, not a family with its parameters")
    families = Prior.kinds()
    family = families[check_choice(f"prior family of {label!r}:", found[FAMILY], families)]
    try:
        return family(**{str(name): float(value) for name, value in found.items() if name != FAMILY})
    except (TypeError, ValueError) as error:
        raise OptionError(f"the prior of {label!r} can't be read: {error}") from None
