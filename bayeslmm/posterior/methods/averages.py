"""Every estimand's posterior mean without draws: quadrature up to four parameters, weighted points above.

The points come from a generator with a seed of their own, so that the same posterior has the same averages.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bayeslmm.posterior.methods.laplace import LaplaceFit
from bayeslmm.posterior.methods.mixture import Components, components_at
from bayeslmm.posterior.methods.modes import Scan, modes
from bayeslmm.posterior.methods.proposals import MANY, Proposer, tails
from bayeslmm.posterior.methods.quadrature import Rule, rules
from bayeslmm.posterior.target import Target
from bayeslmm.spec.priors import Priors

type Array = NDArray[np.float64]

NODES = {1: (21, 61), 2: (21, 41), 3: (13, 19), 4: (7, 11)}  # per parameter, more as long as they matter
NODES_WHERE_DEAR = (3,)  # many rows, so that the posterior is next to normal
MOMENTS = 5  # evaluations that means and variances of every effect at a node are worth, about
FINE, COARSE = 0.005, 0.02  # error in posterior sds that is aimed at, and the most a rule may have
REPLICATES = 8  # scrambled sequences of weighted points; their spread tells the error
BATCHES = (1024, 4096)  # points of each
FEWEST = 400  # effective points below which nothing is told
CAUTION = 3.5  # standard errors to the error that is told: 99 % of a mean of 8 parts
REWEIGHTED = 1.15  # times fewer effective nodes with which other priors are still held
ADAPTED = 3  # rounds that move the proposals
MOST_WORK = 4e11  # of the kernel's, a minute or two, that the averages may take
MOST_VALUES = 20_000_000  # nodes times estimands


@dataclass(frozen=True, eq=False)
class Averages:
    """Conditional moments at nodes of the posterior of ω, and what follows from their weights.

    Attributes
    ----------
    target : of which. components : every estimand at every node. phi : (m, d) the nodes.
    others : the same by other rules, or by the parts of the points, which tell the error.
    replicated : whether they are parts. how : in words.
    """

    target: Target
    components: Components
    phi: Array
    others: tuple[Components, ...]
    replicated: bool
    how: str

    def error(self, statistic: Callable[[Components], Array]) -> Array:
        """How far a statistic of the posterior may be from its true value."""
        found = np.array([statistic(other) for other in self.others])
        if self.replicated:
            return np.asarray(CAUTION * found.std(axis=0, ddof=1) / np.sqrt(len(found)))
        return np.asarray(np.max(np.abs(found - statistic(self.components)), axis=0))

    def reweighted(self, priors: Priors) -> "Averages | None":
        """The averages under other priors of ω at the same nodes; None where these don't hold them."""
        other = Target(self.target.design, priors)
        if priors.beta != self.target.priors.beta or other.size != self.target.size:
            return None
        log_ratio = other.log_prior(self.phi) - self.target.log_prior(self.phi)
        if not np.isfinite(log_ratio).all():
            return None
        found = self.components.reweighted(log_ratio)
        if self.components.effective > REWEIGHTED * found.effective:
            return None
        return replace(self, target=other, components=found, others=())

    @property
    def worst(self) -> float:
        """The largest error of a parameter's mean, in its sds; random effects aside."""
        n = len(self.components.labels) - self.target.design.q
        error, sd = self.error(_means)[:n], self.components.moments()[1][:n]
        return float(np.max(error / np.where(sd > 0, sd, np.inf), initial=0.0))


def _means(components: Components) -> Array:
    return components.moments()[0]


def averages(target: Target, seed: int = 0) -> Averages | str:
    """The averages of a posterior, or why there are none.

    Parameters
    ----------
    seed : of the weighted points, where there are any.
    """
    if left_out := _too_dear(target):
        return left_out
    if not target.size:
        alone = Rule(np.zeros((1, 0)), np.ones(1), np.zeros(1))
        return _told(target, alone, (alone,), "every parameter is integrated out")
    fits = _hills(target)
    smooth = len(fits) == 1 and target.size in NODES and not target.priors.bounded
    by_rule = _by_rule(target, fits[0]) if smooth else None
    if by_rule is not None and by_rule.worst < FINE:
        return by_rule
    if not target.cheap and (by_rule is not None or not target.design.kernel.small):
        return by_rule or "left out: few nodes don't hold the posterior, and more would take long"
    return _surer(by_rule, _by_weights(target, fits, seed))


def _surer(by_rule: Averages | None, by_weights: Averages | str) -> Averages | str:
    """Those of the smaller error; why there are none where neither has any."""
    if by_rule is None or not (isinstance(by_weights, str) or by_rule.worst < by_weights.worst):
        return by_weights
    return by_rule


def _too_dear(target: Target) -> str:
    """Why the averages are left out; empty where they are affordable."""
    if target.cheap:
        return ""
    if target.size not in NODES and not target.design.kernel.small:
        return f"left out: a rule takes up to {max(NODES)} parameters, weighted points too many evaluations"
    work, needed = target.design.kernel.work, evaluations(target)
    if work * needed < MOST_WORK:
        return ""
    return f"left out: an evaluation takes {work:.1e} multiplications and the averages some {needed} of them"


def evaluations(target: Target) -> int:
    """How many evaluations of the density the averages are worth, about."""
    small, size = target.design.kernel.small, target.size
    if size not in NODES:
        return REPLICATES * BATCHES[0] * (1 + MOMENTS) if small else 0
    nodes = int((NODES[size] if small else NODES_WHERE_DEAR)[0] ** size)
    return nodes * (4 + 2 * MOMENTS)


def _hills(target: Target) -> list[LaplaceFit]:
    """Laplace fits of every mode found that holds mass, the heaviest first."""
    opened = target.opened  # proposals may cross a prior's bound
    return sorted(modes(opened, Scan.of(opened)), key=lambda fit: -fit.log_mass)


def _by_rule(target: Target, fit: LaplaceFit) -> Averages | None:
    """By quadrature with as many nodes as it takes; None where the most don't suffice."""
    kinds = NODES[target.size] if target.design.kernel.small else NODES_WHERE_DEAR
    kinds = kinds if target.cheap else kinds[:1]
    for per in kinds:
        how = f"quadrature, {per} nodes for each of {target.size} parameters"
        found = _told(target, *rules(target, fit, per), how)
        if found.worst < FINE:
            return found
    return found if found.worst < COARSE else None


def _told(target: Target, rule: Rule, others: tuple[Rule, ...], how: str) -> Averages:
    told = tuple(components_at(target, other) for other in others)
    return Averages(target, components_at(target, rule), rule.phi, told, False, how)


def _by_weights(target: Target, fits: list[LaplaceFit], seed: int) -> Averages | str:
    """By weighted points of t distributions about the modes, as many as it takes."""
    proposer = Proposer.of(tuple(fits))
    points = _points(target, proposer, BATCHES[0], seed)
    for _ in range(ADAPTED):
        if points.efficient:
            break
        proposer = proposer.adapted(points.phi, points.log_weight)
        points = _points(target, proposer, BATCHES[0], seed)
    for size in BATCHES if target.cheap or target.size <= MANY else BATCHES[:1]:
        points = points if size == BATCHES[0] else _points(target, proposer, size, seed)
        found = points.averages(target) if points.effective > FEWEST else None
        if found is not None and found.worst < COARSE:
            break
    told = f"{points.effective:.0f} effective ones of {len(points.log_weight)}"
    return found or f"weighted points don't hold the posterior: {told}"


@dataclass(frozen=True, slots=True, eq=False)
class _Points:
    """Points (m, d) of the posterior with their log weights (m,): REPLICATES equally long parts."""

    phi: Array
    log_weight: Array

    @property
    def weights(self) -> Array:
        """(m,), their sum is 1; 0 where there is none."""
        top = self.log_weight.max()
        weights = np.exp(self.log_weight - top) if np.isfinite(top) else np.zeros(len(self.log_weight))
        return np.asarray(weights / max(weights.sum(), 1e-300))

    @property
    def effective(self) -> float:
        """Their effective number (Kish)."""
        squares = float(np.sum(self.weights**2))
        return 1 / squares if squares else 0.0

    @property
    def efficient(self) -> bool:
        return self.effective > len(self.phi) / 2

    def fewer(self, most: int) -> "_Points":
        """At most so many of them, every part's drawn by weight where there are more (systematically)."""
        if len(self.phi) <= most:
            return self
        own = np.cumsum(self.weights.reshape(REPLICATES, -1), axis=1)
        places = (np.arange(per := most // REPLICATES) + 0.5) / per
        index = [np.searchsorted(part / part[-1], places) + r * own.shape[1] for r, part in enumerate(own)]
        log_mass = np.repeat(np.log(own[:, -1]), per)
        return _Points(self.phi[np.concatenate(index)], log_mass)

    def averages(self, target: Target) -> Averages:
        """What they tell, part by part too."""
        n_estimands = target.design.p + target.design.q + target.size + 1
        used = self.fewer(MOST_VALUES // n_estimands)
        found = components_at(target, Rule(used.phi, used.weights, np.zeros(len(used.phi))))
        per = len(used.phi) // REPLICATES
        parts = tuple(found.part(slice(r * per, (r + 1) * per)) for r in range(REPLICATES))
        how = f"{self.effective:.0f} effective weighted points"
        return Averages(target, found, used.phi, parts, True, how)


def _points(target: Target, proposer: Proposer, size: int, seed: int) -> _Points:
    """REPLICATES times `size` points of a scrambled Sobol sequence, carried to the proposals."""
    from scipy.stats import qmc

    generators = np.random.default_rng(seed).spawn(REPLICATES)
    uniform = [qmc.Sobol(target.size + 2, rng=rng).random(size) for rng in generators]
    phi = np.concatenate([proposed(proposer, part) for part in uniform])
    return _Points(phi, target.finite(phi) - proposer.log_density(phi))


def proposed(proposer: Proposer, uniform: Array) -> Array:
    """Points (n, d) of a mixture of t distributions from numbers (n, d + 2) between 0 and 1."""
    return carried(proposer, scores(uniform[:, :-1]), uniform[:, -1])


def scores(uniform: Array) -> Array:
    """Draws (n, d) of a proposal in units of its root, from numbers (n, d + 1) between 0 and 1."""
    from scipy.special import chdtri, ndtri

    inside = np.clip(uniform, 1e-12, 1 - 1e-12)
    widen, df = tails(inside.shape[1] - 1)
    return np.asarray(ndtri(inside[:, :-1]) * (widen / np.sqrt(chdtri(df, inside[:, -1:]) / df)))


def carried(proposer: Proposer, unit: Array, owner: Array) -> Array:
    """Points (n, d) from `scores` (n, d), and numbers (n,) between 0 and 1 that choose the part of each."""
    parts = np.searchsorted(np.cumsum(proposer.shares), owner).clip(max=len(proposer.parts) - 1)
    phi = np.empty_like(unit)
    for number, part in enumerate(proposer.parts):
        phi[parts == number] = part.points(unit[parts == number])
    return phi
