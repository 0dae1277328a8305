"""Importance sampling against a grid: where it trusts itself, it is right, whatever the prior.

One-way models with three to forty groups, the groups' sd from a thirtieth of the residual's to a hundred
times it, and priors from a thousandth to a hundred times that sd: in conflict with the data they make two
modes, of which one search sees one.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bayeslmm.posterior.methods.importance import importance
from bayeslmm.posterior.options import SampleOptions
from bayeslmm.posterior.target import Target
from bayeslmm.spec.build import build
from bayeslmm.spec.model_spec import ModelSpec
from bayeslmm.spec.priors import Exponential, Gamma, HalfNormal, HalfStudentT, default_priors

FAMILIES = {
    "half-normal": HalfNormal,
    "exponential": Exponential,
    "half-t": lambda scale: HalfStudentT(4, scale),
    "gamma": lambda scale: Gamma(2.5, 2.5 / scale),
}


@dataclass(frozen=True)
class OneWay:
    """Data with J groups of m rows, their sd `spread` times the residual's, and priors; printed in a line."""

    J: int
    m: int
    seed: int
    spread: float
    family: str
    scale: float
    sigma: float | None = None

    @property
    def y(self):
        rng = np.random.default_rng(self.seed)
        return self.spread * rng.standard_normal((self.J, 1)) + rng.standard_normal((self.J, self.m))

    @property
    def target(self):
        data = pd.DataFrame({"y": self.y.ravel(), "g": np.repeat(np.arange(self.J), self.m).astype(str)})
        design = build(ModelSpec("y ~ 1 + (1 | g)"), data).design
        changes = {"sd": FAMILIES[self.family](self.spread * self.scale)}
        if self.sigma:
            changes["sigma"] = HalfNormal(self.sigma)
        return Target(design, default_priors(design).replace(changes))


FAR_MODE = OneWay(15, 3, 277646623, 1.0, "exponential", 0.008976871324473142, 0.06552488237367148)


@st.composite
def one_way(draw):
    J, m = draw(st.sampled_from([3, 4, 6, 8, 15, 40])), draw(st.sampled_from([2, 3, 8, 15]))
    seed = draw(st.integers(0, 2**32 - 1))
    spread = 10 ** draw(st.floats(-1.5, 2))
    family, scale = draw(st.sampled_from(list(FAMILIES))), 10 ** draw(st.floats(-3, 2))
    sigma = 10 ** draw(st.floats(-1.5, 1.5)) if draw(st.booleans()) else None
    return OneWay(J, m, seed, spread, family, scale, sigma)


def grid_moments(y, priors):
    """Moments of log σ and log sd by sums over a grid; two sums of squares hold the likelihood."""
    J, m = y.shape
    within = np.sum((y - y.mean(axis=1, keepdims=True)) ** 2)
    between = m * np.sum((y.mean(axis=1) - y.mean()) ** 2)
    top, low = 0.5 * np.log((within + between) / y.size), 0.5 * np.log(within / y.size)
    a = np.arange(low - 2, top + 2.5, 0.01)[:, None]
    b = np.arange(top - 14, top + 8, 0.03)[None]
    error, both = np.exp(2 * a), np.exp(2 * a) + m * np.exp(2 * b)
    log_density = -0.5 * (J * (m - 1) * 2 * a + within / error + (J - 1) * np.log(both) + between / both)
    log_density = log_density + priors.sd["g"][0].logpdf(np.exp(b)) + priors.sigma.logpdf(np.exp(a)) + a + b
    weight = np.exp(log_density - log_density.max())
    weight /= weight.sum()
    return [_moments(x, weight) for x in (a, b)]


def _moments(x, weight):
    """Mean, sd and kurtosis."""
    mean = np.sum(weight * x)
    second, fourth = (np.sum(weight * (x - mean) ** power) for power in (2, 4))
    return float(mean), float(np.sqrt(second)), float(fourth / second**2)


def drawn(run):
    """Draws of log σ and log sd."""
    return [np.log([p.sigma for p in run.parameters]), np.log([p.sd["g"][:, 0] for p in run.parameters])]


@given(one_way())
@example(FAR_MODE)
@settings(max_examples=400, deadline=None)
def test_no_silent_error(model):
    """Of an sd where few draws make it, a mode of a thousandth of the mass, no more is asked."""
    target = model.target
    run = importance(target, SampleOptions(draws=1000, chains=2), np.random.SeedSequence(1).spawn(2))
    if not run.trustworthy:
        return
    for values, (mean, sd, kurtosis) in zip(drawn(run), grid_moments(model.y, target.priors), strict=True):
        noise = 0.5 * np.sqrt((kurtosis - 1) / (values.size * run.efficiency))
        assert abs(values.mean() - mean) < 0.25 * sd
        assert abs(np.log(values.std() / sd)) < 0.1 + 5 * noise


TRUSTED = []


@given(one_way())
@settings(max_examples=60, deadline=None, derandomize=True)
def _collect(model):
    run = importance(model.target, SampleOptions(draws=500, chains=2), np.random.SeedSequence(1).spawn(2))
    TRUSTED.append(run.trustworthy)


def test_trust_is_the_rule():
    """A gate that refuses everything would keep the other law."""
    _collect()
    assert np.mean(TRUSTED) > 0.95
