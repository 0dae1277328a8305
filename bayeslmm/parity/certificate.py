"""The certificate: the PyMC graph's own integral is the kernel's marginal likelihood, wherever one looks.

Given (sigma, sd, cor) the explicit graph's log joint is exactly quadratic in the random effects and beta, so
its integral follows from its own mode and curvature. Two programs that share nothing but the data then
compute the same number; where they do, they hold the same model, constant included. The graph's mode is
compared with the kernel's BLUPs on the way.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayeslmm.markup import html_table, paragraph

if TYPE_CHECKING:
    from bayeslmm.spec.covariance import CovarianceStructure
    from bayeslmm.spec.design import Design

type Array = NDArray[np.float64]
type ByGroup = Mapping[str, Array]

TOLERANCE = 1e-8
ROUNDINGS = 8  # of a residual's terms, both sides together


@dataclass(frozen=True, slots=True, eq=False)
class Integral:
    """What a witness says of the data at natural parameters.

    Attributes
    ----------
    logp : float
        log p(y | beta, sigma, sd, cor), or with beta integrated over a flat prior.
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

    def __call__(self, sigma: float, sd: ByGroup, cor: ByGroup, beta: Array | None = None) -> Integral:
        """Integrate the random effects at ``beta``; without it, beta too under a flat prior."""


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """Natural parameters at which both sides are evaluated.

    Attributes
    ----------
    sigma : float
    sd : dict of (n_sd,) by group, the free ones
    cor : dict of (n_pairs,) by group
    beta : (p,)
    """

    sigma: float
    sd: dict[str, Array]
    cor: dict[str, Array]
    beta: Array

    def row(self) -> dict[str, float]:
        """Give the coordinates by name, beta left out."""
        named = {f"sd[{group}: {i}]": x for group, sd in self.sd.items() for i, x in enumerate(sd)}
        named |= {f"cor[{group}: {i}]": x for group, cor in self.cor.items() for i, x in enumerate(cor)}
        return {"sigma": self.sigma, **named}


@dataclass(frozen=True, eq=False)
class Certificate:
    """How far two independent computations of the marginal likelihood are apart.

    Attributes
    ----------
    max_deviation : float
        Largest ``|graph - kernel| / max(1, |kernel|)`` over all points and both log densities; where the
        data leave fewer digits, in units of what their rounding allows (see `_rounding`).
    max_effect_deviation : float
        Largest difference of random effects and beta, in units of the largest of them (or the spread of y).
    points : DataFrame
        One row a point: coordinates; ``graph_marginal, kernel_marginal`` at beta (random effects integrated);
        ``graph_integrated, kernel_integrated`` (beta integrated too: the restricted likelihood);
        ``deviation, effect_deviation``.
    tolerance : float
    """

    max_deviation: float
    max_effect_deviation: float
    points: pd.DataFrame
    tolerance: float = TOLERANCE

    @property
    def passed(self) -> bool:
        """Whether both largest deviations are below the tolerance (a missing value is not)."""
        return bool(max(self.max_deviation, self.max_effect_deviation) < self.tolerance)

    @property
    def sentence(self) -> str:
        """One plain sentence for the report."""
        n = len(self.points)
        size = f"{self.max_deviation:.1e}, of the effects {self.max_effect_deviation:.1e}"
        if self.passed:
            return (
                f"The PyMC graph, integrated by its own curvature, and the likelihood engine agree at {n} "
                f"points drawn broadly, zero variances and near-unit correlations among them: largest "
                f"relative difference of the log densities {size} (allowed {self.tolerance:.0e})."
            )
        return (
            f"The PyMC graph and the likelihood engine do not hold the same model: over {n} points the "
            f"largest relative difference of the log densities is {size} (allowed {self.tolerance:.0e})."
        )

    def __repr__(self) -> str:
        """Read as the sentence."""
        return f"Certificate({'passed' if self.passed else 'FAILED'}: {self.sentence})"

    def _repr_html_(self) -> str:
        """Read as the sentence, and the points below it."""
        head = f"Certificate: {'passed' if self.passed else 'failed'}"
        return paragraph(head, strong=True) + paragraph(self.sentence) + html_table(self.points)


def certify(
    design: "Design",
    graph: Witness,
    kernel: Witness,
    n_points: int = 24,
    seed: int = 1,
    tolerance: float = TOLERANCE,
) -> Certificate:
    """Evaluate both sides at points drawn broadly.

    Parameters
    ----------
    design : Design
    graph, kernel : Witness
        ``(sigma, sd, cor, beta=None) -> Integral``.
    n_points : int
    seed : int
    tolerance : float

    Returns
    -------
    Certificate
    """
    drawn = draw_points(design, n_points, seed)
    rows = [
        _compare(point, graph, kernel, float(np.std(design.y)), _rounding(design, point)) for point in drawn
    ]
    points = pd.DataFrame(rows)
    worst = points[["deviation", "effect_deviation"]].max(skipna=False)
    return Certificate(float(worst["deviation"]), float(worst["effect_deviation"]), points, tolerance)


def draw_points(design: "Design", n_points: int, seed: int) -> Iterator[Point]:
    """Draw natural parameters on the data's scale, the edges of the parameter space first.

    A free sigma and every sd are log-uniform over two decades around the spread of y (over that of the coef's
    column). The first point has every sd at 0; then each sd in turn is 0; every third point of the others has
    correlations beyond 0.95 in absolute value.
    """
    rng = np.random.default_rng(seed)
    spread = float(np.std(design.y - design.offset)) or 1.0
    n_sd = sum(len(design.covariance.block_sds(b)) for b in range(len(design.blocks)))
    for number in range(n_points):
        sd = {
            block.group: _sds(block.columns[:, list(design.covariance.block_sds(b))], spread, rng)
            for b, block in enumerate(design.blocks)
        }
        _set_zero(sd, number, n_sd)
        cor = {
            block.group: _block_correlations(block.structures, number % 3 == 0, rng)
            for block in design.blocks
        }
        drawn = spread * 10 ** rng.uniform(-1, 0.5)
        sigma = drawn if design.residual.sigma is None else design.residual.sigma
        yield Point(sigma, sd, cor, _beta(design, spread, rng))


def _rounding(design: "Design", point: Point) -> float:
    """How far rounding y and the terms of Xβ to double precision can move the log density.

    A residual rᵢ is known to some eps·(|yᵢ| + |offsetᵢ| + Σⱼ|xᵢⱼβⱼ|), −½ Σ rᵢ²/(σ²Rᵢᵢ) to the sum of these
    times |rᵢ|/(σ²Rᵢᵢ): next to nothing for most data, more than 1e-8 of the log density where y, or a
    covariate, is ten million times its own spread from 0.
    """
    residual_variances = design.residual.variances(design.residual.start)
    least_squares = np.linalg.lstsq(design.X, design.y - design.offset)[0]
    sizes = []
    for beta in (point.beta, least_squares):
        terms = np.abs(design.y) + np.abs(design.offset) + np.abs(design.X) @ np.abs(beta)
        residual = np.abs(design.y - design.offset - design.X @ beta)
        moved = float(np.sum(residual * terms / residual_variances)) / point.sigma**2
        sizes.append(ROUNDINGS * np.finfo(float).eps * moved)
    return max(sizes)


def _compare(point: Point, graph: Witness, kernel: Witness, spread: float, rounding: float) -> dict[str, Any]:
    natural = (point.sigma, point.sd, point.cor)
    pairs = [(side(*natural, beta=point.beta), side(*natural)) for side in (graph, kernel)]
    (graph_marginal, graph_integrated), (kernel_marginal, kernel_integrated) = pairs
    both = [(graph_marginal, kernel_marginal), (graph_integrated, kernel_integrated)]
    return {
        **point.row(),
        "graph_marginal": graph_marginal.logp,
        "kernel_marginal": kernel_marginal.logp,
        "graph_integrated": graph_integrated.logp,
        "kernel_integrated": kernel_integrated.logp,
        "deviation": _worst([_deviation(a.logp, b.logp, rounding) for a, b in both]),
        "effect_deviation": _worst([_distance(a, b, spread) for a, b in both]),
    }


def _deviation(graph: float, kernel: float, rounding: float) -> float:
    return abs(graph - kernel) / max(1.0, abs(kernel), rounding / TOLERANCE)


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


def _sds(columns: Array, spread: float, rng: np.random.Generator) -> Array:
    size = np.sqrt(np.mean(columns**2, axis=0))
    result: Array = spread / np.where(size > 0, size, 1) * 10 ** rng.uniform(-1.5, 0.5, columns.shape[1])
    return result


def _set_zero(sd: dict[str, Array], number: int, n_sd: int) -> None:
    """Point 0 has no random effects at all, point j + 1 lacks the j-th."""
    flat = [(group, i) for group, values in sd.items() for i in range(len(values))]
    gone = flat if number == 0 else flat[number - 1 : number] if number <= n_sd else []
    for group, i in gone:
        sd[group][i] = 0.0


def _block_correlations(
    structures: "tuple[CovarianceStructure, ...]", extreme: bool, rng: np.random.Generator
) -> Array:
    """Free correlations of a block, bar by bar."""
    parts = [
        _correlations(structure.k, structure.pairs, extreme, rng)
        if structure.cor_range is None
        else _one_correlation(structure.cor_range, extreme, rng)
        for structure in structures
    ]
    return np.concatenate([np.zeros(0), *parts])


def _one_correlation(bounds: tuple[float, float], extreme: bool, rng: np.random.Generator) -> Array:
    """A correlation all others follow from; an extreme one lies within 2 % of an end of its range."""
    low, high = bounds
    place = rng.uniform(0, 0.02) if extreme else rng.uniform()
    return np.array([low + (high - low) * (1 - place if rng.uniform() < 0.5 else place)])


def _correlations(
    k: int, pairs: tuple[tuple[int, int], ...], extreme: bool, rng: np.random.Generator
) -> Array:
    """Correlations of random unit vectors; for extreme ones the vectors nearly coincide, up to sign."""
    vectors = rng.standard_normal((k, k))
    if extreme and k:
        signs = rng.choice([-1.0, 1.0], (k, 1))
        vectors = signs * vectors[0] / np.linalg.norm(vectors[0]) + 0.05 * vectors / np.sqrt(k)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    cor = vectors @ vectors.T
    return np.array([cor[i, j] for i, j in pairs])


def _beta(design: "Design", spread: float, rng: np.random.Generator) -> Array:
    """Least squares plus a step that moves the fitted values by about half the spread of y."""
    Q, R = np.linalg.qr(design.X)
    target = Q.T @ (design.y - design.offset) + 0.5 * spread * np.sqrt(design.n) * rng.standard_normal(
        design.p
    )
    beta: Array = np.linalg.solve(R, target)
    return beta
