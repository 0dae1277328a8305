"""The posterior probability of a comparison, and its Bayes factor where the prior is proper."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayeslmm.kernel.kernel import Kernel
from bayeslmm.kernel.values.fixed_effects import PriorOfDelta
from bayeslmm.markup import paragraph
from bayeslmm.posterior.fixed_effects import integrable, prior_of_delta
from bayeslmm.posterior.parameters import Index, Parameters, over_phi, relative_factors
from bayeslmm.posterior.summary.tree import Draws
from bayeslmm.render.kde import density_at
from bayeslmm.spec.design import Design
from bayeslmm.spec.labels import kind_of
from bayeslmm.spec.priors import Prior, Priors

type Array = NDArray[np.float64]

PRIOR_DRAWS = 200_000
NEAR, FEW = 0.25, 20  # sds of the posterior, and draws that must be within them
MIXED = 1000  # draws whose conditional densities are averaged


class Comparison(NamedTuple):
    """l'ψ > d, or another sign.

    Attributes
    ----------
    text : as written. labels, row : of the parameters with a weight, and l there.
    value : d. sign : of `COMPARISONS`.
    """

    text: str
    labels: tuple[str, ...]
    row: Array
    value: float
    sign: str

    def share(self, draws: Array) -> float:
        """Of draws of l'ψ for which it holds; those equal to d count where the sign says so."""
        below = self.sign.startswith("<")
        strict = draws < self.value if below else draws > self.value
        return float(np.mean(strict | (self.sign.endswith("=") & (draws == self.value))))


@dataclass(frozen=True, slots=True)
class PosteriorHypothesis:
    """What the posterior says of a comparison.

    Attributes
    ----------
    text : as written. probability : of it given the data; NaN for "=", which has probability 0 or 1 as the
        prior is continuous. mcse : of the probability, from as many draws as there are effective ones.
    odds : probability against its complement.
    bayes_factor : in favour of it, against its complement: posterior odds over prior odds, or for "=" the
        posterior density over the prior's at the point (Savage and Dickey); NaN where `note` says why.
    """

    text: str
    probability: float
    mcse: float
    odds: float
    bayes_factor: float
    note: str = ""

    def __repr__(self) -> str:
        return self._sentence

    def _repr_html_(self) -> str:
        return paragraph(self._sentence)

    @property
    def _sentence(self) -> str:
        said = []
        if not np.isnan(self.probability):
            said.append(f"P({self.text} | y) = {self.probability:.4g} ± {self.mcse:.1g}")
        if not np.isnan(self.bayes_factor):
            said.append(f"Bayes factor {self.bayes_factor:.4g}")
        return ", ".join([*said, *([self.note] if self.note else [])])


def hypothesis(
    design: Design, priors: Priors, draws: Draws, asked: Comparison, values: Array
) -> PosteriorHypothesis:
    """Judge a comparison by draws `values` (chains, draws) of its left side, l'ψ."""
    note = _no_prior(priors, asked.labels)
    if asked.sign == "=":
        note = note or _too_far(priors, asked, values)
        factor = np.nan
        if not note:
            factor = posterior_density(design, priors, draws, asked, values) / prior_density(priors, asked)
        return PosteriorHypothesis(asked.text, np.nan, np.nan, np.nan, float(factor), note)
    p = asked.share(values)
    odds = _odds(p)
    factor = np.nan if note else odds / _odds(asked.share(prior_values(priors, asked)))
    return PosteriorHypothesis(asked.text, p, _mcse(asked, values), odds, float(factor), note)


def _odds(p: float) -> float:
    return p / (1 - p) if p < 1 else np.inf


def _mcse(asked: Comparison, values: Array) -> float:
    from arviz_stats.base import array_stats

    holds = (values < asked.value if asked.sign.startswith("<") else values > asked.value).astype(float)
    if np.ptp(holds) == 0:
        return 0.0
    return float(array_stats.mcse(holds, method="mean", chain_axis=0, draw_axis=1))


def _no_prior(priors: Priors, labels: tuple[str, ...]) -> str:
    """Why there is no prior to compare with; nothing where there is one."""
    without = [label for label in labels if label not in priors.table]
    if without:
        return f"no Bayes factor: {without[0]} has no prior of its own"
    flat = [label for label in labels if not priors.table[label].proper]
    return f"no Bayes factor: the prior of {flat[0]} is flat; give a proper one" if flat else ""


def _too_far(priors: Priors, asked: Comparison, values: Array) -> str:
    """Why the density of draws isn't known at d; nothing where it is."""
    if (
        _normal_given_the_rest(priors, asked)
        or np.sum(np.abs(values - asked.value) < NEAR * values.std()) >= FEW
    ):
        return ""
    return f"no Bayes factor: too few draws are near {asked.value:g} to tell the density there"


def _normal_given_the_rest(priors: Priors, asked: Comparison) -> bool:
    return all(kind_of(label) == "beta" for label in asked.labels) and integrable(priors)


def prior_values(priors: Priors, asked: Comparison) -> Array:
    """Draws of l'ψ from its independent priors; the same always."""
    rng = np.random.default_rng(0)
    own = [priors.table[label].draw(rng, PRIOR_DRAWS) for label in asked.labels]
    return np.asarray(asked.row @ np.array(own))


def prior_density(priors: Priors, asked: Comparison) -> float:
    """Of l'ψ at d: exact for one parameter, else of draws."""
    if len(asked.labels) == 1:
        return _of_one(priors.table[asked.labels[0]], float(asked.row[0]), asked.value)
    return density_at(prior_values(priors, asked), asked.value)


def _of_one(prior: Prior, weight: float, value: float) -> float:
    return float(np.exp(prior.logpdf(value / weight)) / abs(weight))


def posterior_density(
    design: Design, priors: Priors, draws: Draws, asked: Comparison, values: Array
) -> float:
    """Of l'ψ at d.

    For fixed effects under normal or flat priors the mean of their normal densities given the other
    parameters, which no bandwidth blurs; else of draws, reflected at 0 for one standard deviation.
    """
    if _normal_given_the_rest(priors, asked):
        return float(np.mean(list(_conditional_densities(design, priors, draws.parameters, asked))))
    positive = len(asked.labels) == 1 and kind_of(asked.labels[0]) in ("sd", "sigma")
    lower, scale = (0.0, float(asked.row[0])) if positive else (-np.inf, 1.0)
    return density_at(values.ravel() / scale, asked.value / scale, lower) / abs(scale)


def _conditional_densities(
    design: Design, priors: Priors, chains: tuple[Parameters, ...], asked: Comparison
) -> Iterator[float]:
    """Density of l'β at d given y and the other parameters, at draws spread over all."""
    place = {f"beta[{coef}]": number for number, coef in enumerate(design.coefs)}
    row = np.zeros(design.p)
    row[[place[label] for label in asked.labels]] = asked.row
    for chain in chains:
        some = chain.take(slice(None, None, max(1, len(chain) * len(chains) // MIXED)))

        def one(at: Design, own: Index, some: Parameters = some) -> tuple[Array]:
            draws = some.take(own)
            moments = _Normal.of(at.kernel, prior_of_delta(at.kernel, priors), row)
            pairs = zip(relative_factors(at, draws), draws.sigma, strict=True)
            return (np.array([moments.density(asked.value, lam, sigma) for lam, sigma in pairs]),)

        yield from over_phi(one, design, some.phi)[0].tolist()


class _Normal(NamedTuple):
    """l'β given y and the other parameters: along is R_X⁻ᵀl, centre l'β at δ = 0."""

    kernel: Kernel
    prior: PriorOfDelta
    along: Array
    centre: float

    @classmethod
    def of(cls, kernel: Kernel, prior: PriorOfDelta, row: Array) -> "_Normal":
        centre = float(row @ kernel.to_beta(np.zeros(len(row))))
        return cls(kernel, prior, np.linalg.solve(kernel.R_X.T, row), centre)

    def density(self, value: float, lam: Array, sigma: float) -> float:
        A = self.kernel.conditional(lam).A / sigma**2
        K, c = A[:-1, :-1] + self.prior.precision, A[:-1, -1] + self.prior.shift
        mean, variance = (
            self.centre + self.along @ np.linalg.solve(K, c),
            self.along @ np.linalg.solve(K, self.along),
        )
        return float(np.exp(-0.5 * (value - mean) ** 2 / variance) / np.sqrt(2 * np.pi * variance))
