"""The certificate on every packaged model, the theorem it implies, and faults that it must catch."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pymc as pm
import pytest
from scipy.optimize import minimize

from bayeslmm.datasets import load_dataset
from bayeslmm.errors import OptionError
from bayeslmm.likelihood.fit import fit
from bayeslmm.likelihood.fitted import FitOptions
from bayeslmm.parity.certificate.explicit_graph import Integral, explicit_line
from bayeslmm.parity.certificate.points import draw_points
from bayeslmm.parity.witnesses import GraphWitness, KernelWitness, certificate_of, graphs_of
from bayeslmm.posterior.graph import integrated
from bayeslmm.posterior.graph.graphs import build_graph
from bayeslmm.posterior.graph.integrated import GraphDensity
from bayeslmm.spec.build import build
from bayeslmm.spec.covariance import structures_by_keyword
from bayeslmm.spec.model_spec import ModelSpec
from bayeslmm.spec.priors import LKJ, Gamma, LogNormal, StudentT, TruncatedNormal, Uniform, default_priors

MODELS = {
    "sleepstudy": "Reaction ~ Days + (Days | Subject)",
    "sleepstudy, uncorrelated": "Reaction ~ Days + (Days || Subject)",
    "Dyestuff": "Yield ~ 1 + (1 | Batch)",
    "Dyestuff2": "Yield ~ 1 + (1 | Batch)",
    "Penicillin": "diameter ~ 1 + (1 | plate) + (1 | sample)",
    "Pastes": "strength ~ 1 + (1 | batch/cask)",
    "Machines": "score ~ Machine + (Machine | Worker)",
    "Machines, nested": "score ~ Machine + (1 | Worker) + (1 | Worker:Machine)",
    "cake": "angle ~ recipe * temperature + (1 | recipe:replicate)",
    "Oats": "yield ~ nitro + Variety + (1 | Block/Variety)",
}


def design_of(name, **options):
    data = load_dataset(name.partition(",")[0])
    return build(ModelSpec(MODELS[name], **options), data).design


LINES = ["explicit graph", "priors", "marginal graph", "theorem", "design"]
LONG = ("Machines", "Machines, nested", "sleepstudy, uncorrelated", "Dyestuff", "cake", "Oats")


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=[pytest.mark.slow] * (name in LONG)) for name in MODELS],
)
def case(request):
    """A design and its graph, compiled once for the tests of a model."""
    design = design_of(request.param)
    return design, graphs_of(design, default_priors(design))


def certify(design, graph, kernel=None, n_points=24):
    """The first line."""
    points = draw_points(design, n_points, seed=1)
    return explicit_line(design, graph, kernel or KernelWitness(design), points)


def test_both_engines_hold_the_same_model(case):
    certificate = certificate_of(case[0])
    assert [line.name for line in certificate.lines if line.ok] == LINES[:4]
    assert all(line.points >= 20 for line in certificate.lines[:3])
    assert certificate.max_deviation < 1e-8
    assert certificate.max_effect_deviation < 1e-8
    assert certificate.passed
    assert "agree" in certificate.sentence


def test_a_repeated_certificate_compiles_its_graph_once(monkeypatch):
    compilations = []
    compile_graph = integrated._compile
    monkeypatch.setattr(integrated, "_compile", lambda model: compilations.append(1) or compile_graph(model))
    design = design_of("Dyestuff")
    first, second = certificate_of(design), certificate_of(design)
    assert len(compilations) == 1
    pd.testing.assert_frame_equal(first.points, second.points)
    certificate_of(design_of("Dyestuff"))
    assert len(compilations) == 2, "another design is another graph"


@pytest.mark.filterwarnings("ignore::bayeslmm.errors.SingularFitWarning")
def test_the_maximum_of_the_integrated_graph_is_reml(case):
    """Harville's theorem, the graph's side computed by the graph alone: 0 allowed, no Jacobian."""
    design, graph = case[0], case[1].witness
    scale = np.std(design.y)
    sizes = [np.sqrt(np.mean(block.columns**2, axis=0)) for block in design.blocks]
    n_sd = sum(block.k for block in design.blocks)

    def criterion(x):
        sd, cor, first = {}, {}, 1
        rest = iter(x[1 + n_sd :])
        for number, (block, size) in enumerate(zip(design.blocks, sizes, strict=True)):
            sd[block.group] = scale * x[first : first + block.k] / size
            cor[block.group] = correlations(block.k, design.covariance.block_pairs(number), rest)
            first += block.k
        return -2 * graph(scale * x[0], sd, cor).logp

    n_pairs = sum(len(design.covariance.block_pairs(number)) for number in range(len(design.blocks)))
    start = np.r_[0.5, np.full(n_sd, 0.4), np.zeros(n_pairs)]
    bounds = [(1e-2, None)] + [(0, None)] * n_sd + [(None, None)] * n_pairs
    found = minimize(
        criterion, start, bounds=bounds, method="L-BFGS-B", options={"ftol": 1e-13, "gtol": 1e-6}
    )
    reml = fit(design, FitOptions("REML")).criterion_value
    assert found.fun == pytest.approx(reml, abs=1e-6)


def correlations(k, pairs, values):
    """Any numbers to the correlations of a positive definite matrix: rows of a unit triangle, normalized."""
    rows = np.eye(k)
    for i, j in pairs:
        rows[j, i] = next(values)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return np.array([rows[i] @ rows[j] for i, j in pairs])


@pytest.mark.parametrize(
    ("keyword", "left"),
    [
        (keyword, left)
        for keyword, kind in structures_by_keyword().items()
        for left in ("0 + Machine", "1 + x")
        if left != "1 + x" or not kind.by_visit
    ],
)
def test_every_covariance_structure(keyword, left):
    data = load_dataset("Machines")
    data["x"] = np.random.default_rng(1).normal(size=len(data))
    formula = f"score ~ Machine + {keyword}({left} | Worker) + (0 + x | Machine)"
    certificate = explicit(build(ModelSpec(formula), data).design)
    assert certificate.ok, certificate


@pytest.mark.filterwarnings("ignore:the data can't tell:bayeslmm.errors.DesignWarning")
@pytest.mark.parametrize("keyword", ["homdiag", "homcs", "ar1"])
def test_shared_parameters_beside_another_bar(keyword):
    formula = f"score ~ Machine + (1 | Worker) + {keyword}(0 + Machine | Worker)"
    certificate = explicit(build(ModelSpec(formula), load_dataset("Machines")).design)
    assert certificate.ok, certificate


@pytest.mark.parametrize("left", ["1", "0 + Machine"])
def test_known_covariance_between_levels(left):
    data = load_dataset("Machines")
    workers = [*map(str, data["Worker"].unique()), "absent"]
    K = pd.DataFrame(0.6 ** np.abs(np.subtract.outer(range(7), range(7))), index=workers, columns=workers)
    formula = f"score ~ Machine + ({left} | Worker) + (1 | Worker:Machine)"
    design = build(ModelSpec(formula, covariance={"Worker": K}), data).design
    certificate = explicit(design)
    assert certificate.ok, certificate
    with pytest.raises(OptionError, match="has no centred graph"):
        build_graph(design, default_priors(design), "explicit", centred=True)


UNUSUAL = {
    "no bars": ("Reaction ~ Days", {}),
    "known sigma": ("Reaction ~ Days + (1 | Subject)", {"sigma": 30.0}),
    "weights": ("Reaction ~ Days + (Days | Subject)", {"weights": np.linspace(0.5, 2, 180)}),
    "offset": ("Reaction ~ Days + (1 | Subject)", {"offset": np.linspace(0, 50, 180)}),
}


@pytest.mark.parametrize("name", UNUSUAL)
def test_unusual_models_are_the_same_on_both_sides_too(name):
    formula, options = UNUSUAL[name]
    design, recipe = build(ModelSpec(formula, **options), load_dataset("sleepstudy"))
    certificate = certificate_of(design, origin=recipe.origin)
    assert [line.name for line in certificate.lines if line.ok] == LINES, certificate
    if "sigma" in options:
        assert set(certificate.points["sigma"]) == {30.0}


def witness(model, design):
    return GraphWitness(GraphDensity(model, design), with_prior=True)


def explicit(design):
    return certify(design, graphs_of(design, default_priors(design)).witness)


def test_a_dropped_term_is_caught():
    design = design_of("Penicillin")
    data = load_dataset("Penicillin")
    short = build(ModelSpec("diameter ~ 1 + (1 | plate)"), data).design
    model = build_graph(short, default_priors(short), kind="explicit")
    assert not certify(design, witness(model, design)).ok


def hand_written(design, power):
    """The one-way model as a PyMC user writes it; power 2 takes the variance for the standard deviation."""
    block = design.blocks[0]
    with pm.Model(coords={"coef": design.coefs, "Batch": block.levels, "Batch_coef": block.coefs}) as model:
        beta = pm.Flat("beta", dims="coef")
        sigma = pm.HalfFlat("sigma")
        sd = pm.HalfFlat("sd_Batch", dims="Batch_coef")
        u = pm.Normal("u_Batch", dims=("Batch", "Batch_coef"))
        b = pm.Deterministic("ranef_Batch", sd**power * u, dims=("Batch", "Batch_coef"))
        pm.Normal("y", beta[0] + b[block.codes, 0], sigma, observed=design.y)
    return model


def test_the_same_model_by_hand_passes():
    design = design_of("Dyestuff")
    assert certify(design, witness(hand_written(design, 1), design)).ok


def test_variance_for_sd_is_caught():
    design = design_of("Dyestuff")
    line = certify(design, witness(hand_written(design, 2), design))
    assert not line.ok
    assert line.worst > 1e-3
    assert "isn't the kernel's likelihood" in line.sentence


def test_a_wrong_contrast_is_caught():
    design = design_of("Machines, nested")
    other = design_of("Machines, nested", contrasts={"Machine": "sum"})
    model = build_graph(other, default_priors(other), kind="explicit")
    assert certify(design, witness(model, design)).worst > 1e-3


def test_points_reach_the_edges_of_the_parameter_space():
    design = design_of("Machines")
    points = list(draw_points(design, 24, seed=1))
    sds = np.array([point.sd["Worker"] for point in points])
    assert np.all(sds[0] == 0)
    assert np.all(sds[[1, 2, 3], [0, 1, 2]] == 0)
    assert np.all(sds[4:] > 0)
    largest = [np.abs(point.cor["Worker"]).max() for point in points]
    assert np.sum(np.array(largest) > 0.95) >= 8
    assert min(largest) < 0.8
    assert np.ptp(np.log10([point.sigma for point in points])) > 1


def test_points_follow_the_seed():
    design = design_of("Dyestuff")
    first, again, other = (next(draw_points(design, 1, seed)) for seed in (1, 1, 2))
    assert first.sigma == again.sigma != other.sigma


@pytest.mark.parametrize("spoilt", [np.nan, np.inf])
def test_a_missing_number_is_no_pass(spoilt):
    design = design_of("Dyestuff")
    kernel = KernelWitness(design)

    def broken(*at, beta=None, phi):
        found = kernel(*at, beta=beta, phi=phi)
        return replace(found, logp=spoilt if beta is None else found.logp)

    assert not certify(design, broken, kernel, n_points=3).ok


def test_wrong_effects_fail_even_where_densities_agree():
    design = design_of("Dyestuff")
    kernel = KernelWitness(design)

    def shifted(*at, beta=None, phi):
        found = kernel(*at, beta=beta, phi=phi)
        return Integral(found.logp, found.ranef + 1e-3 * np.std(design.y), found.beta)

    line = certify(design, shifted, kernel, n_points=3)
    assert line.frame["density_deviation"].max() == 0
    assert not line.ok


FAR = {"years": (2019.0, 0.0, 1.0), "days": (43_800.0, 0.0, 1.0)}
FAR |= {"level": (0.0, 1e9, 1.0), "size": (0.0, 0.0, 1e8)}


@pytest.fixture(params=FAR)
def far_design(request):
    """Eight groups with a covariate far from its origin, or a response far from 0, or large."""
    origin, level, size = FAR[request.param]
    rng, g = np.random.default_rng(4), np.repeat(np.arange(8), 6)
    x = rng.normal(size=48)
    y = level + size * (x + rng.normal(size=8)[g] + rng.normal(size=48))
    data = pd.DataFrame({"y": y, "x": x + origin, "g": g.astype(str)})
    return build(ModelSpec("y ~ x + (1 | g)"), data).design


def test_origins_and_sizes_spoil_no_certificate(far_design):
    found = certificate_of(far_design)
    assert found.passed, found.sentence


def test_faults_are_seen_at_any_origin_and_size(far_design):
    """A weight of one row that is off by 1 % is a fault of about 1e-4."""
    weights = np.where(np.arange(far_design.n) == 3, 1.01, 1.0)
    kernel = KernelWitness(far_design)

    def faulty(*at, beta=None, phi):
        right = kernel(*at, beta=beta, phi=phi)
        return replace(right, logp=right.logp + 0.5 * float(np.log(weights).sum()))

    assert not certify(far_design, graphs_of(far_design, default_priors(far_design)).witness, faulty).ok


@pytest.mark.slow
@pytest.mark.parametrize("centred", [False, True])
def test_the_graphs_are_those_that_were_sampled(centred):
    """With priors of every family of their own, bounds and all."""
    design = design_of("sleepstudy")
    changes = {
        "beta[Intercept]": StudentT(4.0, 250.0, 100.0),
        "beta[Days]": Uniform(-50.0, 50.0),
        "sd[Subject: Intercept]": Gamma(2.0, 0.1),
        "sd[Subject: Days]": TruncatedNormal(5.0, 5.0, 1.0, 40.0),
        "cor": LKJ(0.7),
        "sigma": LogNormal(3.0, 1.0),
    }
    certificate = certificate_of(design, default_priors(design).replace(changes), centred=centred)
    assert all(line.ok for line in certificate.lines[:4]), certificate
    assert len(certificate["priors"].frame["variable"].unique()) == 6
    assert (certificate.points.filter(like="sd[").min(axis=None) > 0) == centred


def test_a_certificate_reads_as_its_lines():
    design = design_of("Dyestuff2")
    certificate = certificate_of(design)
    frame = certificate.to_frame()
    assert list(frame.index) == LINES
    assert list(frame["result"]) == ["passed"] * 4 + ["not computed"]
    assert "doesn't rise off 1 boundary" in certificate["theorem"].sentence
    assert certificate["design"].ok is None
    assert "Certificate: passed" in certificate._repr_html_()
    assert repr(certificate).startswith("Certificate(passed: ")
