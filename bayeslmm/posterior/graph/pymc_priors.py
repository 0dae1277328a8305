"""Prior records as PyMC variables."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from bayeslmm.posterior.names import Tensor
from bayeslmm.spec.priors import Prior


def scalar_variable(name: str, prior: Prior, positive: bool) -> Tensor:
    """One parameter under its prior."""
    if prior.stretched is not None:
        return _stretched(name, prior, *prior.stretched)
    return _create(name, *prior.stated(positive), _wall(prior, positive))


def vector_variable(
    name: str, priors: Sequence[Prior], dim: str, coefs: Sequence[str], positive: bool
) -> Tensor:
    """A vector of parameters under priors of one family, or of several (then one variable per element).

    Parameters
    ----------
    priors : one per element.
    dim, coefs : name and coordinates of the dimension.
    positive : standard deviations; a flat prior starts at 0.
    """
    if len({_shape(prior, positive) for prior in priors}) > 1 or any(prior.stretched for prior in priors):
        return _stacked(name, priors, dim, coefs, positive)
    stated = [prior.stated(positive) for prior in priors]
    arguments = {
        keyword: np.array([each.arguments[keyword] for each in stated]) for keyword in stated[0].arguments
    }
    walls = [_wall(prior, positive) for prior in priors]
    return _create(name, stated[0].name, arguments, None if walls[0] is None else np.array(walls), dims=dim)


def element_name(name: str, coef: str) -> str:
    """Name of one element where the priors of a vector are of several families."""
    return f"{name}[{coef}]"


def _stacked(name: str, priors: Sequence[Prior], dim: str, coefs: Sequence[str], positive: bool) -> Tensor:
    import pymc as pm
    import pytensor.tensor as pt

    elements = [
        scalar_variable(element_name(name, coef), prior, positive)
        for coef, prior in zip(coefs, priors, strict=True)
    ]
    return pm.Deterministic(name, pt.stack(elements), dims=dim)


def _stretched(name: str, prior: Prior, start: float, length: float) -> Tensor:
    """A distribution on (0, 1) carried to (start, start + length)."""
    import pymc as pm
    from pymc.distributions.transforms import Interval

    stated = prior.stated(positive=False)
    keywords, values = zip(*stated.arguments.items(), strict=True)

    def carried(*given: Any) -> Tensor:
        arguments = dict(zip(keywords, given[:-1], strict=True))
        return start + length * getattr(pm, stated.name).dist(**arguments, size=given[-1])

    exact = [np.float64(value) for value in values]
    ends = Interval(np.float64(start), np.float64(start + length))
    return pm.CustomDist(name, *exact, dist=carried, default_transform=ends)


def _shape(prior: Prior, positive: bool) -> tuple[Any, ...]:
    """What priors of one vector variable have in common."""
    stated = prior.stated(positive)
    return stated.name, tuple(stated.arguments), _wall(prior, positive) is None


def _wall(prior: Prior, positive: bool) -> float | None:
    """The scale of the coordinate, where it isn't PyMC's own."""
    return prior.wall if positive else None


def _create(name: str, distribution: str, arguments: dict[str, Any], wall: Any, **dims: str) -> Tensor:
    import pymc as pm

    from bayeslmm.posterior.graph.transforms import ScaledSoftPlus

    exact = {keyword: np.asarray(value, dtype=np.float64) for keyword, value in arguments.items()}
    coordinate = {} if wall is None else {"default_transform": ScaledSoftPlus(np.asarray(wall))}
    return getattr(pm, distribution)(name, **exact, **coordinate, **dims)
