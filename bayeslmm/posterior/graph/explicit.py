"""The explicit graph: every random effect is a PyMC variable, and the likelihood is a plain normal.

Nothing of the kernel is used here, so the graph is an independent witness.
"""

from typing import Any

import numpy as np

from bayeslmm.errors import OptionError
from bayeslmm.posterior import names
from bayeslmm.posterior.graph.dense_residual import correlated_rows
from bayeslmm.posterior.graph.pymc_priors import vector_variable
from bayeslmm.posterior.graph.residual import Ratios
from bayeslmm.posterior.names import Tensor
from bayeslmm.spec.block import Block
from bayeslmm.spec.covariance import Entries
from bayeslmm.spec.design import Design
from bayeslmm.spec.priors import Priors


def explicit_likelihood(
    design: Design,
    priors: Priors,
    sigma: Tensor,
    factors: list[Entries],
    ratios: list[Ratios],
    centred: bool,
) -> None:
    """Add β, the random effects and y ~ N(Xβ + Zb + offset, σ²R) to the open model."""
    import pymc as pm

    mean = _fixed_part(design, priors)
    for block, factor in zip(design.blocks, factors, strict=True):
        b = _centred(block, factor) if centred else _spherical(block, factor)
        mean = mean + _random_part(block, b)
    if design.residual.parts:
        correlated_rows(design, ratios, sigma, mean)
        return
    response = pm.Data("response", design.y, dims=names.ROW)
    pm.Normal(names.RESPONSE, mean, _spread(design, sigma), observed=response, dims=names.ROW)


def _spread(design: Design, sigma: Tensor) -> Tensor:
    """Standard deviation of each row's residual, (n,) or one for all."""
    import pymc as pm

    R = design.residual
    return (
        sigma if R.is_identity else sigma * pm.Data("residual_spread", np.sqrt(R.variances()), dims=names.ROW)
    )


def _fixed_part(design: Design, priors: Priors) -> Any:
    """Xβ + offset; without an offset its shape is X's alone, so that other rows can be set."""
    import pymc as pm

    offset = pm.Data("offset", design.offset, dims=names.ROW) if np.any(design.offset) else 0.0
    if not design.p:
        return offset
    beta = vector_variable(names.BETA, priors.beta, names.COEF, design.coefs, positive=False)
    X = pm.Data("X", design.X, dims=(names.ROW, names.COEF))
    # an elementwise product: a matrix product costs twenty seconds of compilation
    return offset + (X * beta).sum(axis=-1)


def _spherical(block: Block, factor: Entries) -> Tensor:
    """b = Λu of every level, or (L ⊗ Λ)u, (J, k), with u standard normal."""
    import pymc as pm
    import pytensor.tensor as pt

    dims = _effect_dims(block)
    u = pm.Normal(names.spherical_name(block.group), 0.0, 1.0, dims=dims)
    if block.known is not None:
        u = pt.dot(pm.Data(f"known_{names.level_dim(block.group)}", block.known), u)
    columns = [sum(factor[i, j] * u[:, j] for j in range(i + 1) if (i, j) in factor) for i in range(block.k)]
    return pm.Deterministic(names.ranef_name(block.group), pt.stack(columns, axis=1), dims=dims)


def _centred(block: Block, factor: Entries) -> Tensor:
    """b of every level, (J, k), normal with covariance ΛΛᵀ."""
    import pymc as pm
    import pytensor.tensor as pt

    name, dims = names.ranef_name(block.group), _effect_dims(block)
    if block.known is not None:
        raise OptionError(
            f"the levels of {block.group!r} have a known covariance, which has no centred graph; "
            "leave centred=False"
        )
    if all(i == j for i, j in factor):
        return pm.Normal(name, 0.0, pt.stack([factor[i, i] for i in range(block.k)]), dims=dims)
    rows = [pt.stack([factor.get((i, j), pt.constant(0.0)) for j in range(block.k)]) for i in range(block.k)]
    return pm.MvNormal(name, np.zeros(block.k), chol=pt.stack(rows), dims=dims)


def _effect_dims(block: Block) -> tuple[str, str]:
    return names.level_dim(block.group), names.effect_dim(block.group)


def _random_part(block: Block, b: Tensor) -> Tensor:
    """Zb of one block, (n,)."""
    import pymc as pm

    group, (_, effect) = names.level_dim(block.group), _effect_dims(block)
    codes = pm.Data(f"codes_{group}", block.codes, dims=names.ROW)
    columns = pm.Data(f"columns_{group}", block.columns, dims=(names.ROW, effect))
    return (b[codes] * columns).sum(axis=-1)
