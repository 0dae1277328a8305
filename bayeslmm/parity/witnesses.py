"""The two witnesses of a design: its explicit graph and its kernel."""

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from bayeslmm.parity.certificate import Array, ByGroup, Certificate, Integral, certify

if TYPE_CHECKING:
    from bayeslmm.posterior.graph.integrated import GraphDensity
    from bayeslmm.spec.design import Design


def certificate_of(design: "Design") -> Certificate:
    """Certify that explicit graph and kernel of a design hold the same model."""
    return certify(design, graph_witness(design), KernelWitness(design))


@lru_cache(maxsize=1)
def graph_witness(design: "Design") -> "GraphWitness":
    """Build the explicit graph with a flat beta that integrates itself; the last one is kept compiled."""
    from bayeslmm.posterior.graph.graphs import build_graph
    from bayeslmm.posterior.graph.integrated import GraphDensity
    from bayeslmm.spec.priors import default_priors

    model = build_graph(design, default_priors(design), kind="explicit")
    return GraphWitness(GraphDensity(model, design), tuple(block.group for block in design.blocks))


@dataclass(frozen=True, slots=True, eq=False)
class GraphWitness:
    """The explicit PyMC graph, integrated by its own gradient.

    Attributes
    ----------
    density : GraphDensity
    groups : grouping factors in the order of Z's blocks
    """

    density: "GraphDensity"
    groups: tuple[str, ...]

    def __call__(self, sigma: float, sd: ByGroup, cor: ByGroup, beta: Array | None = None) -> Integral:
        """Integrate at natural parameters."""
        found = self.density.integral(sigma, sd, cor, beta)
        parts = [found.ranef[group].ravel() for group in self.groups if group in found.ranef]
        return Integral(found.logp, np.concatenate([np.zeros(0), *parts]), found.beta)


@dataclass(frozen=True, slots=True, eq=False)
class KernelWitness:
    """The kernel, behind the likelihood engine's densities.

    Attributes
    ----------
    design : Design
    """

    design: "Design"

    def __call__(self, sigma: float, sd: ByGroup, cor: ByGroup, beta: Array | None = None) -> Integral:
        """Integrate at natural parameters."""
        from bayeslmm.likelihood import density

        at = (sigma, sd, cor)
        where = density.restricted_mean(self.design, *at) if beta is None else beta
        modes = density.conditional_modes(self.design, where, *at)
        if beta is None:
            return Integral(density.restricted_loglik(self.design, *at), modes, where)
        return Integral(density.marginal_loglik(self.design, where, *at), modes, where)
