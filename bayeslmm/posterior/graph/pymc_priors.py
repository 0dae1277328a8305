"""Prior records as PyMC distributions: the one place that knows both names."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from bayeslmm.posterior.names import Tensor
from bayeslmm.spec.priors import (
    Exponential,
    Flat,
    Gamma,
    HalfNormal,
    HalfStudentT,
    Laplace,
    Normal,
    PenalizedComplexity,
    Prior,
    StudentT,
)

# PyMC distribution, and its keyword for each field of the record
_DISTRIBUTIONS: dict[type[Prior], tuple[str, dict[str, str]]] = {
    Normal: ("Normal", {"mu": "mean", "sigma": "sd"}),
    StudentT: ("StudentT", {"nu": "df", "mu": "loc", "sigma": "scale"}),
    Laplace: ("Laplace", {"mu": "loc", "b": "scale"}),
    HalfNormal: ("HalfNormal", {"sigma": "scale"}),
    HalfStudentT: ("HalfStudentT", {"nu": "df", "sigma": "scale"}),
    Exponential: ("Exponential", {"scale": "scale"}),
    Gamma: ("Gamma", {"alpha": "shape", "beta": "rate"}),
}

# of the families that fall off faster than any power: where they begin to
_SCALES: dict[type[Prior], Callable[[Any], float]] = {
    HalfNormal: lambda prior: prior.scale,
    Exponential: lambda prior: prior.scale,
    Gamma: lambda prior: prior.shape / prior.rate,
}


def scalar_variable(name: str, prior: Prior, positive: bool) -> Tensor:
    """One parameter under its prior."""
    distribution, keywords = stated(prior, positive)
    fields = {keyword: getattr(plain_prior(prior), field) for keyword, field in keywords.items()}
    return _create(distribution, name, **fields, **_coordinate([plain_prior(prior)], positive, ()))


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
    if len({type(plain_prior(prior)) for prior in priors}) > 1:
        return _stacked(name, priors, dim, coefs, positive)
    plain = [plain_prior(prior) for prior in priors]
    distribution, keywords = stated(plain[0], positive)
    fields = {
        keyword: np.array([getattr(prior, field) for prior in plain]) for keyword, field in keywords.items()
    }
    return _create(distribution, name, **fields, **_coordinate(plain, positive, (len(plain),)), dims=dim)


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


def plain_prior(prior: Prior) -> Prior:
    """The prior as a family that PyMC has."""
    return prior.exponential if isinstance(prior, PenalizedComplexity) else prior


def stated(prior: Prior, positive: bool) -> tuple[str, dict[str, str]]:
    """PyMC's name of a family, and the field of the record for each of its keywords."""
    if isinstance(prior, Flat):
        return ("HalfFlat" if positive else "Flat"), {}
    return _DISTRIBUTIONS[type(plain_prior(prior))]


def _coordinate(priors: Sequence[Prior], positive: bool, shape: tuple[int, ...]) -> dict[str, Any]:
    """The coordinate of standard deviations under priors of one family; PyMC's own, log, unless said."""
    from bayeslmm.posterior.graph.transforms import ScaledSoftPlus

    scale = _SCALES.get(type(priors[0])) if positive else None
    if scale is None:
        return {}
    return {"default_transform": ScaledSoftPlus(np.reshape([scale(prior) for prior in priors], shape))}


def _create(distribution: str, name: str, **fields: Any) -> Tensor:
    import pymc as pm

    return getattr(pm, distribution)(name, **fields)
