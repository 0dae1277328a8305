"""Every public table prints itself: as LaTeX, Markdown and HTML, under a heading."""

import pandas as pd
import pytest

import bayeslmm as bl
from bayeslmm.estimands.headed import HeadedTable
from bayeslmm.printed import Printed

# data by row, level, draw or coefficient: what users compute with, not what they print
DATA = {"bootstrap_draws", "cooks_distance", "data", "dfbeta", "dfbetas", "draws", "estimates", "frame"}
DATA |= {"vcov", "vcov_kenward_roger"}
LONG = ("augment", "draws_frame", "profile", "simulate")  # calls that say nothing new here


@pytest.fixture(scope="module")
def results():
    model = bl.LinearMixedModel("Reaction ~ Days + (Days | Subject)", bl.load_dataset("sleepstudy"))
    fit = model.fit()
    boot = fit.bootstrap(n=20, seed=1, progress=False)
    post = model.sample(method="importance", draws=100, chains=2, seed=1, progress=False)
    found = (
        *(model, fit, boot, post, bl.compare(fit, boot, post)),
        bl.calibrate(fit, n=20, methods=["z", "satterthwaite"], seed=1, progress=False),
        bl.power(fit, test="Days", n=5, seed=1, progress=False),
        bl.power_curve(model, test="Days", along="Subject", sizes=[6], n=5, seed=1, progress=False),
        *(fit.influence("Subject", search=False), post.loo("Subject", refit=False)),
        *(fit.simulated_residuals(20), fit.slopes("Days"), post.slopes("Days")),
        *(fit.profile(["beta[Days]"]), fit.test("Days")),
    )
    return {type(each).__name__: each for each in found}


def tables(result):
    """What its attributes, and its methods without arguments that give tables, hold."""
    for name in set(dir(result)) - DATA:
        value = getattr(result, name) if not name.startswith("_") else None
        if name.endswith("_table") or name in ("confint", "varcorr", "residual_acf", "residual_variogram"):
            value = value() if callable(value) and not isinstance(value, pd.DataFrame) else value
        if isinstance(value, pd.DataFrame | Printed):
            yield name, value


def test_every_table_prints_itself_under_a_heading(results):
    found = [(kind, *pair) for kind, each in results.items() for pair in tables(each)]
    assert {name for _, name, _ in found} >= {
        "ladder",
        "widths",
        "intervals",
        "trust",
        "varcorr",
        "ranef_table",
    }
    for kind, name, table in found:
        assert isinstance(table, HeadedTable | Printed), (kind, name)
        assert table.page.caption or isinstance(table, Printed), (kind, name)


@pytest.mark.parametrize("language", ["to_latex", "to_markdown", "to_html"])
def test_every_result_prints_itself(results, language):
    for kind, each in results.items():
        if kind not in ("LinearMixedModel", "LikelihoodFit", "PosteriorResult"):
            assert isinstance(each, Printed), kind
            assert getattr(each, language)(), kind
            assert len(each.to_frame()), kind


def test_a_long_table_is_shortened_on_the_screen_and_printed_whole(results):
    ladder = results["Parity"].ladder
    assert len(ladder) > pd.get_option("display.max_rows") > len(repr(ladder).splitlines())
    assert f"{len(ladder)} rows" in ladder._repr_html_()
    assert ladder.to_markdown().count("\n| ") == len(ladder) + 2
    with pd.option_context("display.max_rows", None):
        assert len(repr(ladder).splitlines()) > len(ladder)


def test_the_long_table_prints_what_a_notebook_shows(results):
    table = results["Parity"].table
    head, _, first = [line for line in table.to_markdown().splitlines() if line.startswith("|")][:3]
    assert head.count("|") == 8
    assert "| 251.41 (6.82) |" in first
    assert list(table.to_frame().columns) == list(table.columns)


def test_dir_shows_what_users_use(results):
    assert not {"optimum", "recipe", "of", "beta_values", "page", "INNER"} & set(
        dir(results["LikelihoodFit"])
    )
    assert not {"steps", "modelled", "record", "page"} & set(dir(results["Parity"]))
    assert {"ladder", "to_latex", "report"} <= set(dir(results["Parity"]))
