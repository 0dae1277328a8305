"""Natural parameters as the variables of graphs, and back."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayeslmm.posterior import names
from bayeslmm.posterior.correlations import BlockCorrelation
from bayeslmm.posterior.graph.pymc_priors import element_name
from bayeslmm.posterior.residual_values import residual_phi, residual_values
from bayeslmm.spec.design import Design

type Array = NDArray[np.float64]
type ByGroup = Mapping[str, ArrayLike]


class Natural(NamedTuple):
    """Natural parameters: sd (n_sd,), cor (n_pairs,) by group; beta (p,), None where integrated out.

    phi (n_phi,) is R's own.
    """

    sigma: float
    sd: dict[str, Array]
    cor: dict[str, Array]
    beta: Array | None
    phi: Array


def natural_values(
    design: Design,
    sigma: float,
    sd: ByGroup,
    cor: ByGroup,
    beta: ArrayLike | None = None,
    phi: ArrayLike = (),
) -> dict[str, Any]:
    """Values of all variables that a graph may have for them: vectors, and their elements one by one."""
    values: dict[str, Any] = {names.SIGMA: np.float64(sigma)}
    if beta is not None:
        values |= _with_elements(names.BETA, design.coefs, beta)
    for number, block in enumerate(design.blocks):
        values |= _with_elements(names.sd_name(block.group), names.sd_names(design, number), sd[block.group])
        z = BlockCorrelation.of(block).free(cor.get(block.group, ()))
        values[names.unit_name(block.group)] = (1 + z) / 2
    if design.residual.n_phi:
        own = residual_values(design, np.asarray(phi, dtype=float)[None], np.array([sigma]))
        values |= {name: each[0] for name, each in own.items()}
    return values


def natural_of(design: Design, values: Mapping[str, Any]) -> Natural:
    """Natural parameters of a graph's variables."""
    known, sd, cor = design.residual.sigma, {}, {}
    for number, block in enumerate(design.blocks):
        sd[block.group] = vector_of(values, names.sd_name(block.group), names.sd_names(design, number))
        z = 2 * np.asarray(values.get(names.unit_name(block.group), ())) - 1
        cor[block.group] = np.array(BlockCorrelation.of(block).pairs(list(z)))
    has_beta = design.p and any(name.partition("[")[0] == names.BETA for name in values)
    beta = vector_of(values, names.BETA, design.coefs) if has_beta else None
    sigma = float(values[names.SIGMA]) if known is None else known
    return Natural(sigma, sd, cor, beta, residual_phi(design, values, np.array([sigma]))[0])


def vector_of(values: Mapping[str, Any], name: str, coefs: Sequence[str]) -> Array:
    """A vector among the values of variables, whole or in elements."""
    if name in values:
        return np.asarray(values[name], dtype=float)
    return np.array([values[element_name(name, coef)] for coef in coefs], dtype=float)


def _with_elements(name: str, coefs: Sequence[str], values: ArrayLike) -> dict[str, Any]:
    vector = np.asarray(values, dtype=float)
    return {name: vector} | {
        element_name(name, coef): value for coef, value in zip(coefs, vector, strict=True)
    }
