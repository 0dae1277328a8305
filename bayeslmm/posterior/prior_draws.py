"""Draws from the priors, and of data from them."""

from functools import singledispatch

import numpy as np
from numpy.typing import NDArray

from bayeslmm.errors import PriorError
from bayeslmm.posterior.correlations import BlockCorrelation
from bayeslmm.posterior.parameters import Parameters
from bayeslmm.spec.design import Design
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
    Priors,
    StudentT,
)

type Array = NDArray[np.float64]


def draw_priors(design: Design, priors: Priors, n: int, rng: np.random.Generator) -> Parameters:
    """n independent draws of every parameter, β included.

    Raises
    ------
    PriorError
        When a prior is flat: it can't be drawn from.
    """
    flat = [label for label, prior in priors.table.items() if isinstance(prior, Flat)]
    if flat:
        raise PriorError(
            f"{', '.join(flat)}: a flat prior has no draws and no prior predictive; give a proper one, "
            'such as model.with_priors({"beta": bayeslmm.Normal(0, 100)})'
        )
    known = design.residual.sigma
    sigma = draw(priors.sigma, rng, n) if known is None else np.full(n, known)
    sd, z = {}, {}
    for block in design.blocks:
        sd[block.group] = _columns(priors.sd[block.group], rng, n)
        lkj = priors.cor[block.group]
        shapes = BlockCorrelation.of(block).shapes(lkj.eta) if lkj is not None else np.zeros(0)
        z[block.group] = 2 * rng.beta(shapes, shapes, (n, len(shapes))) - 1
    return Parameters(np.asarray(sigma, dtype=float), sd, z, _columns(priors.beta, rng, n))


def _columns(priors: tuple[Prior, ...], rng: np.random.Generator, n: int) -> Array:
    return np.array([draw(prior, rng, n) for prior in priors]).reshape(len(priors), n).T


@singledispatch
def draw(prior: Prior, rng: np.random.Generator, n: int) -> Array:
    """n draws from a proper prior of one parameter."""
    raise PriorError(f"{prior} has no draws")


@draw.register
def _(prior: Normal, rng: np.random.Generator, n: int) -> Array:
    return rng.normal(prior.mean, prior.sd, n)


@draw.register
def _(prior: StudentT, rng: np.random.Generator, n: int) -> Array:
    return prior.loc + prior.scale * rng.standard_t(prior.df, n)


@draw.register
def _(prior: Laplace, rng: np.random.Generator, n: int) -> Array:
    return rng.laplace(prior.loc, prior.scale, n)


@draw.register
def _(prior: HalfNormal, rng: np.random.Generator, n: int) -> Array:
    return prior.scale * np.abs(rng.standard_normal(n))


@draw.register
def _(prior: HalfStudentT, rng: np.random.Generator, n: int) -> Array:
    return prior.scale * np.abs(rng.standard_t(prior.df, n))


@draw.register
def _(prior: Exponential, rng: np.random.Generator, n: int) -> Array:
    return rng.exponential(prior.scale, n)


@draw.register
def _(prior: PenalizedComplexity, rng: np.random.Generator, n: int) -> Array:
    return draw(prior.exponential, rng, n)


@draw.register
def _(prior: Gamma, rng: np.random.Generator, n: int) -> Array:
    return rng.gamma(prior.shape, 1 / prior.rate, n)
