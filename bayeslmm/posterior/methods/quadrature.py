"""Adaptive Gauss-Hermite quadrature over the parameters that aren't integrated out exactly.

The rule is set at the Laplace mode first; the mean and covariance it gives then place the rule that counts
(Naylor and Smith 1982). A posterior that is skewed on the log scale is half the work that way.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from bayeslmm.errors import OptionError
from bayeslmm.posterior.methods.laplace import LaplaceFit, laplace
from bayeslmm.posterior.target import Target

type Array = NDArray[np.float64]

MOST = 4  # parameters; nodes grow as their power
NODES = {0: 1, 1: 61, 2: 41, 3: 25, 4: 13}  # per parameter: some 25,000 evaluations at most
NODES_WHERE_DEAR = 5
PASSES = 2  # of moving the rule to the moments it finds
LOWEST = 40.0  # log density below the highest node's at which a node no longer matters
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
    """Log density of one φ_i on the scale of t = (φ_i − centre)/scale, relative to a standard normal.

    Attributes
    ----------
    centre, scale : of t. t : (K,) nodes. log_ratio : (K,) log p(t) − log N(t), up to a constant.
    """

    centre: float
    scale: float
    t: Array
    log_ratio: Array

    def table(self) -> tuple[Array, Array]:
        """φ_i on a fine grid and its distribution function; log_ratio is a smooth curve between nodes."""
        from scipy.integrate import cumulative_simpson
        from scipy.interpolate import CubicSpline

        height = self.log_ratio - 0.5 * self.t**2
        seen = height > height.max() - LOWEST  # a spline would swing after a fall that no mass depends on
        nodes = self.t[seen]
        spline = CubicSpline(nodes, self.log_ratio[seen], bc_type="natural")
        t = np.linspace(1.5 * self.t[0], 1.5 * self.t[-1], 4001)
        inside = np.clip(t, nodes[0], nodes[-1])
        log_density = spline(inside) + spline(inside, 1) * (t - inside) - 0.5 * t**2
        density = np.exp(log_density - log_density.max())
        cdf = np.maximum.accumulate(cumulative_simpson(density, x=t, initial=0.0))
        return self.centre + self.scale * t, cdf / cdf[-1]


@dataclass(frozen=True, slots=True, eq=False)
class QuadratureRun:
    """What the rules found.

    Attributes
    ----------
    rule : nodes that carry the posterior. coarse : a rule with fewer, which tells the error.
    marginals : of each φ_i.
    laplace : the fit the first rule was set at.
    nodes : per parameter.
    """

    rule: Rule
    coarse: Rule
    marginals: tuple[Marginal, ...]
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
    per = nodes or (NODES[target.size] if target.design.kernel.small else NODES_WHERE_DEAR)
    fit = laplace(target)
    centre, covariance = fit.mode, fit.root @ fit.root.T
    for _ in range(PASSES):
        rule = _rule(target, centre, _root(covariance), max(3, (2 * per) // 3))
        centre, covariance = rule.mean(), rule.covariance()
    fine = _rule(target, centre, _root(covariance), per)
    coarse = _rule(target, centre, _root(covariance), max(1, per - 2))
    marginals = tuple(_marginals(target, centre, covariance, per))
    return QuadratureRun(fine.kept(), coarse.kept(), marginals, fit, per)


def _root(covariance: Array) -> Array:
    """root·rootᵀ = covariance, along its principal axes."""
    values, vectors = np.linalg.eigh(covariance)
    return vectors * np.sqrt(np.maximum(values, 1e-12))


def _tensor(target: Target, centre: Array, root: Array, per: int) -> tuple[Array, Array, Array, Array]:
    """Nodes in the rule's own coordinates (m, d), and φ, log density and log weight there."""
    from numpy.polynomial.hermite_e import hermegauss

    t, w = hermegauss(per)
    unit = np.array(list(product(t, repeat=target.size)))
    log_w = np.array(list(product(np.log(w), repeat=target.size))).sum(axis=1)
    phi = centre + unit @ root.T
    with np.errstate(over="ignore", invalid="ignore"):
        log_density = np.nan_to_num(target(phi), nan=-np.inf)
    return unit, phi, log_density, log_density + log_w + 0.5 * np.sum(unit**2, axis=1)


def _rule(target: Target, centre: Array, root: Array, per: int) -> Rule:
    _, phi, log_density, log_mass = _tensor(target, centre, root, per)
    mass = np.exp(log_mass - log_mass.max())
    return Rule(phi, mass / mass.sum(), log_density)


def _marginals(target: Target, centre: Array, covariance: Array, per: int) -> Iterator[Marginal]:
    """A rule for each φ_i whose first axis is φ_i alone: Cholesky factor with i put first."""
    from numpy.polynomial.hermite_e import hermegauss
    from scipy.special import logsumexp

    t, w = hermegauss(per)
    for i in range(target.size):
        order = np.array([i, *(j for j in range(target.size) if j != i)])
        root = np.zeros_like(covariance)
        root[order] = np.linalg.cholesky(covariance[np.ix_(order, order)])
        _, _, _, log_mass = _tensor(target, centre, root, per)
        log_share = logsumexp(log_mass.reshape(per, -1), axis=1)
        yield Marginal(float(centre[i]), float(root[i, 0]), t, log_share - np.log(w))
