"""Nothing that a user names becomes markup: every page of a notebook goes through one escaping path."""

import ast
import importlib
import pkgutil
import re
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bayeslmm as bl
from bayeslmm.estimands.checkup import Checkup
from bayeslmm.estimands.headed import HeadedTable
from bayeslmm.estimands.table import EstimateTable
from bayeslmm.likelihood.bootstrap.result import Bootstrap
from bayeslmm.likelihood.diagnostics.influence import Influence
from bayeslmm.likelihood.diagnostics.simulated import SimulatedResiduals
from bayeslmm.likelihood.fit import LikelihoodFit
from bayeslmm.likelihood.inference.hypotheses import HypothesisTest
from bayeslmm.likelihood.inference.means import MarginalMeans
from bayeslmm.likelihood.inference.profile.profile import Profile
from bayeslmm.likelihood.inference.ratio_test import BootstrapRatioTest
from bayeslmm.likelihood.inference.rlrt import RestrictedRatioTest
from bayeslmm.likelihood.inference.table import InferenceTable
from bayeslmm.likelihood.studies.curve import PowerCurve
from bayeslmm.likelihood.summary import Summary
from bayeslmm.markup import bold, html_table, paragraph, preformatted, sentences
from bayeslmm.model import LinearMixedModel
from bayeslmm.parity.anybody.record import CertificateForAnybody
from bayeslmm.parity.calibration.result import Calibration
from bayeslmm.parity.certificate.record import Certificate
from bayeslmm.parity.compare import Parity
from bayeslmm.parity.table import LongTable
from bayeslmm.parity.verdict_table import Verdicts
from bayeslmm.posterior.hypotheses import PosteriorHypothesis
from bayeslmm.posterior.loo import Loo
from bayeslmm.posterior.means import PosteriorMeans
from bayeslmm.posterior.result import PosteriorResult
from bayeslmm.repeat import Rerun, differences
from bayeslmm.spec.design import Design
from bayeslmm.spec.priors import Priors

PACKAGE = Path(bl.__file__).parent
EVIL = "<img src=q onerror=alert(1)>"


def shown_classes():
    """Every class of the package with a `_repr_html_` of its own or inherited from the package."""
    found = set()
    for module in pkgutil.walk_packages([str(PACKAGE)], "bayeslmm."):
        found |= set(filter(_shows_markup, vars(importlib.import_module(module.name)).values()))
    return found


def _shows_markup(value):
    if not isinstance(value, type) or not value.__module__.startswith("bayeslmm"):
        return False
    return any("_repr_html_" in vars(base) for base in value.__mro__ if base is not pd.DataFrame)


@pytest.fixture(scope="module")
def shown():
    """One object of every such class, of data whose names and levels are all markup."""
    rng = np.random.default_rng(1)
    g = np.repeat(np.arange(8), 6)
    y, x, g_name, f = (f"{EVIL}{letter}" for letter in "yxgf")
    data = pd.DataFrame(
        {
            y: rng.normal(size=48) + rng.normal(size=8)[g],
            x: rng.normal(size=48),
            g_name: [f"{EVIL}{i}" for i in g],
            f: np.where(np.arange(48) % 2, f"{EVIL}a", "b"),
        }
    )
    model = bl.LinearMixedModel(f"`{y}` ~ `{x}` + `{f}` + (1 | `{g_name}`)", data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = model.fit()
        small = model.update(f". ~ . - `{x}`").fit()
        alone = bl.LinearMixedModel(f"`{y}` ~ `{x}` + `{f}`", data).fit()
        boot = fit.bootstrap(n=20, seed=1, progress=False)
        post = model.sample(draws=50, seed=1, method="importance", progress=False)
        par = bl.compare(fit, boot, post)
        objects = [
            fit,
            fit.summary(),
            fit.coef_table(),
            fit.estimates(ranef=True),
            post.estimates(ranef=True),
            fit.test(np.eye(3)[1:]),
            fit.influence(g_name),
            fit.simulated_residuals(20),
            fit.check(20),
            fit.marginal_means(f, ddf="satterthwaite"),
            post.marginal_means(f),
            post.hypothesis(f"beta[{x}] > 0"),
            fit.profile(labels=[f"beta[{x}]"]),
            boot,
            bl.bootstrap_lrt(small, fit, n=5, seed=1, progress=False),
            bl.exact_rlrt(alone, fit, n=50, seed=1),
            bl.anova(small, fit),
            model.priors,
            model,
            model.design,
            post,
            post.tidy(),
            post.loo(g_name, refit=False),
            par,
            par.verdicts,
            par.certificate,
            bl.certify(model.graph("explicit"), model),
            bl.calibrate(fit, n=5, methods=["z"], seed=1, progress=False),
            bl.power_curve(model, fit, test=x, along=g_name, sizes=[4, 8], n=5, seed=1, progress=False),
            par.table,
            Rerun(par.manifest, par, pd.DataFrame(), differences(par.table.iloc[:0], par.table)),
        ]
    return {type(each): each for each in objects}


def test_every_class_with_markup_is_looked_at(shown):
    assert shown_classes() - set(shown) == set()


@pytest.mark.parametrize(
    "kind",
    [
        LinearMixedModel,
        Design,
        LikelihoodFit,
        PosteriorResult,
        HeadedTable,
        Loo,
        Summary,
        InferenceTable,
        EstimateTable,
        HypothesisTest,
        Influence,
        MarginalMeans,
        PosteriorMeans,
        PosteriorHypothesis,
        Profile,
        Bootstrap,
        BootstrapRatioTest,
        Checkup,
        RestrictedRatioTest,
        SimulatedResiduals,
        Priors,
        Parity,
        Verdicts,
        LongTable,
        Rerun,
    ],
    ids=lambda kind: kind.__name__,
)
def test_names_never_become_markup(shown, kind):
    html = shown[kind]._repr_html_()
    assert "<img" not in html
    assert "&lt;img" in html


SELDOM = (Calibration, Certificate, CertificateForAnybody, PowerCurve)


@pytest.mark.parametrize("kind", SELDOM)
def test_what_tells_of_names_only_if_need_be_has_no_markup_either(shown, kind):
    assert "<img" not in shown[kind]._repr_html_()


def test_printed_tables_never_hold_markup(shown):
    printed = [each for each in shown.values() if hasattr(each, "page")]
    assert len(printed) > 6
    for each in printed:
        for text in (each.to_html(), each.to_markdown()):
            assert "<img" not in text
            assert "&lt;img" in text or isinstance(each, SELDOM)
        assert "<img" not in each.to_latex()


def test_text_is_escaped_by_every_piece():
    pieces = (
        paragraph(EVIL),
        paragraph(EVIL, strong=True),
        preformatted(EVIL),
        bold(EVIL),
        html_table(pd.DataFrame({EVIL: [EVIL]}, index=pd.Index([EVIL], name=EVIL))),
        sentences([(EVIL, EVIL, EVIL)]),
    )
    for html in pieces:
        assert "<img" not in html
        assert "&lt;img" in html
    assert paragraph("") == ""


def test_markup_is_written_in_one_place():
    """A tag in any other text of the package would be a second path; the report's page is a template."""
    tag = re.compile(r"</?(p|b|a|pre|table|t[rhd]|div|span|img|script)\b")
    for path in PACKAGE.rglob("*.py"):
        if path != PACKAGE / "markup.py" and "report" not in path.parts:
            nodes = ast.walk(ast.parse(path.read_text()))
            texts = [node.value for node in nodes if isinstance(node, ast.Constant)]
            assert [text for text in texts if isinstance(text, str) and tag.search(text)] == [], path
