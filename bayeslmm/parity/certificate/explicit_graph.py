"""First line: the explicit graph's own integral is the kernel's marginal likelihood, wherever one looks.

Given (sigma, sd, cor) the explicit graph's log joint is exactly quadratic in the random effects and beta, so
its integral follows from its own mode and curvature. Two programs that share nothing but the data then
compute the same number; where they do, they hold the same model, constant included. The graph's mode is
compared with the kernel's BLUPs on the way.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from bayeslmm.parity.certificate.line import Line, deviation
from bayeslmm.parity.certificate.points import Array, ByGroup, Point

if TYPE_CHECKING:
    from bayeslmm.spec.design import Design

NAME = "explicit graph"
TOLERANCE = 1e-8
ROUNDINGS = 8  # of a residual's terms, both sides together


@dataclass(frozen=True, slots=True, eq=False)
class Integral:
    """What a witness says of the data at natural parameters.

    Attributes
    ----------
    logp : float
        log p(y | beta, sigma, sd, cor), or with beta integrated.
    ranef : (q,)
        Conditional mean of the random effects, in the order of Z's columns.
    beta : (p,)
        beta as given, or its conditional mean.
    """

    logp: float
    ranef: Array
    beta: Array


class Witness(Protocol):
    """One way to integrate: a callable of natural parameters."""

    def __call__(
        self, sigma: float, sd: ByGroup, cor: ByGroup, beta: Array | None = None, *, phi: Array
    ) -> Integral:
        """Integrate the random effects at ``beta``; without it, beta too under its prior."""


def explicit_line(design: "Design", graph: Witness, kernel: Witness, points: Iterable[Point]) -> Line:
    """Evaluate both sides at points drawn broadly.

    Columns of the frame: coordinates; ``graph_marginal, kernel_marginal`` at beta (random effects
    integrated); ``graph_integrated, kernel_integrated`` (beta integrated, too); ``density_deviation``,
    ``|graph − kernel| / max(1, |kernel|)``, where the data leave fewer digits in units of what their rounding
    allows; ``effect_deviation``, of random effects and beta in units of the largest (or the spread of y).
    """
    spread = float(np.std(design.y))
    rows = [
        _compare(point, graph, kernel, spread, rounding(design, point.sigma, point.beta)) for point in points
    ]
    return Line.of(
        NAME,
        rows,
        TOLERANCE,
        f"The explicit graph's own integral is the kernel's likelihood at {len(rows)} points",
        "The explicit graph's own integral isn't the kernel's likelihood",
    )


def rounding(design: "Design", sigma: float, *betas: Array) -> float:
    """How far rounding y and the terms of Xβ to double precision can move the log density.

    A residual rᵢ is known to some eps·(|yᵢ| + |offsetᵢ| + Σⱼ|xᵢⱼβⱼ|), −½ Σ rᵢ²/(σ²Rᵢᵢ) to the sum of these
    times |rᵢ|/(σ²Rᵢᵢ): next to nothing for most data, more than 1e-8 of the log density where y, or a
    covariate, is ten million times its own spread from 0.
    """
    residual_variances = design.residual.variances(design.residual.start)
    least_squares = np.linalg.lstsq(design.X, design.y - design.offset)[0]
    sizes = []
    for beta in (*betas, least_squares):
        terms = np.abs(design.y) + np.abs(design.offset) + np.abs(design.X) @ np.abs(beta)
        residual = np.abs(design.y - design.offset - design.X @ beta)
        moved = float(np.sum(residual * terms / residual_variances)) / sigma**2
        sizes.append(ROUNDINGS * np.finfo(float).eps * moved)
    return max(sizes)


def _compare(point: Point, graph: Witness, kernel: Witness, spread: float, lost: float) -> dict[str, Any]:
    natural = (point.sigma, point.sd, point.cor)
    phi = point.phi
    pairs = [(side(*natural, beta=point.beta, phi=phi), side(*natural, phi=phi)) for side in (graph, kernel)]
    (graph_marginal, graph_integrated), (kernel_marginal, kernel_integrated) = pairs
    both = [(graph_marginal, kernel_marginal), (graph_integrated, kernel_integrated)]
    allowed = max(1.0, lost / TOLERANCE)
    densities = _worst([deviation(a.logp, b.logp, allowed) for a, b in both])
    effects = _worst([_distance(a, b, spread) for a, b in both])
    return {
        **point.row(),
        "graph_marginal": graph_marginal.logp,
        "kernel_marginal": kernel_marginal.logp,
        "graph_integrated": graph_integrated.logp,
        "kernel_integrated": kernel_integrated.logp,
        "density_deviation": densities,
        "effect_deviation": effects,
        "deviation": _worst([densities, effects]),
    }


def _distance(graph: Integral, kernel: Integral, spread: float) -> float:
    """Largest difference of an effect; infinite where the two do not even have the same effects."""
    if graph.ranef.shape != kernel.ranef.shape or graph.beta.shape != kernel.beta.shape:
        return np.inf
    ours = np.concatenate([kernel.ranef, kernel.beta, [spread]])
    theirs = np.concatenate([graph.ranef, graph.beta, [spread]])
    return float(np.max(np.abs(ours - theirs)) / np.max(np.abs(ours)))


def _worst(values: list[float]) -> float:
    """Largest value; NaN if one is missing."""
    return float(np.max(values))
