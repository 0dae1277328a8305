"""Draws of the parameters that aren't integrated out, and what follows from them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from bayeslmm.posterior import names
from bayeslmm.posterior.correlations import BlockCorrelation
from bayeslmm.spec.design import Design
from bayeslmm.spec.priors import Believed, Prior, Priors, log_correlations

if TYPE_CHECKING:
    from bayeslmm.kernel.kernel import Kernel

type Array = NDArray[np.float64]
type Index = NDArray[np.intp] | slice


@dataclass(frozen=True, slots=True, eq=False)
class Parameters:
    """m draws of (σ, sd, correlations), and of β where it was sampled.

    Attributes
    ----------
    sigma : (m,)
    sd : by group (m, n_sd), the free ones
    z : by group (m, n_free), free coordinates of the correlations (see `correlations`)
    beta : (m, p), or None where it is integrated out
    phi : (m, n_phi) of the residual, free of bounds
    """

    sigma: Array
    sd: dict[str, Array]
    z: dict[str, Array]
    beta: Array | None
    phi: Array

    def __len__(self) -> int:
        return len(self.sigma)

    def take(self, index: Index) -> Self:
        """Some of the draws."""
        beta = None if self.beta is None else self.beta[index]
        sd = {group: values[index] for group, values in self.sd.items()}
        z = {group: values[index] for group, values in self.z.items()}
        return type(self)(self.sigma[index], sd, z, beta, self.phi[index])


def joined(chains: Sequence[Parameters]) -> Parameters:
    """All draws, chain after chain."""
    first, beta = chains[0], [chain.beta for chain in chains if chain.beta is not None]
    return Parameters(
        stacked_sigma(chains),
        {group: np.concatenate([chain.sd[group] for chain in chains]) for group in first.sd},
        {group: np.concatenate([chain.z[group] for chain in chains]) for group in first.z},
        np.concatenate(beta) if beta else None,
        np.concatenate([chain.phi for chain in chains]),
    )


def over_phi(
    one: Callable[[Design, Index], tuple[Array, ...]], design: Design, phi: Array
) -> tuple[Array, ...]:
    """What `one` makes of the draws at each φ, in the order of all draws.

    Parameters
    ----------
    one : of the design at a φ, and which draws have it; arrays with a row a draw. phi : (m, n_phi).
    """
    if not design.residual.n_phi:
        return one(design, slice(None))
    return _in_turn(one, phi, partial(_designs, design))


def over_kernels(
    one: "Callable[[Kernel, Index], tuple[Array, ...]]", design: Design, phi: Array
) -> tuple[Array, ...]:
    """The same, of the kernel at each φ: for what asks no more of the design there."""
    if not design.residual.n_phi:
        return one(design.kernel, slice(None))
    return _in_turn(one, phi, partial(_kernels, design))


def over_values(one: Callable[[Array, Index], tuple[Array, ...]], phi: Array) -> tuple[Array, ...]:
    """The same, of φ itself: for what asks nothing of the design there."""
    return _in_turn(one, phi, iter) if phi.shape[1] else one(np.zeros(0), slice(None))


def _in_turn[T](
    one: Callable[[T, Index], tuple[Array, ...]], phi: Array, made: Callable[[Array], Iterable[T]]
) -> tuple[Array, ...]:
    """What `one` makes of what is made of each different φ, and the draws that have it."""
    values, which = np.unique(phi, axis=0, return_inverse=True)
    order = np.argsort(which.ravel(), kind="stable")
    places = np.split(order, np.cumsum(np.bincount(which.ravel()))[:-1])
    found = [one(own, place) for own, place in zip(made(values), places, strict=True)]
    back = np.argsort(order)
    return tuple(np.concatenate(parts)[back] for parts in zip(*found, strict=True))


def _kernels(design: Design, phi: Array) -> "Iterator[Kernel]":
    """The kernel at each φ, which few draws have: looking for fewer nodes wouldn't pay."""
    from bayeslmm.kernel.problem.condensed import Condensed

    for kernel in design.moving.kernels(phi):
        vars(kernel)["condensed"] = Condensed(kernel.problem)
        yield kernel


def _designs(design: Design, phi: Array) -> Iterator[Design]:
    """The design at each φ."""
    for own, kernel in zip(phi, _kernels(design, phi), strict=True):
        at = design.at_phi(own)
        vars(at)["kernel"] = kernel
        yield at


def relative_factors(design: Design, parameters: Parameters) -> Array:
    """Every block's relative factor Λ, row by row: (m, n_lam)."""
    parts = [np.zeros((len(parameters), 0))]
    for block in design.blocks:
        factor = np.zeros((len(parameters), block.k, block.k))
        sd, z = parameters.sd[block.group], parameters.z[block.group]
        for (i, j), value in BlockCorrelation.of(block).factor(list(sd.T), list(z.T)).items():
            factor[:, i, j] = value / parameters.sigma
        parts.append(factor.reshape(len(parameters), -1))
    return np.concatenate(parts, axis=1)


def block_factors(design: Design, *chains: Parameters) -> dict[str, Array]:
    """Absolute factor of each block, FFᵀ = T, at all draws, chain after chain: (draws, k, k)."""
    lam = np.concatenate([relative_factors(design, chain) * chain.sigma[:, None] for chain in chains])
    out, first = {}, 0
    for block in design.blocks:
        last = first + block.k**2
        out[block.group] = lam[:, first:last].reshape(-1, block.k, block.k)
        first = last
    return out


def stacked_sigma(chains: Iterable[Parameters]) -> Array:
    """σ at all draws, chain after chain."""
    return np.concatenate([chain.sigma for chain in chains])


def correlations(design: Design, parameters: Parameters) -> dict[str, Array]:
    """Correlations by group, (m, n_pairs); groups without any are left out."""
    out = {}
    for block in design.blocks:
        found = BlockCorrelation.of(block).pairs(list(parameters.z[block.group].T))
        if found:
            out[block.group] = np.stack(found, axis=-1)
    return out


def log_prior(design: Design, priors: Priors, parameters: Parameters, beta: Array) -> dict[str, Array]:
    """Log prior density of each variable in natural coordinates; a flat prior's is 0.

    Returns
    -------
    By variable: ``beta`` (m, p), ``sd_*`` (m, n_sd), ``cor_*`` (m,), ``residual`` (m,), ``sigma`` (m,).
    """
    out = {names.BETA: columnwise(priors.beta, beta)}
    found = correlations(design, parameters)
    for block in design.blocks:
        group, lkj = block.group, priors.cor[block.group]
        out[names.sd_name(group)] = columnwise(priors.sd[group], parameters.sd[group])
        if lkj is not None and group in found:
            out[names.cor_name(group)] = log_correlations(block.structures, lkj, found[group])
    if design.residual.n_phi:
        believed = Believed(design.residual.parts, priors.table)
        out[names.RESIDUAL] = believed.log_density(parameters.phi, parameters.sigma)
    if design.residual.sigma_free:
        out[names.SIGMA] = priors.sigma.logpdf(parameters.sigma)
    return out


def columnwise(priors: tuple[Prior, ...], values: Array) -> Array:
    """Log density of every column of (m, k) under its own prior, (m, k)."""
    logs = [prior.logpdf(values[:, i]) for i, prior in enumerate(priors)]
    return np.stack(logs, axis=-1) if logs else np.zeros(values.shape)
