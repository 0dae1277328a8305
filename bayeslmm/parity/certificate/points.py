"""Points at which both sides of a certificate are evaluated, drawn broadly."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayeslmm.spec.priors import Believed

if TYPE_CHECKING:
    from bayeslmm.spec.covariance import CovarianceStructure
    from bayeslmm.spec.design import Design
    from bayeslmm.spec.priors import Believed, Prior, Priors

type Array = NDArray[np.float64]
type ByGroup = Mapping[str, Array]

LEAST = 1e-6  # of its scale, that an sd is put to where it can't be 0


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """Natural parameters at which both sides are evaluated.

    Attributes
    ----------
    sigma : float
    sd : dict of (n_sd,) by group, the free ones
    cor : dict of (n_pairs,) by group
    beta : (p,)
    phi : (n_phi,) of the residual, free of bounds
    """

    sigma: float
    sd: dict[str, Array]
    cor: dict[str, Array]
    beta: Array
    phi: Array

    def row(self) -> dict[str, float]:
        """Give the coordinates by name, beta left out."""
        named = {f"sd[{group}: {i}]": x for group, sd in self.sd.items() for i, x in enumerate(sd)}
        named |= {f"cor[{group}: {i}]": x for group, cor in self.cor.items() for i, x in enumerate(cor)}
        named |= {f"phi[{i}]": x for i, x in enumerate(self.phi)}
        return {"sigma": self.sigma, **named}


def draw_points(design: "Design", n_points: int, seed: int) -> Iterator[Point]:
    """Draw natural parameters on the data's scale, the edges of the parameter space first.

    A free sigma and every sd are log-uniform over two decades around the spread of y (over that of the coef's
    column), R's own parameters about where they begin. The first point has every sd at 0; then each sd in
    turn is 0; every third point of the others has correlations beyond 0.95 in absolute value.
    """
    rng = np.random.default_rng(seed)
    spread = _spread(design)
    n_sd = sum(len(design.covariance.block_sds(b)) for b in range(len(design.blocks)))
    for number in range(n_points):
        sd = {
            block.group: spread / (size := _sizes(design, b)) * 10 ** rng.uniform(-1.5, 0.5, len(size))
            for b, block in enumerate(design.blocks)
        }
        _set_zero(sd, number, n_sd)
        cor = {
            block.group: _block_correlations(block.structures, number % 3 == 0, rng)
            for block in design.blocks
        }
        drawn = spread * 10 ** rng.uniform(-1, 0.5)
        sigma = drawn if design.residual.sigma is None else design.residual.sigma
        yield Point(sigma, sd, cor, _beta(design, spread, rng), _phi(design, rng))


def _phi(design: "Design", rng: np.random.Generator) -> Array:
    """One of R's starts and a step of about 1 from it."""
    starts = design.residual.starts
    own: Array = starts[rng.integers(len(starts))] + rng.standard_normal(design.residual.n_phi)
    return own


def off_zero(point: Point, design: "Design") -> Point:
    """The same point with sds that are 0 at a millionth of their scale."""
    spread = _spread(design)
    sd = {
        block.group: np.maximum(point.sd[block.group], LEAST * spread / _sizes(design, b))
        for b, block in enumerate(design.blocks)
    }
    return replace(point, sd=sd)


def inside(point: Point, priors: "Priors", design: "Design") -> Point:
    """The same point with what lies beyond the end of its prior carried inside."""
    sigma = (
        point.sigma if "sigma" not in priors.table else _carried([priors.sigma], np.array([point.sigma]))[0]
    )
    sd = {group: _carried(priors.sd[group], values) for group, values in point.sd.items()}
    beta, size = np.array(_carried(priors.beta, point.beta)), np.array([float(sigma)])
    believed = Believed(design.residual.parts, priors.table)
    with np.errstate(all="ignore"):
        there = np.isfinite(believed.log_density(point.phi[None], size)[0])
    phi = point.phi if there else believed.draw(np.random.default_rng(0), size)[0]
    return replace(point, sigma=float(sigma), sd=sd, beta=beta, phi=phi)


def from_priors(point: Point, priors: "Priors", design: "Design", rng: np.random.Generator) -> Point:
    """The same point with σ, sds, β and R's own parameters drawn from those priors that are proper."""
    sigma = point.sigma if "sigma" not in priors.table else _drawn([priors.sigma], [point.sigma], rng)[0]
    sd = {group: _drawn(priors.sd[group], values, rng) for group, values in point.sd.items()}
    phi = Believed(design.residual.parts, priors.table).draw(rng, np.array([float(sigma)]))[0]
    beta = _drawn(priors.beta, point.beta, rng)
    return replace(point, sigma=float(sigma), sd=sd, beta=beta, phi=phi)


def _drawn(priors: Sequence["Prior"], values: ArrayLike, rng: np.random.Generator) -> Array:
    pairs = zip(priors, np.asarray(values, dtype=float), strict=True)
    return np.array([prior.draw(rng, 1)[0] if prior.proper else value for prior, value in pairs])


def _carried(priors: Sequence["Prior"], values: Array) -> Array:
    """Values (k,) where their priors have a density, those between two bounds by a share of the way."""
    low, high = np.array([prior.bounds for prior in priors]).reshape(-1, 2).T
    outside = (values <= low) | (values >= high)
    with np.errstate(invalid="ignore"):
        share = low + (high - low) * np.mod(np.abs(values) * 0.6180339887, 0.98) + 0.01 * (high - low)
    beyond = np.where(np.isfinite(low), 2 * low - values, 2 * high - values)
    return np.where(outside, np.where(np.isfinite(share), share, beyond), values)


def _spread(design: "Design") -> float:
    """Of the response, without its offset."""
    return float(np.std(design.y - design.offset)) or 1.0


def _sizes(design: "Design", number: int) -> Array:
    """Root mean square of a block's columns, (n_sd,) those with an sd of their own; 1 of one that is 0."""
    columns = design.blocks[number].columns[:, list(design.covariance.block_sds(number))]
    size = np.sqrt(np.mean(columns**2, axis=0))
    return np.where(size > 0, size, 1.0)


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
