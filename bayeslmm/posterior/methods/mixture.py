"""The posterior as a mixture over quadrature nodes: means, sds and quantiles without any draw.

At a node (σ, sd, cor) are given and β and b are normal, so their posteriors are mixtures of normals. A
parameter that is itself integrated numerically has its distribution from the rule along its own axis.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayeslmm.kernel.effects.effect_moments import effect_moments
from bayeslmm.posterior.fixed_effects import prior_of_delta
from bayeslmm.posterior.methods.quadrature import Marginal, QuadratureRun, Rule
from bayeslmm.posterior.parameters import Index, Parameters, over_phi, relative_factors
from bayeslmm.posterior.summary.estimates import Interval, check_interval, draws_by_label
from bayeslmm.posterior.summary.tree import Draws, posterior_variables
from bayeslmm.posterior.target import Target
from bayeslmm.spec import labels
from bayeslmm.spec.design import Design

if TYPE_CHECKING:
    from bayeslmm.estimands.table import EstimateTable

type Array = NDArray[np.float64]

_GRID = 161  # points over 8 sds each way on which a mixture of normals is tabled
_FAR, _HALVINGS = 8.0, 24  # sds to where a quantile is looked for, and how often they are halved
_NARROW = 1e-9  # of the whole spread
_LIGHT = 1e-5  # mass of the nodes left out of it


@dataclass(frozen=True, slots=True, eq=False)
class Components:
    """Every estimand at every node.

    Attributes
    ----------
    labels : L of them. weights : (m,). mean, variance : (m, L); no variance where a node gives the value.
    """

    labels: tuple[str, ...]
    weights: Array
    mean: Array
    variance: Array

    def part(self, own: slice) -> "Components":
        """Some of the nodes."""
        weights = self.weights[own] / self.weights[own].sum()
        return Components(self.labels, weights, self.mean[own], self.variance[own])

    def reweighted(self, log_ratio: Array) -> "Components":
        """The nodes with weights times exp(log_ratio), (m,)."""
        heaviest = np.max(log_ratio, where=self.weights > 0, initial=-np.inf)
        weights = self.weights * np.exp(np.minimum(log_ratio - heaviest, 0.0))
        return Components(self.labels, weights / weights.sum(), self.mean, self.variance)

    @property
    def effective(self) -> float:
        """Effective number of nodes (Kish)."""
        return float(1 / np.sum(self.weights**2))

    def average(self, values: Array) -> Array:
        """Mean over nodes (m, ...) by weight."""
        return np.asarray(np.tensordot(self.weights, values, axes=1))

    def by_weight(self, n: int) -> NDArray[np.intp]:
        """n nodes as often as they weigh (systematically)."""
        places = (np.arange(n) + 0.5) / n
        return np.searchsorted(np.cumsum(self.weights), places).clip(max=len(self.weights) - 1)

    def quantiles(self, prob: Array, own: NDArray[np.intp]) -> Array:
        """(k, n) quantiles prob (k,) of the mixtures of normals that n estimands are.

        What is given at a node, as β is where its prior isn't normal, is a normal of next to no width there.
        """
        from scipy.special import ndtr

        heavy = np.argsort(self.weights)[np.searchsorted(np.cumsum(np.sort(self.weights)), _LIGHT) :]
        weights, mean = self.weights[heavy] / self.weights[heavy].sum(), self.mean[np.ix_(heavy, own)]
        sd = np.sqrt(self.variance[np.ix_(heavy, own)])
        centre, spread = weights @ mean, np.sqrt(weights @ (sd**2 + (mean - weights @ mean) ** 2))
        sd = np.maximum(sd, _NARROW * spread)
        low = centre - _FAR * spread + np.zeros((len(prob), 1))
        high = centre + _FAR * spread + np.zeros((len(prob), 1))
        for _ in range(_HALVINGS):
            middle = 0.5 * (low + high)
            below = np.stack([weights @ ndtr((each - mean) / sd) for each in middle]) < prob[:, None]
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return 0.5 * (low + high)

    def moments(self) -> tuple[Array, Array]:
        """Mean and standard deviation of the mixture, (L,) each."""
        mean = self.weights @ self.mean
        return mean, np.sqrt(self.weights @ (self.variance + (self.mean - mean) ** 2))


@dataclass(frozen=True, eq=False)
class NodeMixture:
    """A quadrature run with the model it belongs to."""

    target: Target
    run: QuadratureRun

    @cached_property
    def components(self) -> Components:
        """Of the rule that counts, random effects included."""
        return components_at(self.target, self.run.rule)

    @cached_property
    def moments(self) -> tuple[Array, Array]:
        """Mean and sd of every estimand, (L,) each: from the marginal density where it follows from one φ."""
        mean, sd = self.components.moments()
        for i, axis in self._own_axis.items():
            mean[i], sd[i] = _moments_of(self._along(self.run.marginals[axis], axis, i))
        return mean, sd

    @cached_property
    def _differences(self) -> tuple[Array, Array]:
        """(L,) how far other rules are from mean and sd; those for a marginal density where one φ decides."""
        found = np.array([components_at(self.target, rule).moments() for rule in self.run.others])
        apart = np.abs(found - np.array(self.components.moments())).max(axis=0)
        for i, axis in self._own_axis.items():
            others = [_moments_of(self._along(each, axis, i)) for each in self.run.other_marginals[axis]]
            apart[:, i] = np.abs(np.array(others) - [part[i] for part in self.moments]).max(axis=0)
        mean, sd = apart
        return mean, sd

    @property
    def errors(self) -> Array:
        """(L,) of each mean."""
        return self._differences[0]

    @cached_property
    def worst(self) -> tuple[str, float]:
        """The parameter with the largest error of mean or sd, in sds, and the error; no random effect."""
        n = len(self.components.labels) - self.target.design.q
        ratio = (np.maximum(*self._differences) / self.moments[1])[:n]
        if not self.run.laplace.converged:
            ratio = np.full(n, np.inf)
        return self.components.labels[int(np.argmax(ratio))], float(ratio.max())

    def estimates(self, prob: float, ranef: bool, interval: Interval) -> "EstimateTable":
        """Mean, median, sd, interval; `mcse` is the error of the rule, and there is no ESS and no R-hat."""
        import pandas as pd

        from bayeslmm.estimands.table import EstimateTable

        check_interval(interval, prob)
        found = self.components
        n = len(found.labels) - (0 if ranef else self.target.design.q)
        mean, sd = self.moments
        tables = [self._distribution(i) for i in range(n)]
        bounds = np.array([_INTERVALS[interval](table, prob) for table in tables]).reshape(n, 2)
        columns = {
            "kind": [labels.kind_of(label) for label in found.labels[:n]],
            "mean": mean[:n],
            "median": [float(_quantile(table, 0.5)) for table in tables],
            "sd": sd[:n],
            "lower": bounds[:, 0],
            "upper": bounds[:, 1],
            "mcse": self.errors[:n],
            "ess_bulk": np.nan,
            "ess_tail": np.nan,
            "r_hat": np.nan,
        }
        frame = pd.DataFrame(columns, index=pd.Index(found.labels[:n], name="label"))
        return EstimateTable(frame, "posterior", interval, prob)

    def _distribution(self, i: int) -> tuple[Array, Array]:
        """Distribution function of one estimand: values and probabilities."""
        found = self.components
        if np.any(found.variance[:, i] > 0):
            heavy = self._heavy
            sd = np.sqrt(found.variance[heavy, i])
            return _mixture_of_normals(found.weights[heavy], found.mean[heavy, i], sd)
        if i in self._own_axis:
            axis = self._own_axis[i]
            return self._along(self.run.marginals[axis], axis, i)
        order = np.argsort(found.mean[:, i])
        weights = found.weights[order]
        return found.mean[order, i], np.cumsum(weights) - 0.5 * weights

    @cached_property
    def _heavy(self) -> NDArray[np.intp]:
        """Nodes that a distribution function can't do without: it has no more digits than its grid."""
        weights = self.components.weights
        order = np.argsort(weights)
        heavy: NDArray[np.intp] = np.sort(order[np.cumsum(weights[order]) > _LIGHT])
        return heavy

    def _along(self, marginal: Marginal, axis: int, i: int) -> tuple[Array, Array]:
        """An estimand that follows from one φ alone, and monotonely."""
        x, cdf = marginal.table()
        phi = np.tile(self.run.rule.mean(), (len(x), 1))
        phi[:, axis] = x
        with np.errstate(over="ignore", invalid="ignore"):
            values = _values(self.target, self.target.parameters(phi))[1][:, i]
        return (values, cdf) if values[-1] > values[0] else (values[::-1], 1 - cdf[::-1])

    @cached_property
    def _own_axis(self) -> dict[int, int]:
        """The one φ that an estimand follows from, of those that do."""
        exact = np.any(self.components.variance > 0, axis=0)
        alone = (self._dependence.sum(axis=0) == 1) & ~exact
        return {int(i): int(np.argmax(self._dependence[:, i])) for i in np.flatnonzero(alone)}

    @cached_property
    def _dependence(self) -> NDArray[np.bool_]:
        """(d, L) which φ each numerically integrated estimand depends on."""
        centre = self.run.rule.mean()
        around = np.vstack([centre, centre + 0.1 * np.eye(len(centre))])
        values = _values(self.target, self.target.parameters(around))[1]
        moved: NDArray[np.bool_] = values[1:] != values[0]
        return moved


def node_draws(run: QuadratureRun, target: Target, draws: int, seed: np.random.SeedSequence) -> Parameters:
    """Nodes drawn by weight (systematic resampling), in random order."""
    rng = np.random.default_rng(seed)
    places = (np.arange(draws) + rng.uniform()) / draws
    index = np.searchsorted(np.cumsum(run.rule.weights), places).clip(max=len(run.rule.weights) - 1)
    return target.parameters(run.rule.phi[rng.permutation(index)])


def components_at(target: Target, rule: Rule) -> Components:
    """Every estimand at every node of a rule, random effects last."""
    design, parameters = target.design, target.parameters(rule.phi)

    def one(at: Design, own: Index) -> tuple[Array, ...]:
        draws = parameters.take(own)
        given = draws.beta
        delta = np.zeros((len(draws), at.p)) if given is None else at.kernel.to_delta(given)
        prior = prior_of_delta(at.kernel, target.priors) if given is None else None
        sigma = np.ascontiguousarray(draws.sigma)
        found = effect_moments(at.kernel, relative_factors(at, draws), sigma, delta, prior)
        return found.beta, found.b, found.beta_variance, found.b_variance

    beta, b, beta_variance, b_variance = over_phi(one, design, parameters.phi)
    names, mean = _values(target, parameters, beta, b)
    variance = np.zeros(mean.shape)
    variance[:, : design.p] = beta_variance
    variance[:, mean.shape[1] - design.q :] = b_variance
    return Components(names, rule.weights, mean, variance)


def _values(
    target: Target, parameters: Parameters, beta: Array | None = None, b: Array | None = None
) -> tuple[tuple[str, ...], Array]:
    """Every label, and its value (m, L) at m points; effects not given are 0."""
    design, m = target.design, len(parameters)
    beta = parameters.beta if beta is None else beta
    effects = (
        np.zeros((1, m, design.p)) if beta is None else beta[None],
        np.zeros((1, m, design.q)) if b is None else b[None],
    )
    variables = posterior_variables(design, Draws((parameters,), *effects, {}))
    names, values = draws_by_label({"posterior": variables}, design, ranef=True)
    return names, values[0]


def _mixture_of_normals(weights: Array, mean: Array, sd: Array) -> tuple[Array, Array]:
    from scipy.special import ndtr

    centre = weights @ mean
    spread = np.sqrt(weights @ (sd**2 + (mean - centre) ** 2))
    x = centre + np.linspace(-8, 8, _GRID) * spread
    least = np.finfo(float).tiny
    return x, np.array([weights @ ndtr((value - mean) / np.maximum(sd, least)) for value in x])


def _moments_of(table: tuple[Array, Array]) -> tuple[float, float]:
    """Mean and sd of a distribution function; an exact step where the density is even between points."""
    x, cdf = table
    mass, middle = np.diff(cdf), 0.5 * (x[1:] + x[:-1])
    mean = float(mass @ middle)
    return mean, float(np.sqrt(mass @ (middle - mean) ** 2))


def _quantile(table: tuple[Array, Array], prob: float | Array) -> Array:
    """Quantiles by monotone interpolation of the inverse."""
    from scipy.interpolate import PchipInterpolator

    x, cdf = table
    rising = np.diff(cdf, prepend=-1.0) > 1e-12
    return np.asarray(PchipInterpolator(cdf[rising], x[rising])(prob))


def _equal_tails(table: tuple[Array, Array], prob: float) -> Array:
    return _quantile(table, np.array([(1 - prob) / 2, (1 + prob) / 2]))


def _highest_density(table: tuple[Array, Array], prob: float) -> Array:
    """The shortest interval of that probability."""
    below = np.linspace(0, 1 - prob, 1001)[1:-1]
    ends = _quantile(table, np.stack([below, below + prob]))
    return ends[:, np.argmin(ends[1] - ends[0])]


_INTERVALS = {"eti": _equal_tails, "hdi": _highest_density}
