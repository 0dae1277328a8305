"""Draws as the free variables of a graph, so that PyMC's own functions can go on from them."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayeslmm.posterior import names
from bayeslmm.posterior.correlations import BlockCorrelation
from bayeslmm.posterior.graph.pymc_priors import element_name
from bayeslmm.posterior.parameters import Parameters
from bayeslmm.posterior.residual_values import residual_values
from bayeslmm.posterior.summary.tree import Draws, dataset, posterior_variables
from bayeslmm.spec.block import Block
from bayeslmm.spec.design import Design

if TYPE_CHECKING:
    import pymc as pm
    from xarray import Dataset

type Array = NDArray[np.float64]


def free_variables(model: "pm.Model", design: Design, draws: Draws) -> "Dataset":
    """The variables that a graph of the design samples, and no others, (chain, draw, ...)."""
    values = posterior_variables(design, draws)
    values |= dict(_elements(design, values)) | dict(_units(design, draws)) | dict(_spherical(design, draws))
    by_dim = names.dims(design)
    for block in design.blocks:
        by_dim[names.spherical_name(block.group)] = by_dim[names.ranef_name(block.group)]
        by_dim[names.unit_name(block.group)] = [names.pair_dim(block.group)]
    values |= _of_residual(design, draws)
    free = {rv.name: values[rv.name] for rv in model.free_RVs}
    return dataset(free, by_dim, names.coords(design))


def _of_residual(design: Design, draws: Draws) -> dict[str, Array]:
    """The residual's own, one by one or as units."""
    chains = [residual_values(design, chain.phi, chain.sigma) for chain in draws.parameters]
    return {name: np.stack([chain[name] for chain in chains]) for name in chains[0]}


def _elements(design: Design, values: dict[str, Array]) -> Iterator[tuple[str, Array]]:
    """Vectors element by element, as graphs have them whose priors are of several families."""
    vectors = {names.BETA: list(design.coefs)}
    vectors |= {names.sd_name(b.group): names.sd_names(design, n) for n, b in enumerate(design.blocks)}
    for name, coefs in vectors.items():
        for place, coef in enumerate(coefs):
            yield element_name(name, coef), values[name][..., place]


def _units(design: Design, draws: Draws) -> Iterator[tuple[str, Array]]:
    """Free coordinates of the correlations on (0, 1)."""
    for block in design.blocks:
        z = np.stack([chain.z[block.group] for chain in draws.parameters])
        yield names.unit_name(block.group), (1 + z) / 2


def _spherical(design: Design, draws: Draws) -> Iterator[tuple[str, Array]]:
    """u of b = (L ⊗ Λ)u, (chains, draws, J, k); 0 where Λ leaves it free."""
    places = names.ranef_by_group(design.blocks)
    for block in design.blocks:
        name = names.ranef_name(block.group)
        chains = [
            _solved(block, parameters, b[:, places[name]])
            for parameters, b in zip(draws.parameters, draws.ranef, strict=True)
        ]
        yield names.spherical_name(block.group), np.stack(chains)


def _solved(block: Block, parameters: Parameters, b: Array) -> Array:
    """(m, J, k) from b (m, J·k)."""
    factor = np.zeros((len(b), block.k, block.k))
    sd, z = parameters.sd[block.group], parameters.z[block.group]
    for (i, j), value in BlockCorrelation.of(block).factor(list(sd.T), list(z.T)).items():
        factor[:, i, j] = value
    own = b.reshape(len(b), block.n_levels, block.k)
    if block.known is not None:
        own = np.linalg.solve(block.known, own)
    size = np.linalg.norm(factor, axis=2)[:, None, :]
    scaled = np.divide(own, size, out=np.zeros_like(own), where=size > 0)
    unit = np.divide(factor, size[:, 0, :, None], out=np.zeros_like(factor), where=size[:, 0, :, None] > 0)
    return np.asarray(scaled @ np.linalg.pinv(unit, rcond=1e-12).transpose(0, 2, 1))
