"""The witnesses of a model, and the certificate they give."""

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np

from bayeslmm.parity.anybody.certify import certify_graph
from bayeslmm.parity.certificate.as_sampled import Densities
from bayeslmm.parity.certificate.design_witness import design_line
from bayeslmm.parity.certificate.explicit_graph import Integral, explicit_line
from bayeslmm.parity.certificate.line import Line
from bayeslmm.parity.certificate.part import Part, part_of
from bayeslmm.parity.certificate.points import Array, ByGroup, Point, draw_points, off_zero
from bayeslmm.parity.certificate.record import Certificate
from bayeslmm.parity.certificate.theorem import NAME as THEOREM
from bayeslmm.parity.certificate.theorem import TOLERANCE as SE
from bayeslmm.parity.certificate.theorem import FlatIntegral, theorem_line

if TYPE_CHECKING:
    from bayeslmm.kernel.values.fixed_effects import PriorOfDelta
    from bayeslmm.likelihood.fitted import Fitted
    from bayeslmm.posterior.graph.as_sampled import SampledGraph
    from bayeslmm.posterior.graph.integrated import GraphDensity
    from bayeslmm.spec.design import Design
    from bayeslmm.spec.priors import Priors
    from bayeslmm.spec.recipe import Origin

N_POINTS = 24
NO_PHI = np.zeros(0)
SEED = 1


def certificate_of(
    design: "Design",
    priors: "Priors | None" = None,
    *,
    centred: bool = False,
    fit: "Fitted | None" = None,
    origin: "Origin | None" = None,
) -> Certificate:
    """Certify a model.

    Parameters
    ----------
    design, priors : the model, with default priors for None.
    centred : whether its explicit graph is.
    fit : one by REML, whose optimum the theorem speaks of; made where it isn't given.
    origin : what the design was built of.
    """
    part = _part(design, priors)
    graphs = graphs_of(part.design, part.priors, centred)
    points = list(draw_points(part.design, N_POINTS, SEED))
    densities = Densities(part.design, part.priors, KernelWitness(part.design, part.priors))
    within = densities.within(points)
    first = explicit_line(part.design, graphs.witness, densities.kernel, graphs.allowed(points))
    return Certificate(
        (
            first if first.ok else replace(first, sentence=f"{first.sentence} {graphs.differences}"),
            densities.priors_line(graphs.sampled, within),
            densities.marginal_line(graphs.sampled["marginal"], within),
            _theorem(part.design, None if part.about else fit, graphs.flat),
            design_line(design, origin),
        ),
        part.about,
    )


@lru_cache(maxsize=1)
def _part(design: "Design", priors: "Priors | None") -> Part:
    """What is certified of a model; that of the last one is kept, as its compiled graphs are."""
    from bayeslmm.spec.priors import default_priors

    return part_of(design.begun, priors or default_priors(design))


def _theorem(design: "Design", fit: "Fitted | None", flat: FlatIntegral) -> Line:
    if design.unidentified:
        return Line.without(THEOREM, f"there is no REML estimate: {design.unidentified}", SE)
    found = _by_reml(design, fit)
    if not found.convergence.converged:
        return Line.without(THEOREM, f"the fit isn't at its optimum: {found.convergence.advice}", SE)
    return theorem_line(found, flat)


def _by_reml(design: "Design", fit: "Fitted | None") -> "Fitted":
    import warnings

    from bayeslmm.errors import BayesLMMWarning
    from bayeslmm.likelihood.fitted import FitOptions, Fitted

    if fit is not None and fit.reml:
        return fit
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesLMMWarning)
        return Fitted.of(design, FitOptions("REML"))


@lru_cache(maxsize=1)
def graphs_of(design: "Design", priors: "Priors", centred: bool = False) -> "Graphs":
    """Both graphs of a model; those of the last one are kept compiled."""
    return Graphs(design, priors, centred)


@dataclass(frozen=True, eq=False)
class Graphs:
    """Both graphs of a model as they are sampled, each compiled when it is first asked.

    Attributes
    ----------
    design, priors : the model. centred : whether b itself is the explicit graph's variable.
    """

    design: "Design"
    priors: "Priors"
    centred: bool

    @cached_property
    def density(self) -> "GraphDensity":
        """The explicit graph, which integrates itself."""
        from bayeslmm.posterior.graph.graphs import build_graph
        from bayeslmm.posterior.graph.integrated import GraphDensity

        model = build_graph(self.design, self.priors, "explicit", centred=self.centred)
        return GraphDensity(model, self.design)

    @property
    def differences(self) -> str:
        """What the explicit graph has in place of the model's, by name."""
        if self.design.residual.n_phi:
            return "Differences have no names where the residual has parameters"
        found = certify_graph(self.density.model, self.design, None, {}).differences
        return "; ".join(f"{each.kind}: {each.sentence}" for each in found) or "No difference has a name"

    @property
    def witness(self) -> "GraphWitness":
        """The explicit graph as a witness."""
        return GraphWitness(self.density, _integrable(self.priors))

    @cached_property
    def sampled(self) -> "dict[str, SampledGraph]":
        """Both in their own coordinates."""
        from bayeslmm.posterior.graph.as_sampled import SampledGraph
        from bayeslmm.posterior.graph.graphs import build_graph

        marginal = build_graph(self.design, self.priors, "marginal")
        return {"explicit": SampledGraph(self.density.model, False), "marginal": SampledGraph(marginal, True)}

    def allowed(self, points: list[Point]) -> list[Point]:
        """Points where the explicit graph has a density: a centred one has none where an sd is 0."""
        return [off_zero(point, self.design) for point in points] if self.centred else points

    def flat(self, sigma: float, sd: ByGroup, cor: ByGroup, phi: Array) -> float:
        """The explicit graph's log integral over b and a flat β."""
        return self.density.integral(sigma, sd, cor, flat=True, phi=phi).logp


def _integrable(priors: "Priors") -> bool:
    from bayeslmm.posterior.fixed_effects import integrable

    return integrable(priors)


@dataclass(frozen=True, slots=True, eq=False)
class GraphWitness:
    """The explicit PyMC graph, integrated by its own gradient.

    Attributes
    ----------
    density : GraphDensity
    with_prior : whether β's own prior is among what is integrated; without, β is flat.
    """

    density: "GraphDensity"
    with_prior: bool

    def __call__(
        self, sigma: float, sd: ByGroup, cor: ByGroup, beta: Array | None = None, *, phi: Array = NO_PHI
    ) -> Integral:
        """Integrate at natural parameters."""
        found = self.density.integral(sigma, sd, cor, beta, flat=not self.with_prior, phi=phi)
        groups = (block.group for block in self.density.design.blocks)
        parts = [found.ranef[group].ravel() for group in groups if group in found.ranef]
        return Integral(found.logp, np.concatenate([np.zeros(0), *parts]), found.beta)


@dataclass(frozen=True, eq=False)
class KernelWitness:
    """The kernel's densities.

    Attributes
    ----------
    design : Design
    priors : of β; flat for None, and where they are neither flat nor normal.
    """

    design: "Design"
    priors: "Priors | None" = None

    def __call__(
        self, sigma: float, sd: ByGroup, cor: ByGroup, beta: Array | None = None, *, phi: Array = NO_PHI
    ) -> Integral:
        """Integrate at natural parameters."""
        from bayeslmm.likelihood import density

        at, design = (sigma, sd, cor), self.design.at_phi(phi)
        if beta is not None:
            modes = density.conditional_modes(design, beta, *at)
            return Integral(density.marginal_loglik(design, beta, *at), modes, beta)
        logp, mean = density.integrated_loglik(design, self._prior(design), *at)
        return Integral(logp, density.conditional_modes(design, mean, *at), mean)

    def _prior(self, design: "Design") -> "PriorOfDelta":
        from bayeslmm.kernel.values.fixed_effects import PriorOfDelta
        from bayeslmm.posterior.fixed_effects import prior_of_delta

        if self.priors is None or not _integrable(self.priors):
            return PriorOfDelta.flat(design.p)
        return prior_of_delta(design.kernel, self.priors)
