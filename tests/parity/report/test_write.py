"""The page in a browser: complete in itself, nothing cut on a phone."""

import json
import os
import shutil

import numpy as np
import pytest

from bayeslmm.datasets import load_dataset
from bayeslmm.errors import OutputError
from bayeslmm.likelihood.fit import fit
from bayeslmm.likelihood.fitted import FitOptions
from bayeslmm.parity.compare import compare
from bayeslmm.posterior.options import SampleOptions
from bayeslmm.posterior.sample import sample
from bayeslmm.spec.build import build
from bayeslmm.spec.model_spec import ModelSpec
from bayeslmm.spec.priors import default_priors

WIDTHS = {"phone": 390, "tablet": 820, "desktop": 1280}


@pytest.fixture(scope="module")
def parity():
    formula = "score ~ Machine + (Machine | Worker)"
    design = build(ModelSpec(formula), load_dataset("Machines")).design
    options = SampleOptions(draws=250, seed=1, method="importance", progress=False)
    return compare(fit(design, FitOptions(), formula), sample(design, default_priors(design), options))


@pytest.fixture(scope="module")
def page(parity, tmp_path_factory):
    return parity.report(tmp_path_factory.mktemp("report") / "parity.html")


def test_the_page_says_everything(parity, page):
    text = page.read_text(encoding="utf-8")
    assert parity.formula in text
    assert parity.verdicts.headline in text
    assert parity.certificate.sentence in text
    assert parity.manifest.data_hash in text
    for label in parity.table["label"]:
        assert label.replace("'", "&#39;") in text
    for figure in ("forest-0", "densities-0", "shrinkage-0"):
        assert f'id="{figure}"' in text


def test_the_page_is_a_few_megabytes(page):
    assert page.stat().st_size < 8e6


def test_tables_alone_make_a_page(reml, bootstrap, posterior, tmp_path):
    text = compare(reml, bootstrap, posterior).report(tmp_path / "page.html").read_text(encoding="utf-8")
    assert "only tables were compared" in text
    assert "nan" not in visible(text).lower().split()


def test_a_large_model_is_certified_only_when_asked(parity, monkeypatch):
    from bayeslmm.parity.report import tables

    unasked = compare(*(side.result for side in parity.sides.present()))
    monkeypatch.setattr(tables, "MOST_EFFECTS", 10)
    assert "takes long" in tables.tables_of(unasked)["no_certificate"]
    assert unasked.certificate.passed
    assert tables.tables_of(unasked)["no_certificate"] == ""


def visible(text):
    return text.partition("</main>")[0].partition("<main>")[2]


def test_labels_are_escaped(reml, posterior, tmp_path):
    names = {"beta[Days]": "beta[<script>alert(1)</script>]"}
    text = compare(reml, posterior, names=names).report(tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<script>alert" not in text


def test_a_folder_that_is_not_there_is_one_clear_error(reml, tmp_path):
    with pytest.raises(OutputError, match="cannot be written"):
        compare(reml).report(tmp_path / "nowhere" / "page.html")


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None and os.environ.get("CI") != "true":
        pytest.skip("no Chromium on the PATH")
    with playwright.sync_playwright() as running:
        yield running.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-quic"]
        )


@pytest.fixture(scope="module", params=WIDTHS)
def opened(request, browser, page):
    """The page at one width, with what it said and asked for."""
    tab = browser.new_page(viewport={"width": WIDTHS[request.param], "height": 900})
    said, asked = [], []
    tab.on("console", lambda message: said.append(message.text))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(page.as_uri())
    tab.wait_for_function("document.querySelectorAll('.plot .main-svg').length > 0")
    yield tab, said, asked
    tab.close()


@pytest.mark.browser
def test_the_page_fits_its_screen_and_keeps_to_itself(opened, page):
    tab, said, asked = opened
    assert said == []
    assert asked == [page.as_uri()]
    tab.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")


CUT = """() => [...document.querySelectorAll('.plot')].flatMap(plot => {
  const box = plot.getBoundingClientRect();
  return [...plot.querySelectorAll('text')].filter(t => t.textContent.trim()).filter(t => {
    const r = t.getBoundingClientRect();
    return r.width && (r.left < box.left - 1 || r.right > box.right + 1 || r.top < box.top - 1
                       || r.bottom > box.bottom + 1);
  }).map(t => plot.id + ': ' + t.textContent);
})"""

OVERLAPS = """() => [...document.querySelectorAll('.plot')].flatMap(plot => {
  const texts = [...plot.querySelectorAll('text')].filter(t => t.textContent.trim());
  const boxes = texts.map(t => [t.textContent, t.getBoundingClientRect()]).filter(([, r]) => r.width);
  return boxes.flatMap(([a, r], i) => boxes.slice(i + 1).filter(([, s]) =>
    Math.min(r.right, s.right) - Math.max(r.left, s.left) > 1 &&
    Math.min(r.bottom, s.bottom) - Math.max(r.top, s.top) > 3).map(([b]) => `${plot.id}: ${a} / ${b}`));
})"""


@pytest.mark.browser
def test_no_text_of_a_plot_is_cut_or_overlaps(opened):
    tab, *_ = opened
    assert tab.evaluate("document.querySelectorAll('.plot').length") == tab.evaluate(
        "document.querySelectorAll('.plot .svg-container').length"
    )
    assert tab.evaluate(CUT) == []
    assert tab.evaluate(OVERLAPS) == []


@pytest.mark.browser
@pytest.mark.parametrize("name", ["plot_forest", "plot_densities", "plot_shrinkage"])
def test_figures_of_a_notebook_carry_their_own_legend(parity, browser, tmp_path, name):
    figure = getattr(parity, name)().update_layout(width=800)
    body = figure.to_html(full_html=False).replace("plotly-graph-div", "plot plotly-graph-div")
    path = tmp_path / "figure.html"
    path.write_text(f"<!doctype html><meta charset='utf-8'><body>{body}</body>", encoding="utf-8")
    tab = browser.new_page(viewport={"width": 900, "height": 900})
    tab.goto(path.as_uri())
    tab.wait_for_function("document.querySelectorAll('.legendtext').length > 0")
    assert tab.evaluate(CUT) == []
    assert tab.evaluate(OVERLAPS) == []


@pytest.mark.browser
def test_every_plot_and_region_has_a_name(opened):
    tab, *_ = opened
    named = "e => e.ariaLabel || e.getAttribute('aria-labelledby')"
    assert tab.evaluate(f"[...document.querySelectorAll('[role=img], [role=region]')].every({named})")
    headings = tab.evaluate("[...document.querySelectorAll('h1, h2, h3')].map(h => Number(h.tagName[1]))")
    assert headings[0] == 1
    assert np.all(np.diff(headings) <= 1)


@pytest.mark.browser
def test_the_manifest_on_the_page_is_json(opened):
    tab, *_ = opened
    found = json.loads(tab.evaluate("document.getElementById('manifest-json').textContent"))
    assert found["formula"].startswith("score ~")
