"""Posteriors of models whose residual has parameters."""

from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import bayeslmm as bl
from bayeslmm.errors import OptionError, PriorError
from bayeslmm.parity.certificate.as_sampled import LogTogether
from bayeslmm.parity.witnesses import certificate_of
from bayeslmm.posterior.natural import NaturalTarget
from bayeslmm.posterior.target import Target
from bayeslmm.spec.residual import CorrelationStructure, VarianceFunction
from bayeslmm.spec.residual.correlations.base import Spatial

KINDS = list(CorrelationStructure.kinds())
FORMS = {"nothing": "1 | g", "steps": "t | g", "levels": "visit | g", "distance": "place | g"}
# of every variance function, a column it can read
COLUMNS = {"levels": "s", "numbers": "x", "positive numbers": "w", "numbers other than 0": "w"}


@cache
def rows(groups: int = 6) -> pd.DataFrame:
    rng, n = np.random.default_rng(1), 5 * groups
    g, t = np.repeat([chr(97 + i) for i in range(groups)], 5), np.tile([0, 1, 2, 4, 3], groups)
    data = pd.DataFrame({"g": g, "t": t, "visit": t % 4, "place": t + rng.uniform(0, 0.4, n)})
    data["x"], data["w"] = rng.normal(size=n), rng.uniform(0.5, 2.0, n)
    data["h"], data["s"] = np.resize(list("pqr"), n), np.repeat(["u", "v"], n // 2)
    own = rng.normal(size=n) + 0.7 * rng.normal(size=groups)[np.repeat(range(groups), 5)]
    data["y"] = 1 + 0.5 * data["x"] + own
    return data.drop(index=[3, 12, 29]).drop_duplicates(["g", "visit"])


def correlation(kind: str, **more: object) -> CorrelationStructure:
    found = CorrelationStructure.kind(kind)
    more |= {"p": 2, "q": 1} if kind == "ARMA" else {}
    more |= {"nugget": True} if issubclass(found, Spatial) else {}
    return found(FORMS[found.counts.value], **more)


def model(kind: str, groups: int = 6, **more: object) -> bl.LinearMixedModel:
    return bl.LinearMixedModel("y ~ x + (1 | h)", rows(groups), correlation=correlation(kind, **more))


@cache
def plain() -> bl.LinearMixedModel:
    return bl.LinearMixedModel("y ~ x", rows(), correlation=correlation("AR1"))


@cache
def sampled(method: str) -> object:
    return plain().sample(seed=3, draws=250, tune=300, progress=False, method=method)


@pytest.mark.parametrize("kind", KINDS)
def test_the_gradient_is_that_of_differences(kind: str) -> None:
    own = correlation(kind, by="s")
    variance = bl.variance.Ident("s") * bl.variance.ConstantPower("w")
    made = bl.LinearMixedModel("y ~ x + (1 | h)", rows(), correlation=own, variance=variance)
    target = Target(made.design.begun, made.priors)
    phi = target.start() + 0.2 * np.random.default_rng(0).standard_normal(target.size)
    steps = 1e-5 * np.eye(target.size)
    differences = (target(phi + steps) - target(phi - steps)) / 2e-5
    np.testing.assert_allclose(target.value_and_gradient(phi)[1], differences, rtol=1e-6, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_every_correlation_is_certified(kind: str) -> None:
    made = model(kind, groups=18)  # fewer have no interior optimum of six correlations
    found = certificate_of(made.design, made.priors)
    assert all(line.ok for line in found.lines if line.name != "design" and not line.skipped), found.sentence
    assert found["explicit graph"].points == 24


@pytest.mark.slow
@pytest.mark.parametrize("kind", list(VarianceFunction.kinds()))
def test_every_variance_is_certified(kind: str) -> None:
    found = VarianceFunction.kind(kind)
    made = bl.LinearMixedModel("y ~ x + (1 | h)", rows(), variance=found(COLUMNS[found.reads.value]))
    certificate = certificate_of(made.design, made.priors)
    assert all(line.ok for line in certificate.lines if not line.skipped), certificate.sentence


def test_a_users_priors_are_certified() -> None:
    made = model("AR1").with_priors({"phi[AR1]": bl.Uniform(-0.5, 0.9), "sigma": bl.Exponential(1.0)})
    found = certificate_of(made.design, made.priors)
    assert all(line.ok for line in found.lines if not line.skipped), found.sentence


@pytest.mark.parametrize("kind", ["Unstructured", "Toeplitz", "AnteDependence", "ARMA"])
def test_an_even_prior_of_correlations_is_flat_in_natural_values(kind: str) -> None:
    label = next(label for label in model(kind).priors.table if label.startswith(("cor", "phi")))
    even, flat = (model(kind).with_priors({label: own}) for own in (bl.LKJ(1.0), bl.LKJ(2.0)))
    targets = [NaturalTarget(each.design.begun, each.priors) for each in (even, flat)]
    points = targets[0].start() + 0.3 * np.random.default_rng(0).standard_normal((4, targets[0].size))
    none = NaturalTarget(targets[0].design, even.priors.only([k for k in even.priors.informed if k != "phi"]))
    np.testing.assert_array_equal(targets[0].log_prior(points), none.log_prior(points))
    assert np.ptp(targets[1].log_prior(points) - none.log_prior(points)) > 0.01


def test_draws_have_the_labels_of_the_estimates() -> None:
    post, fit = sampled("importance"), plain().fit()
    assert list(post.estimates().frame.index) == list(fit.estimates().frame.index)
    np.testing.assert_array_equal(post.data["posterior"]["residual"]["residual_parameter"], ["phi[AR1]"])
    assert post.estimates().frame.loc["phi[AR1]", "kind"] == "phi"
    assert list(post.priors.table)[-2:] == ["phi[AR1]", "sigma"]


def test_importance_has_the_moments_of_quadrature() -> None:
    exact, drawn = sampled("quadrature").estimates().frame, sampled("importance").estimates().frame
    apart = (drawn["mean"] - exact["mean"]) / np.hypot(drawn["mcse"], 0.02 * exact["sd"])
    assert np.abs(apart).max() < 4.5


@pytest.mark.slow
@pytest.mark.parametrize("method", ["marginal", "explicit"])
def test_nuts_has_the_moments_of_quadrature(method: str) -> None:
    exact, drawn = sampled("quadrature").estimates().frame, sampled(method).estimates().frame
    apart = (drawn["mean"] - exact["mean"]) / np.hypot(drawn["mcse"], 0.02 * exact["sd"])
    assert np.abs(apart).max() < 4.5


@pytest.mark.slow
@pytest.mark.parametrize(
    "own",
    [
        {"correlation": correlation("CompoundSymmetry")},
        {"correlation": correlation("Unstructured"), "variance": bl.variance.Ident("visit")},
        {"variance": bl.variance.Power("w")},
        {"variance": bl.variance.Ident("s")},
    ],
    ids=["any two alike", "any matrix", "a power", "an sd a level"],
)
@pytest.mark.parametrize("method", ["marginal", "explicit"])
def test_nuts_has_the_moments_of_importance(own: dict[str, object], method: str) -> None:
    made = bl.LinearMixedModel("y ~ x", rows(), **own)
    drawn, others = (
        made.sample(seed=5, draws=500, tune=500, progress=False, method=each).estimates().frame
        for each in (method, "importance")
    )
    apart = (drawn["mean"] - others["mean"]) / np.hypot(drawn["mcse"], others["mcse"])
    assert np.abs(apart).max() < 4.5


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_ranks_of_what_was_drawn_are_even() -> None:
    """Simulation-based calibration of AR1 beside a random intercept (Talts et al. 2018)."""
    from scipy import stats

    from bayeslmm.posterior.methods.importance import importance
    from bayeslmm.posterior.options import SampleOptions
    from bayeslmm.posterior.parameters import joined
    from bayeslmm.posterior.prior_draws import draw_priors

    replicates, thin = 100, 20
    priors = {"beta": bl.Normal(0, 1), "sd": bl.HalfNormal(1), "sigma": bl.HalfNormal(1)}
    made, rng = model("AR1").with_priors(priors), np.random.default_rng(8)
    design, ranks = made.design.begun, []
    options = SampleOptions(draws=25 * thin, chains=4, progress=False, cores=1)
    true = draw_priors(design, made.priors, replicates, rng)
    for i in range(replicates):
        at = design.at_phi(true.phi[i])
        b = true.sd["h"][i] * rng.standard_normal(design.q)
        e = true.sigma[i] * at.residual.draw(rng, 1)[0]
        drawn = design.with_response(design.X @ true.beta[i] + design.Z @ b + e)
        found = importance(Target(drawn, made.priors), options, np.random.SeedSequence(i).spawn(4))
        own = joined(found.parameters).take(slice(None, None, thin))
        values = zip((own.phi, own.sd["h"], own.sigma), (true.phi, true.sd["h"], true.sigma), strict=True)
        ranks.append([int(np.sum(each.ravel() < np.ravel(value)[i])) for each, value in values])
    for column in np.array(ranks).T:
        counts = np.bincount(column * 10 // 101, minlength=10)
        assert stats.chisquare(counts).pvalue > 1e-4


@pytest.mark.parametrize("kind", ["AR1", "Gaussian", "Unstructured"])
def test_threads_find_the_same(kind: str) -> None:
    """Whatever is kept of one φ while another thread asks for another."""
    made = bl.LinearMixedModel(
        "y ~ x", rows(), correlation=correlation(kind), variance=bl.variance.Ident("s")
    )
    target = Target(made.design.begun, made.priors)
    points = target.start() + 0.2 * np.random.default_rng(0).standard_normal((8, 20, target.size))
    with ThreadPoolExecutor(4) as pool:
        for ask in (target, lambda phi: target.with_gradients(phi[:2])[1]):
            np.testing.assert_array_equal(list(pool.map(ask, points)), list(map(ask, points)))


def test_rows_in_another_order_have_the_same_posterior() -> None:
    shuffled = rows().sample(frac=1, random_state=0)
    other = bl.LinearMixedModel("y ~ x + (1 | h)", shuffled, correlation=correlation("AR1"))
    first, second = (Target(each.design.begun, each.priors) for each in (model("AR1"), other))
    phi = first.start() + 0.3
    np.testing.assert_allclose(first(phi[None]), second(phi[None]), rtol=1e-11)


@pytest.mark.parametrize("kind", ["CAR1", "Exponential"])
def test_the_unit_of_time_doesnt_matter(kind: str) -> None:
    """Of draws of φ, which has no unit, the density is the same."""
    slower = rows().assign(place=rows()["place"] * 60)
    other = bl.LinearMixedModel("y ~ x + (1 | h)", slower, correlation=correlation(kind))
    first, second = (Target(each.design.begun, each.priors) for each in (model(kind), other))
    phi = first.start() + 0.3
    np.testing.assert_allclose(first(phi[None]), second(phi[None]), rtol=1e-10)


def test_each_row_is_told_by_those_before_it() -> None:
    """log p(y | β, b, σ, φ) is the sum over rows of what each is given those before it."""
    post = sampled("importance")
    chain = post.draws.parameters[0]
    design = post.design.at_phi(chain.phi[0])
    gap = design.y - design.X @ post.draws.beta[0, 0]
    R = design.residual.unwhiten(np.eye(design.n))
    covariance = chain.sigma[0] ** 2 * R @ R.T
    expected = -0.5 * (gap @ np.linalg.solve(covariance, gap) + np.linalg.slogdet(2 * np.pi * covariance)[1])
    np.testing.assert_allclose(post.data["log_likelihood"]["y"][0, 0].sum(), expected, rtol=1e-9)


def test_what_is_predicted_of_fitted_rows() -> None:
    post = sampled("importance")
    found = post.predict(interval="prediction")
    assert (found["lower"] < found["upper"]).all()
    assert post.posterior_predictive()["posterior_predictive"]["y"].shape == (4, 250, post.design.n)


def test_what_is_refused_by_name() -> None:
    post = sampled("importance")
    with pytest.raises(OptionError, match="rows of one residual group"):
        post.loo()
    with pytest.raises(OptionError, match="is correlated with the observed ones"):
        post.predict(rows().head(2), interval="prediction")
    of_fitted = bl.LinearMixedModel("y ~ x", rows(), variance=bl.variance.Power(of="fitted"))
    with pytest.raises(OptionError, match="no Gaussian integral"):
        of_fitted.sample()


@pytest.mark.parametrize(
    "priors, match",
    [
        ({"phi": bl.Normal(0, 1)}, "doesn't fit 'phi\\[AR1\\]'"),
        ({"phi": bl.Uniform(0, 2)}, "reaches above 1"),
        ({"delta": bl.Normal(0, 1)}, "give variance="),
    ],
)
def test_priors_that_dont_fit(priors: dict[str, object], match: str) -> None:
    with pytest.raises(PriorError, match=match):
        model("AR1").with_priors(priors)


@pytest.mark.parametrize("kind", ["ARMA", "AnteDependence", "Toeplitz", "Unstructured"])
def test_elements_of_one_prior_have_the_density_of_its_correlations(kind: str) -> None:
    (part,) = model(kind).design.residual.parts
    eta, units = 1.7, np.random.default_rng(2).uniform(0.2, 0.8, part.width)
    shapes = part.joint.shapes(eta)
    expected = stats.beta.logpdf(units, shapes, shapes).sum()
    assert LogTogether(part, bl.LKJ(eta))(units) == pytest.approx(expected, abs=1e-10)
