"""Faults planted in a copy, each found by certificate, theorem or the design's witness, by its kind."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pymc as pm
import pytest

from bayeslmm.likelihood.fitted import FitOptions, Fitted
from bayeslmm.parity.anybody.certify import certify_graph
from bayeslmm.parity.certificate.design_witness import design_line
from bayeslmm.parity.certificate.theorem import theorem_line
from bayeslmm.parity.witnesses import certificate_of, graphs_of
from bayeslmm.posterior.graph import graphs
from bayeslmm.spec.block import RowsOfBlock
from bayeslmm.spec.build import build
from bayeslmm.spec.covariance import Diagonal
from bayeslmm.spec.design import RandomPart, RowsInMemory
from bayeslmm.spec.model_spec import ModelSpec
from bayeslmm.spec.priors import HalfNormal, TruncatedNormal, default_priors
from bayeslmm.spec.residual import PriorWeights

FORMULA = "y ~ x + f + offset(o) + (x | g) + (1 | h)"


def rows():
    rng, g = np.random.default_rng(4), np.repeat(np.arange(6), 8)
    h = np.tile(np.arange(4), 12)
    x = rng.normal(2, 1, 48)
    y = (
        1
        + x
        + rng.normal(size=6)[g]
        + rng.normal(size=6)[g] * x
        + rng.normal(size=4)[h]
        + rng.normal(size=48)
    )
    columns = {"y": y, "x": x, "f": np.tile(list("aabbcc"), 8), "o": rng.normal(size=48)}
    return pd.DataFrame(columns | {"g": g.astype(str), "h": h.astype(str), "w": rng.uniform(0.5, 2, 48)})


def built(formula=FORMULA, **options):
    return build(ModelSpec(formula, weights="w", **options), rows())


@pytest.fixture(scope="module")
def design():
    return built().design


def with_rows(design, **changes):
    own = {name: getattr(design, name) for name in ("y", "offset", "X", "rows")}
    return replace(design, observed=RowsInMemory(**(own | changes)))


def with_codes(design, number, codes):
    block = design.blocks[number]
    blocks = list(design.blocks)
    blocks[number] = replace(block, incidence=RowsOfBlock(codes, block.columns))
    return design.with_blocks(blocks)


def with_weights(design, weights):
    residual = PriorWeights.of(weights)
    return replace(design, residual=residual, random=RandomPart.of(design.blocks, residual))


def weights_of(design):
    return design.residual.shown["weights"]


def swapped(codes):
    return np.choose(np.minimum(codes, 2), [np.ones_like(codes), np.zeros_like(codes), codes])


def in_column(design, name, change):
    X = design.X.copy()
    place = design.coefs.index(name)
    X[:, place] = change(X[:, place])
    return with_rows(design, X=X)


GRAPHS = {
    "term": lambda design: built(FORMULA.replace(" + (1 | h)", "")).design,
    "correlation": lambda design: built(FORMULA.replace("(x | g)", "(x || g)")).design,
    "contrasts": lambda design: replace(built(contrasts={"f": "sum"}).design, coefs=design.coefs),
    "levels": lambda design: with_codes(design, 0, swapped(design.blocks[0].codes)),
    "offset": lambda design: with_rows(design, offset=-design.offset),
    "weights": lambda design: with_weights(design, weights_of(design) ** 2),
    "scale": lambda design: in_column(design, "x", lambda x: 10 * x),
    "centring": lambda design: in_column(design, "x", lambda x: x - x.mean()),
}
QUICK = ("offset", "scale")


def graph_of(design):
    return graphs.build_graph(design, default_priors(design), "explicit")


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=() if kind in QUICK else pytest.mark.slow) for kind in GRAPHS]
)
def test_a_fault_in_a_graph_has_its_name(design, kind):
    found = certify_graph(graph_of(GRAPHS[kind](design)), design, None, {})
    assert found.kinds == (kind,), found
    assert not found.certified


def squared(factors):
    return [{place: value**2 for place, value in factor.items()} for factor in factors]


@pytest.mark.slow
def test_variances_for_standard_deviations(design, monkeypatch):
    right = graphs.absolute_factors
    monkeypatch.setattr(graphs, "absolute_factors", lambda *given: squared(right(*given)))
    found = certify_graph(graph_of(design), design, None, {})
    assert set(found.kinds) == {"standard deviation"}
    assert "is a variance" in found.sentence


def with_constant(model):
    with model:
        pm.Potential("more", 3.0 + 0.0 * model["sigma"])
    return model


@pytest.mark.slow
def test_a_wrong_constant(design):
    found = certify_graph(with_constant(graph_of(design)), design, None, {})
    assert found.kinds == ("constant",)
    assert "+3" in found.sentence


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["explicit", "marginal"])
def test_the_certificate_finds_a_fault_in_either_graph(design, monkeypatch, kind):
    right = graphs.build_graph

    def faulty(design, priors, made, centred=False):
        other = with_rows(design, offset=-design.offset) if made == kind else design
        return right(other, priors, made, centred)

    monkeypatch.setattr(graphs, "build_graph", faulty)
    certificate = certificate_of(design, default_priors(design))
    assert not certificate.passed
    assert not certificate[f"{kind} graph"].ok
    assert ("wrong sign" in certificate.sentence) == (kind == "explicit")


PRIORS = {
    "ten times narrower": lambda prior: HalfNormal(prior.scale / 10),
    "truncated": lambda prior: TruncatedNormal(0.0, prior.scale, 0.0, 3 * prior.scale),
}


@pytest.mark.slow
@pytest.mark.parametrize("fault", PRIORS)
def test_another_prior_in_the_graphs(design, monkeypatch, fault):
    declared, right = default_priors(design), graphs.build_graph
    label = "sd[h: Intercept]"
    other = declared.replace({label: PRIORS[fault](declared.table[label])})
    monkeypatch.setattr(
        graphs, "build_graph", lambda design, _, kind, centred=False: right(design, other, kind, centred)
    )
    line = certificate_of(design, declared)["priors"]
    assert not line.ok
    assert "that of sd_h" in line.sentence


def by_n(fit):
    vars(fit)["sigma"] = np.sqrt(fit.pwrss / fit.design.n)
    return fit


def by_ml(fit):
    return replace(fit, optimum=Fitted.of(fit.design, FitOptions("ML")).optimum)


OPTIMA = {"REML for ML": by_ml, "sigma by n": by_n}


@pytest.mark.parametrize("fault", [None, *OPTIMA])
def test_the_theorem_sees_another_optimum(fault):
    design = build(ModelSpec("y ~ x + (1 | g)"), rows()).design
    fit = Fitted.of(design, FitOptions("REML"))
    line = theorem_line(OPTIMA[fault](fit) if fault else fit, graphs_of(design, default_priors(design)).flat)
    assert line.ok == (fault is None), line.sentence
    assert fault is None or line.worst > 0.01


def without_row(design):
    kept = np.delete(np.arange(design.n), 5)
    blocks = [
        replace(block, incidence=RowsOfBlock(block.codes[kept], block.columns[kept]))
        for block in design.blocks
    ]
    shorter = RowsInMemory(design.y[kept], design.offset[kept], design.X[kept], design.rows[kept])
    residual = design.residual.take(kept)
    return replace(design, observed=shorter, residual=residual, random=RandomPart.of(blocks, residual))


def uncorrelated(design):
    blocks = list(design.blocks)
    blocks[0] = replace(blocks[0], structures=(Diagonal(2),))
    return design.with_blocks(blocks)


def with_y(design, y):
    return with_rows(design, y=y)


SHARED = {
    "levels of g": lambda design: with_codes(design, 0, swapped(design.blocks[0].codes)),
    "rows": without_row,
    "fixed effect x": lambda design: in_column(design, "x", lambda x: x - x.mean()),
    "covariance structure of g": uncorrelated,
    "weights": lambda design: with_weights(design, 1 / weights_of(design)),
    "offset": lambda design: with_rows(design, offset=-design.offset),
    "response": lambda design: with_y(design, design.y[::-1]),
    "fixed effect f[T.b]": lambda design: in_column(design, "f[T.b]", lambda x: x - 1 / 3),
}


@pytest.mark.parametrize("fault", [None, *SHARED])
def test_the_design_is_rebuilt_by_other_code(fault):
    design, recipe = built()
    line = design_line(SHARED[fault](design) if fault else design, recipe.origin)
    assert line.ok == (fault is None), line.sentence
    assert fault is None or f"by other code: {fault}" in line.sentence, line.sentence


@pytest.mark.slow
@pytest.mark.parametrize("fault", SHARED)
def test_nothing_else_sees_a_fault_in_the_shared_design(fault):
    design, recipe = built()
    certificate = certificate_of(SHARED[fault](design), origin=recipe.origin)
    assert [line.name for line in certificate.lines if not line.ok] == ["design"]
    assert not certificate.passed


def test_a_column_of_random_effects_is_rebuilt_too():
    design, recipe = built()
    block = design.blocks[0]
    scaled = replace(block, incidence=RowsOfBlock(block.codes, block.columns * [1.0, 10.0]))
    line = design_line(design.with_blocks([scaled, design.blocks[1]]), recipe.origin)
    assert not line.ok
    assert "column of g x" in line.sentence
