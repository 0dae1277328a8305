"""Adaptive Gauss-Hermite quadrature over the parameters that aren't integrated out exactly.

The rule is set at the Laplace mode first; the mean and covariance it gives then place the rule that counts
(Naylor and Smith 1982). A posterior that is skewed on the log scale is half the work that way.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from bayeslmm.errors import OptionError
from bayeslmm.posterior.methods.laplace import LaplaceFit
from bayeslmm.posterior.methods.modes import Scan, modes
from bayeslmm.posterior.target import Target

type Array = NDArray[np.float64]

MOST = 4  # parameters; nodes grow as their power
NODES = {0: 1, 1: 61, 2: 41, 3: 25, 4: 13}  # per parameter: some 25,000 evaluations at most
NODES_WHERE_DEAR = 5
PASSES = 2  # of moving the rule to the moments it finds
LOWEST = 40.0  # log density below the highest at which a point no longer matters
PLACING = 7  # nodes of a rule that tells where the next one stands, at least
WIDER = 1.3  # the root of the second rule, to the first's
KNOWN = 2.5  # sds within which moments tell what the other parameters do
IMPOSSIBLE = -1e300  # log density that stands for none: sums of it are numbers
FARTHEST, DEPTH = 40.0, 14.0  # sds and log density that a marginal is followed to
WIDENINGS, ENDS = 16, 11.0  # of its reach, until the log density has fallen so far at both ends
POINTS = {1: 201, 2: 121, 3: 121, 4: 49}  # of a marginal, by number of parameters
MOST_NODES, MOST_PER_AXIS = 250_000, 150
NEGLIGIBLE = 1e-8  # mass of the nodes that are left out


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """Nodes with their posterior weights.

    Attributes
    ----------
    phi : (m, d). weights : (m,), their sum is 1. log_density : (m,) of the target.
    """

    phi: Array
    weights: Array
    log_density: Array

    def mean(self) -> Array:
        """Posterior mean of φ, (d,)."""
        return self.weights @ self.phi

    def covariance(self) -> Array:
        """Posterior covariance of φ, (d, d)."""
        apart = self.phi - self.mean()
        return apart.T @ (self.weights[:, None] * apart)

    def kept(self) -> "Rule":
        """Without the lightest nodes, which together weigh next to nothing."""
        order = np.argsort(self.weights)
        heavy = np.sort(order[np.cumsum(self.weights[order]) > NEGLIGIBLE])
        weights = self.weights[heavy] / self.weights[heavy].sum()
        return Rule(self.phi[heavy], weights, self.log_density[heavy])


@dataclass(frozen=True, slots=True, eq=False)
class Marginal:
    """Log density of one φ_i, the others integrated out, on an even grid that holds all of its mass.

    Attributes
    ----------
    phi : (K,) evenly spaced, K odd. log_density : (K,) up to a constant.
    """

    def halved(self) -> "Marginal":
        """Every second point, which tells how much the grid's spacing matters."""
        return Marginal(self.phi[::2], self.log_density[::2])

    phi: Array
    log_density: Array

    def table(self) -> tuple[Array, Array]:
        """φ_i on a fine grid and its distribution function; the log density is smooth between points."""
        from scipy.integrate import cumulative_simpson
        from scipy.interpolate import CubicSpline

        seen = self.log_density > self.log_density.max() - LOWEST
        first, last = np.flatnonzero(seen)[[0, -1]]
        own = slice(first, last + 1)
        spline = CubicSpline(
            self.phi[own], np.maximum(self.log_density, self.log_density.max() - 2 * LOWEST)[own]
        )
        phi = np.linspace(self.phi[first], self.phi[last], 4001)
        density = np.exp(spline(phi) - self.log_density.max())
        cdf = np.maximum.accumulate(cumulative_simpson(density, x=phi, initial=0.0))
        return phi, cdf / cdf[-1]


@dataclass(frozen=True, slots=True, eq=False)
class QuadratureRun:
    """What the rules found.

    Attributes
    ----------
    rule : nodes that carry the posterior.
    others : another number of them, and a wider rule; they tell the error.
    marginals : of each φ_i. other_marginals : of each again, by half the points and by such inner rules.
    laplace : the fit the first rule was set at.
    nodes : per parameter.
    """

    rule: Rule
    others: tuple[Rule, ...]
    marginals: tuple[Marginal, ...]
    other_marginals: tuple[tuple[Marginal, ...], ...]
    laplace: LaplaceFit
    nodes: int


def check_size(target: Target) -> None:
    """Refuse what no tensor rule can hold.

    Raises
    ------
    OptionError
        For more than `MOST` parameters.
    """
    if target.size > MOST:
        raise OptionError(
            f"quadrature takes up to {MOST} parameters that aren't integrated out, this model has "
            f"{target.size}; use method='importance' or 'marginal'"
        )


def quadrature(target: Target, nodes: int | None = None) -> QuadratureRun:
    """Integrate the posterior over φ; deterministic.

    Parameters
    ----------
    nodes : per parameter; None for as many as are cheap.

    Raises
    ------
    OptionError
        For more than `MOST` parameters.
    """
    check_size(target)
    per = nodes or (NODES[target.size] if target.cheap else NODES_WHERE_DEAR)
    _check_nodes(per, target.size)
    fit = max(modes(target, Scan.of(target)), key=lambda mode: mode.log_mass)
    centre, covariance = _moved(target, fit, per)
    root = _root(covariance)
    fine = _rule(target, centre, root, per)
    each = (per, _second(target, per))
    found = [_marginals(target, i, centre, covariance, each) for i in range(target.size)]
    again = tuple((one.halved(), *more) for one, *more in found)
    marginals = tuple(one for one, *_ in found)
    return QuadratureRun(fine.kept(), _others(target, centre, root, per), marginals, again, fit, per)


def rules(target: Target, fit: LaplaceFit, per: int) -> tuple[Rule, tuple[Rule, ...]]:
    """The rule of `per` nodes a parameter at the posterior's moments; others tell its error."""
    centre, covariance = _moved(target, fit, per)
    root = _root(covariance)
    return _rule(target, centre, root, per).kept(), _others(target, centre, root, per)


def _others(target: Target, centre: Array, root: Array, per: int) -> tuple[Rule, ...]:
    """As many nodes that lie wider, and another number of them, but for a single one, which tells nothing."""
    wider = _rule(target, centre, WIDER * root, per).kept()
    second = _second(target, per)
    return (wider,) if second == 1 else (_rule(target, centre, root, second).kept(), wider)


def _moved(target: Target, fit: LaplaceFit, per: int) -> tuple[Array, Array]:
    """Mean (d,) and covariance (d, d) that smaller rules find, starting at a Laplace fit."""
    centre, covariance = fit.mode, fit.root @ fit.root.T
    for _ in range(PASSES):
        rule = _rule(target, centre, _root(covariance), _placing(target, per))
        centre, covariance = rule.mean(), rule.covariance()
    return centre, covariance


def _second(target: Target, per: int) -> int:
    """Nodes of the rule that tells the error: fewer, but more where they are fewer than usual."""
    usual = NODES[target.size] if target.cheap else 0
    return max(1, per - 2) if per >= usual else min(usual, 2 * per - 1)


def _placing(target: Target, per: int) -> int:
    """Nodes of a rule that only tells where the next one stands."""
    return max(PLACING if target.cheap else 3, (2 * per) // 3)


def _check_nodes(per: int, size: int) -> None:
    most = min(MOST_PER_AXIS, int(MOST_NODES ** (1 / size)) if size else per)
    if per > most:
        raise OptionError(
            f"nodes={per} for each of {size} parameters makes {float(per) ** size:.3g} evaluations; this "
            f"model takes up to nodes={most}"
        )


def _root(covariance: Array) -> Array:
    """root·rootᵀ = covariance, along its principal axes."""
    values, vectors = np.linalg.eigh(covariance)
    return vectors * np.sqrt(np.maximum(values, 1e-12))


def _rule(target: Target, centre: Array, root: Array, per: int) -> Rule:
    unit, log_w = _unit_rule(target.size, per)
    phi = centre + unit @ root.T
    log_density = target.finite(phi)
    mass = np.exp(log_density + log_w - (log_density + log_w).max())
    return Rule(phi, mass / mass.sum(), log_density)


def _marginals(
    target: Target, i: int, centre: Array, covariance: Array, nodes: tuple[int, int]
) -> tuple[Marginal, ...]:
    """φ_i on an even grid, at each point a rule over the others: that which counts, two that tell its error.

    A first rule stands at their mean given φ_i as the moments of all have it, the next ones at the mean and
    covariance that rules before found at that very point.
    """
    per, second = nodes
    others = np.array([j for j in range(target.size) if j != i], dtype=int)
    scale = np.sqrt(covariance[i, i])
    slope = covariance[others, i] / scale
    root = _root(covariance[np.ix_(others, others)] - np.outer(slope, slope))
    inner = _Inner(target, i, others)

    def places(at: Array) -> tuple[Array, Array]:
        known = centre[others] + np.clip(at, -KNOWN, KNOWN)[:, None] * slope
        return known, np.broadcast_to(root, (len(at), *root.shape))

    def phi_i(at: Array) -> Array:
        return np.asarray(centre[i] + scale * at)

    line = np.linspace(-FARTHEST, FARTHEST, 161)
    ends = np.array(_reach(line, inner.of(phi_i(line), *places(line), 1).log_density))
    for _ in range(WIDENINGS):  # the others, free to follow, reach farther than along a line
        at = np.linspace(ends[0], ends[1], POINTS[target.size])
        found = inner.of(phi_i(at), *places(at), _placing(target, per))
        high = found.log_density[[0, -1]] > found.log_density.max() - ENDS
        if not high.any():
            break
        ends = np.where(high, 1.5 * ends, ends)
    found = inner.of(phi_i(at), found.mean, found.root, _placing(target, per))
    rules = ((found.root, per), (found.root, second), (WIDER * found.root, per))
    return tuple(Marginal(phi_i(at), inner.of(phi_i(at), found.mean, *each).log_density) for each in rules)


@dataclass(frozen=True, slots=True, eq=False)
class _Given:
    """What a rule over the other parameters finds at each of K values of one.

    Attributes
    ----------
    log_density : (K,) the others integrated out. mean : (K, d - 1) of the others. root : (K, d - 1, d - 1)
        of their covariance.
    """

    log_density: Array
    mean: Array
    root: Array


@dataclass(frozen=True, slots=True, eq=False)
class _Inner:
    """Rules over all parameters but φ_i."""

    target: Target
    i: int
    others: NDArray[np.intp]

    def of(self, phi_i: Array, mean: Array, root: Array, per: int) -> _Given:
        """A rule about a mean (K, d - 1) with a root (K, d - 1, d - 1) of its own for each value."""
        from scipy.special import logsumexp

        unit, log_w = _unit_rule(len(self.others), per)
        nodes = mean[:, None] + unit @ root.transpose(0, 2, 1)
        phi = np.empty((*nodes.shape[:2], self.target.size))
        phi[..., self.i] = phi_i[:, None]
        phi[..., self.others] = nodes
        values = np.maximum(self.target.finite(phi.reshape(-1, self.target.size)), IMPOSSIBLE)
        log_mass = values.reshape(nodes.shape[:2]) + log_w
        total = logsumexp(log_mass, axis=1)
        weights = np.exp(log_mass - total[:, None])
        centre = np.einsum("km,kmd->kd", weights, nodes)
        apart = nodes - centre[:, None]
        spread = np.einsum("km,kmd,kme->kde", weights, apart, apart)
        return _Given(total + np.linalg.slogdet(root)[1], centre, _roots(spread, root))


def _unit_rule(d: int, per: int) -> tuple[Array, Array]:
    """Nodes (m, d) of a standard normal's rule and their log weights, the normal density taken off."""
    from numpy.polynomial.hermite_e import hermegauss

    t, w = hermegauss(per)
    unit = np.array(list(product(t, repeat=d))).reshape(per**d, d)
    log_w = np.array(list(product(np.log(w), repeat=d))).reshape(per**d, d).sum(axis=1)
    return unit, log_w + 0.5 * np.sum(unit**2, axis=1)


def _roots(spread: Array, before: Array) -> Array:
    """Roots (K, d, d) of covariances; along what a rule hardly saw spread, a tenth of the root before."""
    values, vectors = np.linalg.eigh(spread)
    least = np.einsum("kij,kil->kjl", vectors, before)
    floor = 0.01 * np.sum(least**2, axis=2)
    return np.asarray(vectors * np.sqrt(np.maximum(values, floor))[:, None, :])


def _reach(line: Array, log_density: Array) -> tuple[float, float]:
    """How far from the middle the density has mass; what rises again beyond is rounding near σ = 0."""
    apart = log_density - log_density[np.abs(line) < KNOWN].max()
    out = line[np.abs(apart) > DEPTH]
    return max(out[out < 0], default=line[0]), min(out[out > 0], default=line[-1])
