"""To Bambi and back: the same density, or a refusal that says why."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import bayeslmm as bl
from bayeslmm.errors import BayesLMMError, DesignWarning, InputError, OptionError
from bayeslmm.parity.usual_names import usual_names

from .bambi_here import needs_bambi

pytestmark = needs_bambi


def bambi_model(formula, data, **options):
    import bambi

    rows = bl.load_dataset(data) if isinstance(data, str) else data
    return bambi.Model(formula, rows, **({"center_predictors": False} | options))


def prior(name, **arguments):
    import bambi

    return bambi.Prior(name, **arguments)


# ---- the law: what the bridge accepts is one density


def table(seed, mean):
    rng = np.random.default_rng(seed)
    n = 24
    data = pd.DataFrame({"y": rng.normal(size=n), "x": mean + rng.normal(size=n), "z": rng.normal(size=n)})
    data["o"] = rng.normal(size=n)
    data["f"] = pd.Categorical(rng.permutation(list("abc") * 8))
    data["g"] = rng.permutation(list("pqrs") * 6)
    data["h"] = rng.permutation(list("tuvwxy") * 4)
    return data


SCALES = st.floats(0.3, 4.0)
MEANS = st.floats(-3.0, 3.0)
REAL = st.one_of(
    st.builds(lambda m, s: ("Normal", {"mu": m, "sigma": s}), MEANS, SCALES),
    st.builds(lambda n, m, s: ("StudentT", {"nu": n, "mu": m, "sigma": s}), st.floats(1, 9), MEANS, SCALES),
    st.builds(lambda m, s: ("Laplace", {"mu": m, "b": s}), MEANS, SCALES),
    st.builds(lambda m, s: ("Cauchy", {"alpha": m, "beta": s}), MEANS, SCALES),
    st.just(("Flat", {})),
)
POSITIVE = st.one_of(
    st.builds(lambda s: ("HalfNormal", {"sigma": s}), SCALES),
    st.builds(lambda n, s: ("HalfStudentT", {"nu": n, "sigma": s}), st.floats(1, 9), SCALES),
    st.builds(lambda s: ("HalfCauchy", {"beta": s}), SCALES),
    st.builds(lambda s: ("Exponential", {"lam": s}), SCALES),
    st.builds(lambda a, b: ("Gamma", {"alpha": a, "beta": b}), st.floats(1, 4), SCALES),
    st.just(("HalfFlat", {})),
)
TERMS = ["x", "z", "f", "x:z", "f:x", "scale(x)", "center(x)", "I(x**2)"]
COMMON = st.lists(st.sampled_from(TERMS), max_size=3)
TERMS_OF_GROUPS = ["(1|g)", "(x|g)", "(0 + z|h)", "(f|h)", "(1|h)", "(scale(x)|h)", "(0 + f|g)", "(1|g:f)"]
BARS = st.lists(st.sampled_from(TERMS_OF_GROUPS), max_size=2, unique=True)


@st.composite
def models(draw):
    """A Bambi model with priors of its own for most of its terms."""
    start, common, bars = draw(st.sampled_from(["1", "0"])), draw(COMMON), draw(BARS)
    offset = draw(st.sampled_from([[], ["offset(o)"]]))
    assume(start == "1" or common or bars)  # Bambi can't build a model without effects,
    assume({"(f|h)", "(0 + f|g)"} - set(bars))  # nor one factor in two codings
    formula = "y ~ " + " + ".join([start, *dict.fromkeys(common), *offset, *bars])
    data = table(draw(st.integers(0, 99)), draw(st.sampled_from([0.0, 7.0])))
    data.loc[:, "z"] -= data["z"].mean() if draw(st.booleans()) else 0
    centred, noncentered = draw(st.booleans()), draw(st.booleans())
    options = {"center_predictors": centred, "noncentered": noncentered}
    names = bambi_model(formula, data, **options).parameters["mu"]
    priors = {}
    for name, term in names.terms.items():
        if term.kind == "offset":
            continue
        if "|" in name:
            mu = draw(st.sampled_from([0, 0, 0, 2, "random"]))
            mu = prior("Normal", mu=0, sigma=1) if mu == "random" else mu
            family, arguments = draw(POSITIVE)
            priors[name] = prior("Normal", mu=mu, sigma=prior(family, **arguments))
        else:
            family, arguments = draw(REAL)
            priors[name] = prior(family, **arguments)
    if draw(st.booleans()):
        family, arguments = draw(POSITIVE)
        priors["sigma"] = prior(family, **arguments)
    return bambi_model(formula, data, priors=priors, **options)


def differences(theirs, ours):
    """Their log density (of the graph, without Jacobians) less ours, at points that both are told."""
    from bayeslmm.posterior.bridge.columns import Matched

    theirs.build()
    graph, matched = theirs.backend.model, Matched.of(ours.design, theirs)
    logp = graph.compile_logp(jacobian=False, mode="FAST_COMPILE")
    start = graph.initial_point()
    for seed in range(3):
        rng = np.random.default_rng(seed)
        natural, point = {}, {}
        for variable in graph.free_RVs:
            name, value = variable.name, graph.rvs_to_values[variable].name
            free = rng.normal(size=np.shape(start[value]))
            positive = graph.rvs_to_transforms[variable] is not None
            point[value] = free  # PyMC's own transform of what is positive is the logarithm
            natural[name] = np.exp(free) if positive else free
        yield float(logp(point)) - our_density(ours, matched, natural, theirs)


def our_density(ours, matched, natural, theirs):
    """log p(y | β, b, σ) + log p(b | sd) + Σ log priors, by NumPy alone, in their coordinates of b."""
    from scipy import stats

    design, priors = ours.design, ours.priors

    def pick(name, element):
        return np.ravel(natural[name])[element if np.size(natural[name]) > 1 else 0]

    beta = np.array([pick(column.term, column.element) for column in matched.fixed])
    if theirs.center_predictors and "Intercept" in natural:
        rest = [i for i, column in enumerate(matched.fixed) if column.term != "Intercept"]
        at = [column.term for column in matched.fixed].index("Intercept")
        beta[at] -= design.X[:, rest].mean(axis=0) @ beta[rest]
    total = sum(float(p.logpdf(b)) for p, b in zip(priors.beta, beta, strict=True))
    sigma = float(natural["sigma"]) if "sigma" in natural else ours.spec.sigma
    mean = design.X @ beta + design.offset
    if "sigma" in priors.table:
        total += float(priors.sigma.logpdf(sigma))
    for block, columns in zip(design.blocks, matched.random, strict=True):
        for column, record in zip(columns, priors.sd[block.group], strict=True):
            sd = pick(f"{column.term}_sigma", column.element)
            total += float(record.logpdf(sd))
            offset = natural.get(f"{column.term}_offset")
            drawn = natural[column.term] if offset is None else offset
            drawn = drawn if drawn.ndim == 1 else drawn[:, column.element]
            b = drawn if offset is None else drawn * sd
            total += stats.norm.logpdf(drawn, 0, sd if offset is None else 1.0).sum()
            mean = mean + b[column.codes] * column.values
    return total + stats.norm.logpdf(design.y, mean, sigma).sum()


def check_one_density(theirs):
    """How far their log density is from a constant to ours, or the refusal; warnings aside."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DesignWarning)
        try:
            ours = bl.from_bambi(theirs)
        except BayesLMMError as refusal:
            return str(refusal)
    found = list(differences(theirs, ours))
    assert np.ptp(found) < 1e-8 * max(1.0, *map(abs, found)), theirs
    return None


@settings(max_examples=4, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(models())
def test_what_the_bridge_accepts_is_one_density(theirs):
    check_one_density(theirs)


@pytest.mark.slow
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(models())
def test_what_the_bridge_accepts_is_one_density_for_many_models(theirs):
    check_one_density(theirs)


# ---- from Bambi


def test_independent_terms_become_double_bars():
    model = bl.from_bambi(bambi_model("Reaction ~ Days + (Days|Subject)", "sleepstudy"))
    assert model.spec.formula == "Reaction ~ Days + (Days||Subject)"
    assert model.design.covariance.block_pairs(0) == ()
    plain = bl.LinearMixedModel("Reaction ~ Days + (Days || Subject)", bl.load_dataset("sleepstudy"))
    assert model.fit().criterion_value == pytest.approx(plain.fit().criterion_value)


def test_bambi_default_priors_are_ours():
    model = bl.from_bambi(bambi_model("Reaction ~ Days + (Days|Subject)", "sleepstudy"))
    ours = bl.LinearMixedModel("Reaction ~ Days + (Days || Subject)", bl.load_dataset("sleepstudy")).priors
    assert model.priors.sd["Subject"][1].scale == pytest.approx(ours.sd["Subject"][1].scale, rel=1e-6)
    assert model.priors.sigma.scale == pytest.approx(ours.sigma.scale, rel=1e-6)
    assert model.priors.beta[1].sd == pytest.approx(48.8915, abs=1e-3)


def test_factors_keep_the_prior_of_each_column():
    model = bl.from_bambi(bambi_model("score ~ Machine + (Machine|Worker)", "Machines"))
    assert [type(record).__name__ for record in model.priors.beta] == ["Normal"] * 3
    assert len(model.priors.sd["Worker"]) == 3


def test_a_known_sigma_is_known():
    model = bl.from_bambi(bambi_model("Yield ~ 1 + (1|Batch)", "Dyestuff", priors={"sigma": 50.0}))
    assert model.spec.sigma == 50.0
    assert "sigma" not in model.priors.table


def group(**arguments):
    return {"1|Batch": prior(arguments.pop("family", "Normal"), **arguments)}


def half():
    return prior("HalfNormal", sigma=9)


REFUSED = {
    "another family": ("Yield ~ 1", lambda: {"family": "gamma"}, "gamma"),
    "a prior of Student's t": (
        "Yield ~ 1 + (1|Batch)",
        lambda: {"priors": group(family="StudentT", nu=3, mu=0, sigma=half()), "noncentered": False},
        "normal about 0.*StudentT",
    ),
    "Laplace": (
        "Yield ~ 1 + (1|Batch)",
        lambda: {"priors": group(family="Laplace", mu=0, b=half()), "noncentered": False},
        "normal about 0.*Laplace",
    ),
    "a mean": (
        "Yield ~ 1 + (1|Batch)",
        lambda: {"priors": group(mu=3, sigma=half()), "noncentered": False},
        "mean of its own is a fixed effect",
    ),
    "a mean with a prior": (
        "Yield ~ 0 + (1|Batch)",
        lambda: {"priors": group(mu=prior("Normal", mu=0, sigma=1), sigma=half()), "noncentered": False},
        "mean of its own is a fixed effect",
    ),
    "an sd that is known": (
        "Yield ~ 1 + (1|Batch)",
        lambda: {"priors": group(mu=prior("Normal", mu=0, sigma=1), sigma=2.0), "noncentered": False},
        "standard deviation that has a prior",
    ),
    "a prior of a prior": (
        "Yield ~ 1 + (1|Batch)",
        lambda: {"priors": group(mu=0, sigma=prior("HalfNormal", sigma=half()))},
        "has a prior for its sigma",
    ),
    "an unknown family": (
        "Yield ~ 1 + (1|Batch)",
        lambda: {"priors": group(mu=0, sigma=prior("Wald", mu=1, lam=1))},
        "'Wald' isn't known",
    ),
    "a flat sd": (
        "Yield ~ 1 + (1|Batch)",
        lambda: {"priors": group(mu=0, sigma=prior("Flat"))},
        "negative values too",
    ),
    "a half-flat effect": (
        "Yield ~ 1",
        lambda: {"priors": {"Intercept": prior("HalfFlat")}},
        "positive values",
    ),
    "a density of its own": (
        "Yield ~ 1",
        lambda: {"priors": {"Intercept": prior("Normal", dist=lambda *a, **k: None, mu=0, sigma=1)}},
        "density of its own",
    ),
    "a centred intercept": (
        "Yield ~ x + (1|Batch)",
        lambda: {"center_predictors": True},
        "center_predictors=False",
    ),
    "scale() in X": ("Yield ~ scale(x) + (1|Batch)", dict, r"'scale\(x\)'.*divides by n"),
    "dependent columns": ("Yield ~ x + center(x)", dict, r"can't tell 'center\(x\)' from"),
    "scale() in Z": ("Yield ~ 1 + (0 + scale(x)|Batch)", dict, r"'scale\(x\)' of 'Batch'"),
    "weights": ("weighted(Yield, w) ~ 1 + (1|Batch)", dict, "its response is weighted"),
    "truncation": ("truncated(Yield, 0) ~ 1", dict, "its response is truncated"),
    "a potential": (
        "Yield ~ 1",
        lambda: {"potentials": [("Intercept", lambda x: x)]},
        "it has potentials",
    ),
    "a process": ("Yield ~ 1 + hsgp(x, m=5, c=2)", dict, "hsgp"),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("formula", "options", "told"), REFUSED.values(), ids=REFUSED)
def test_what_has_no_counterpart_is_refused(formula, options, told):
    data = bl.load_dataset("Dyestuff").assign(x=np.arange(30.0), w=1.0)
    with pytest.raises(InputError, match=told):
        bl.from_bambi(bambi_model(formula, data, **options()))


def test_two_formulas_are_refused():
    import bambi

    two = bambi.Model(bambi.Formula("Reaction ~ Days", "sigma ~ Days"), bl.load_dataset("sleepstudy"))
    with pytest.raises(OptionError, match="1 further"):
        bl.from_bambi(two)
    with pytest.raises(OptionError, match=r"takes a bambi\.Model, not a int"):
        bl.from_bambi(3)


def test_a_flat_intercept_does_not_see_centring():
    data = bl.load_dataset("Dyestuff").assign(x=np.arange(30.0))
    flat = {"Intercept": prior("Flat")}
    theirs = bambi_model("Yield ~ x", data, priors=flat, center_predictors=True)
    assert check_one_density(theirs) is None


# ---- to Bambi


@pytest.mark.parametrize(
    ("formula", "dataset"),
    [
        ("Reaction ~ Days + (Days || Subject)", "sleepstudy"),
        ("Reaction ~ Days + diag(Days | Subject)", "sleepstudy"),
        ("Reaction ~ Days + us(1 | Subject) + (0 + Days | Subject)", "sleepstudy"),
        ("Reaction ~ Days + cs(1 | Subject)", "sleepstudy"),
        ("Reaction ~ 0 + Days + (1 | Subject)", "sleepstudy"),
        ("Reaction ~ bs(Days, df=4) + (1 | Subject)", "sleepstudy"),
        ("Reaction ~ Days + offset(Days) + (1 | Subject)", "sleepstudy"),
        ("score ~ Machine + (1 | Worker)", "Machines"),
        ("strength ~ 1 + (1 | batch/cask)", "Pastes"),
    ],
)
def test_there_and_back(formula, dataset):
    model = bl.LinearMixedModel(formula, bl.load_dataset(dataset))
    back = bl.from_bambi(model.to_bambi())
    for label, record in model.priors.table.items():
        assert type(back.priors.table[label]) is type(record)
        assert vars(back.priors.table[label]) == pytest.approx(vars(record))
    np.testing.assert_allclose(back.design.X, model.design.X)
    np.testing.assert_allclose(back.design.offset, model.design.offset)


@pytest.mark.parametrize("offset", ["Days", np.linspace(0, 1, 180)], ids=["a column", "values"])
def test_an_offset_goes_over(offset):
    model = bl.LinearMixedModel(
        "Reaction ~ 1 + (1 | Subject)", bl.load_dataset("sleepstudy"), offset=offset, sigma=30.0
    )
    theirs = model.to_bambi()
    back = bl.from_bambi(theirs)
    np.testing.assert_allclose(back.design.offset, model.design.offset)
    assert back.spec.sigma == 30.0


@pytest.mark.parametrize(
    ("formula", "options", "reason"),
    [
        ("Reaction ~ Days + (Days | Subject)", {}, r"correlated; write \(x \|\| g\)"),
        ("Reaction ~ Days + homdiag(Days | Subject)", {}, "share a standard deviation"),
        ("Reaction ~ Days + (1 | Subject)", {"weights": np.linspace(1, 2, 180)}, "weights divide"),
        ("Reaction ~ scale(Days) + (1 | Subject)", {}, r"'scale\(Days\)'.*divides by n"),
        ("Reaction ~ 0 + offset(Days)", {}, "no effects"),
        ("Reaction ~ Days + (1 | Subject)", {"covariance": {"Subject": "K"}}, "known covariance"),
    ],
)
def test_what_bambi_cannot_say_is_refused(formula, options, reason):
    data = bl.load_dataset("sleepstudy")
    levels = sorted(data["Subject"].astype(str).unique())
    known = pd.DataFrame(np.eye(18) + 0.1, index=levels, columns=levels)
    options = {"covariance": {"Subject": known}} if "covariance" in options else options
    with pytest.raises(OptionError, match=reason):
        bl.LinearMixedModel(formula, data, **options).to_bambi()


# ---- draws


@pytest.mark.slow
def test_both_have_the_same_posterior_and_compare_takes_bambi_draws():
    theirs = bambi_model("Reaction ~ Days + (Days|Subject)", "sleepstudy")
    model = bl.from_bambi(theirs)
    tree = theirs.fit(draws=4000, tune=1000, chains=4, cores=2, random_seed=11, progressbar=False)
    ours = model.sample(draws=4000, seed=12, method="importance", progress=False)
    fit = model.fit()
    parity = bl.compare(fit, tree)
    labels = ["beta[Intercept]", "beta[Days]", "sd[Subject: Intercept]", "sd[Subject: Days]", "sigma"]
    assert set(labels) <= set(parity.table["label"])
    from bayeslmm.parity.foreign import tree_estimates

    table = tree_estimates(tree, 0.95)
    other = table.relabel(usual_names(table.frame.index, fit.estimates(ranef=True).frame.index)).frame
    own = ours.estimates(ranef=True).frame
    assert set(own.index) <= set(other.index)
    z = (own["mean"] - other["mean"]) / np.hypot(own["mcse"], other["mcse"])
    assert z[own.index].abs().max() < 4


def test_compare_takes_a_bare_data_tree():
    data = bl.load_dataset("sleepstudy")
    model = bl.LinearMixedModel("Reaction ~ Days + (1 | Subject)", data)
    post = model.sample(draws=200, seed=1, method="importance", progress=False)
    parity = bl.compare(model.fit(), post.data)
    same = bl.compare(model.fit(), post)
    for label in ("beta[Days]", "sd[Subject: Intercept]", "sigma", "ranef[Subject=308: Intercept]"):
        assert parity.table.set_index("label").loc[label, "mean"] == pytest.approx(
            same.table.set_index("label").loc[label, "mean"]
        )
    with pytest.raises(InputError, match="no group 'posterior'"):
        bl.compare(model.fit(), post.data["sample_stats"])
