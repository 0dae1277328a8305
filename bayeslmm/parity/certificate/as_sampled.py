"""Second and third line: the graphs as they are sampled, their priors, transforms and Jacobians."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bayeslmm.parity.certificate.explicit_graph import Witness
from bayeslmm.parity.certificate.line import Line, deviation
from bayeslmm.parity.certificate.points import Array, Point, from_priors, inside, off_zero

if TYPE_CHECKING:
    from bayeslmm.posterior.graph.as_sampled import Said, SampledGraph
    from bayeslmm.spec.block import Block
    from bayeslmm.spec.covariance import CovarianceStructure
    from bayeslmm.spec.design import Design
    from bayeslmm.spec.priors import LKJ, Prior, Priors
    from bayeslmm.spec.residual.structure import Part

TOLERANCE = 1e-8
SEED = 2  # of the values drawn from priors


@dataclass(frozen=True, eq=False)
class Densities:
    """What priors say by SciPy, and the likelihood by the kernel, beside what a graph says.

    Attributes
    ----------
    design, priors : the model. kernel : its marginal likelihood.
    """

    design: "Design"
    priors: "Priors"
    kernel: Witness

    def priors_line(self, graphs: Mapping[str, "SampledGraph"], points: Sequence[Point]) -> Line:
        """The log prior of each free variable of each graph, at the points and at draws from the priors."""
        rng = np.random.default_rng(SEED)
        drawn = [from_priors(point, self.priors, self.design, rng) for point in points]
        rows = [
            row for name, graph in graphs.items() for row in self._prior_rows(name, graph, [*points, *drawn])
        ]
        wrong = dict.fromkeys(row["variable"] for row in rows if not row["deviation"] < TOLERANCE)
        return Line.of(
            "priors",
            rows,
            TOLERANCE,
            "The log prior of each free variable of both graphs is SciPy's density",
            f"A prior of a graph isn't the one declared: that of {', '.join(wrong)}",
        )

    def marginal_line(self, graph: "SampledGraph", points: Sequence[Point]) -> Line:
        """The marginal graph's log density in its own coordinates."""
        rows = [self._joint_row(graph.at(self._values(point)), point) for point in points]
        return Line.of(
            "marginal graph",
            rows,
            TOLERANCE,
            "The marginal graph's log density, transforms and Jacobians included, is kernel plus priors",
            "The marginal graph's log density isn't kernel plus priors and Jacobian: a transform, a Jacobian "
            "or the likelihood is at fault",
        )

    def within(self, points: Iterable[Point]) -> list[Point]:
        """The points where every prior has a density and no sd is 0."""
        return [inside(off_zero(point, self.design), self.priors, self.design) for point in points]

    def _values(self, point: Point) -> dict[str, Any]:
        from bayeslmm.posterior.graph.natural_values import natural_values

        return natural_values(self.design, point.sigma, point.sd, point.cor, point.beta, point.phi)

    def _prior_rows(
        self, name: str, graph: "SampledGraph", points: Sequence[Point]
    ) -> Iterator[dict[str, Any]]:
        for number, point in enumerate(points):
            said = graph.at(self._values(point))
            for variable, ours in self.log_priors(said).items():
                found = said.log_prior[variable]
                theirs = np.sum(found) if np.size(ours) == 1 else found
                yield {
                    "graph": name,
                    "point": number,
                    "variable": variable,
                    "graph_logp": float(np.sum(found)),
                    "scipy_logp": float(np.sum(ours)),
                    "deviation": deviation(theirs, ours),
                }

    def _joint_row(self, said: "Said", point: Point) -> dict[str, Any]:
        from bayeslmm.posterior.graph.natural_values import natural_of

        at = natural_of(self.design, said.natural)
        likelihood = self.kernel(at.sigma, at.sd, at.cor, at.beta, phi=at.phi).logp
        prior = float(sum(np.sum(each) for each in self.log_priors(said).values()))
        jacobian = sum(said.log_jacobian.values())
        expected = likelihood + prior + jacobian
        size = max(1.0, abs(likelihood), abs(prior), abs(jacobian))
        return {
            **point.row(),
            "graph_logp": said.logp,
            "kernel_logp": likelihood,
            "log_prior": prior,
            "log_jacobian": jacobian,
            "deviation": deviation(said.logp, expected, size),
        }

    def log_priors(self, said: "Said") -> dict[str, Array]:
        """Log density by SciPy of each of the graph's free variables, by element; correlations together."""
        return {name: self._log_prior(name, said) for name in said.natural}

    def _log_prior(self, name: str, said: "Said") -> Array:
        if name in said.log_jacobian_cor:
            return np.array(self._of_correlations[name](said) + said.log_jacobian_cor[name])
        if name in self._of_residual:
            return np.array(self._of_residual[name](said.natural[name]))
        values = np.atleast_1d(said.natural[name])
        pairs = zip(self._declared[name], values, strict=True)
        return np.array([float(prior.scipy_logpdf(np.asarray(value))) for prior, value in pairs])

    @property
    def _declared(self) -> "dict[str, Sequence[Prior]]":
        """Priors of every variable that a graph may have, element by element."""
        from bayeslmm.posterior import names
        from bayeslmm.posterior.graph.pymc_priors import element_name

        vectors = {names.BETA: (self.design.coefs, self.priors.beta)} if self.design.p else {}
        for number, block in enumerate(self.design.blocks):
            own = tuple(names.sd_names(self.design, number)), self.priors.sd[block.group]
            vectors[names.sd_name(block.group)] = own
        out: dict[str, Sequence[Prior]] = {name: priors for name, (_, priors) in vectors.items()}
        for name, (coefs, priors) in vectors.items():
            out |= {element_name(name, coef): (prior,) for coef, prior in zip(coefs, priors, strict=True)}
        out |= {label: (self.priors.table[label],) for label in self.priors.residual}
        return out | ({names.SIGMA: (self.priors.sigma,)} if self.design.residual.sigma_free else {})

    @property
    def _of_correlations(self) -> "dict[str, Any]":
        """By variable, the log density of the correlations that are made of it."""
        from bayeslmm.posterior import names

        return {
            names.unit_name(block.group): _LogCorrelations(self.design, block, prior)
            for block in self.design.blocks
            if (prior := self.priors.cor[block.group]) is not None
        }

    @property
    def _of_residual(self) -> "dict[str, LogTogether]":
        """By variable, the log density of it that follows from that of R's correlations."""
        from bayeslmm.posterior import names
        from bayeslmm.spec.priors import LKJ

        return {
            names.of_units(slot.label): LogTogether(part, prior)
            for part in self.design.residual.parts
            if part.joint is not None
            for (slot,) in part.slots()
            if isinstance(prior := self.priors.table[slot.label], LKJ)
        }


@dataclass(frozen=True, eq=False)
class LogTogether:
    """Log density of elements of correlations, carried to (0, 1): the matrix's, and the map's Jacobian."""

    part: "Part[Any]"
    prior: "LKJ"

    def __call__(self, units: Array) -> float:
        from bayeslmm.spec.residual.structure import STEP

        joint, z = self.part.joint, 2 * units - 1
        assert joint is not None
        natural = np.array(joint.natural(list(z)))
        phi = self.part.structure.free(natural, self.part.learnt)[None]
        moved = [np.imag(joint.natural(list(each))) for each in z + 1j * STEP * np.eye(len(z))]
        jacobian = np.linalg.slogdet(2 * np.array(moved) / STEP)[1]
        return float((joint.log_density(self.prior.eta, phi) - joint.log_volume(phi))[0] + jacobian)


@dataclass(frozen=True, eq=False)
class _LogCorrelations:
    """Log density of a block's correlations: SciPy's beta density where there is one, LKJ's formula else."""

    design: "Design"
    block: "Block"
    prior: "LKJ"

    def __call__(self, said: "Said") -> float:
        from bayeslmm.posterior.graph.natural_values import natural_of

        left = natural_of(self.design, said.natural).cor[self.block.group]
        total = 0.0
        for structure in self.block.structures:
            own, left = np.split(left, [len(structure.pairs)])
            total += self._of_bar(structure, own) if len(own) else 0.0
        return total

    def _of_bar(self, structure: "CovarianceStructure", cor: Array) -> float:
        from scipy import stats

        from bayeslmm.spec.priors import log_correlations

        if len(cor) > 1:
            return float(log_correlations([structure], self.prior, cor))
        low, high = structure.cor_range or (-1.0, 1.0)
        return float(stats.beta.logpdf(cor[0], self.prior.eta, self.prior.eta, low, high - low))
