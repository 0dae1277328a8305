"""The page in a browser: complete in itself, nothing cut on a phone."""

import json
import os
import re
import shutil
from html import unescape

import numpy as np
import pytest
from markupsafe import escape

from bayeslmm.datasets import load_dataset
from bayeslmm.errors import OptionError, OutputError
from bayeslmm.likelihood.fit import fit
from bayeslmm.likelihood.fitted import FitOptions
from bayeslmm.parity.compare import compare
from bayeslmm.parity.report.words import parity_sentences
from bayeslmm.posterior.options import SampleOptions
from bayeslmm.posterior.sample import sample
from bayeslmm.spec.build import build
from bayeslmm.spec.model_spec import ModelSpec
from bayeslmm.spec.priors import default_priors

WIDTHS = {"phone": 390, "tablet": 768, "desktop": 1280, "wide": 1920}
LONG = (
    "beta[treatment[T.Beta-blocker, slow release]:scale(baseline systolic pressure)]",
    "cor[hospital by ward: treatment[T.Beta-blocker, slow release], scale(baseline systolic pressure)]",
)


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
    for sentence in parity_sentences(parity):
        assert str(escape(sentence)) in text
    assert parity.certificate.sentence in text
    assert parity.manifest.data_hash in text
    words = " ".join(unescape(re.sub(r"<[^>]+>", "", text.partition("</main>")[0])).split())
    for label in parity.table["label"]:
        assert label in words
    assert "levels of Worker" in text
    assert "The fit is not singular" in text
    for figure in ("forest-0", "densities-0", "shrinkage-0", "ladder-0"):
        assert f'id="{figure}"' in text


def test_the_page_is_a_few_megabytes(page):
    assert page.stat().st_size < 8e6


def test_tables_alone_make_a_page(reml, bootstrap, posterior, tmp_path):
    text = compare(reml, bootstrap, posterior).report(tmp_path / "page.html").read_text(encoding="utf-8")
    assert "only tables were compared" in text
    assert "nan" not in visible(text).lower().split()


def test_a_large_model_is_certified_on_a_part(monkeypatch):
    from bayeslmm.parity.certificate import part
    from bayeslmm.parity.report.sections.certificate import CertificateSection

    design = build(ModelSpec("score ~ Machine + (1 | Worker)"), load_dataset("Machines")).design
    monkeypatch.setattr(part, "MOST_EFFECTS", 8)
    monkeypatch.setattr(part, "OF_PART", 7)
    large = compare(fit(design, FitOptions(), "score ~ Machine + (1 | Worker)"))
    told = " ".join(str(block) for block in CertificateSection().blocks(large))
    assert "on a part" in told
    assert large.certificate.passed


def visible(text):
    return text.partition("</main>")[0].partition("<main")[2]


HOSTILE = "beta[<script>alert(1)</script>_%$&{x}|`b`]"


def test_labels_are_escaped_in_every_language(reml, posterior, tmp_path):
    path = compare(reml, posterior, names={"beta[Days]": HOSTILE}).report(tmp_path / "page.html")
    html, markdown, latex = (
        path.with_suffix(end).read_text(encoding="utf-8") for end in (".html", ".md", ".tex")
    )
    assert "<script>alert" not in html
    assert html.count("</script>") == 3  # the plots' library, the figures, the page's own
    assert "<script>" not in markdown.replace("\\<", "")
    assert r"\|\`b\`" in markdown
    assert r"\_\%\$\&\{x\}\textbar{}" in latex


def test_markdown_and_latex_hold_the_table(parity, page):
    markdown, latex = (page.with_suffix(end).read_text(encoding="utf-8") for end in (".md", ".tex"))
    shown = sum(1 for label in parity.verdicts.parameters.index)
    assert latex.count(r" \\") == shown + 1
    assert "## In short" in markdown
    assert markdown.count("\n- beta") == 3
    assert "bl.rerun" not in markdown  # not a whole run, whose code would be here


def test_sections_on_request_are_there_for_who_asks(parity, page, tmp_path):
    usual = page.read_text(encoding="utf-8")
    also = parity.report(tmp_path / "page.html", also=("intervals", "sensitivity")).read_text(
        encoding="utf-8"
    )
    for title in ("Every method's interval", "The posterior under other priors"):
        assert escape(title) not in usual
        assert escape(title) in also
    words = visible(also)
    assert "kenward-roger" in words
    assert "half as wide" in words
    with pytest.raises(OptionError, match="section 'intervalls' isn't known; did you mean 'intervals'"):
        parity.report(tmp_path / "page.html", also=("intervalls",))
    for name in ("page.pdf", "page.md", "page"):
        with pytest.raises(OptionError, match=r"name it .*page\.html"):
            parity.report(tmp_path / name)


def test_what_no_table_has_has_cells(tmp_path):
    formula = "Yield ~ 1 + (1 | Batch)"
    design = build(ModelSpec(formula), load_dataset("Dyestuff")).design
    options = SampleOptions(draws=250, seed=1, method="importance", progress=False)
    found = compare(
        fit(design, FitOptions(), formula),
        sample(design, default_priors(design), options),
        estimands={"first": {"beta[Intercept]": 1, "ranef[Batch=A: Intercept]": 1}},
    )
    own, ladder = found.followed, found.ladder.set_index(["label", "rung"])["value"]
    for label in ("icc[Batch]", "first"):
        assert own[label].estimate == pytest.approx(ladder[label, "REML"])
        assert abs(own[label].mean - ladder[label, "mean"]) < 5 * own[label].mcse + 0.02 * own[label].sd
        assert own[label].post_lower < own[label].mean < own[label].post_upper
    text = found.report(tmp_path / "page.html").with_suffix(".md").read_text(encoding="utf-8")
    row = next(line for line in text.splitlines() if line.startswith("| icc"))
    assert all(any(c.isdigit() for c in row.split("|")[place]) for place in (3, 5, 6))


def test_worst_comes_first(parity):
    from bayeslmm.parity.report.sections.verdicts import worst_first

    frame = worst_first(parity.verdicts.parameters)
    agree = (frame["verdict"] == "agree").to_numpy()
    assert not np.any(agree[:-1] & ~agree[1:])
    sizes = frame["size"].abs().to_numpy()[~agree]
    assert np.all(np.diff(sizes) <= 0)
    spoilt = frame.assign(verdict=["agree"] * (len(frame) - 1) + ["disagree"])
    assert worst_first(spoilt).index[0] == frame.index[-1]


def test_the_table_fits_a_notebook(parity):
    html = parity.table._repr_html_()
    assert html.count("<th>") < 400
    assert "22 columns" in html or "23 columns" in html
    assert HOSTILE not in html
    assert "<table" in parity.table[["label", "mean"]]._repr_html_()


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


@pytest.fixture(scope="module", params=["phone", "desktop"])
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


@pytest.fixture(scope="module")
def long_page(reml, bootstrap, posterior, tmp_path_factory):
    """A page of tables alone, with real labels that are long."""
    names = dict(zip(("beta[Days]", "cor[Subject: Intercept, Days]"), LONG, strict=True))
    assert set(names) <= set(reml.labels)
    tables = [table.relabel(names) for table in (reml, bootstrap, posterior)]
    return compare(*tables).report(tmp_path_factory.mktemp("long") / "parity.html")


@pytest.fixture(scope="module")
def long_tab(browser, long_page):
    found = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme="light")
    found.goto(long_page.as_uri())
    yield found
    found.close()


@pytest.fixture
def tab(long_tab):
    """The page with long labels on a desktop, nothing filtered."""
    long_tab.set_viewport_size({"width": 1280, "height": 900})
    long_tab.evaluate(
        "document.querySelectorAll('form').forEach(f => { f.reset(); f.dispatchEvent(new Event('input')) })"
    )
    return long_tab


CLIPPED = """() => [...document.querySelectorAll('table th, table td, dt, dd, .badge')].filter(e => {
  const r = e.getBoundingClientRect(), box = e.closest('.scroll')?.getBoundingClientRect();
  const end = Math.min(box?.right ?? innerWidth, innerWidth);
  return r.width && (r.right > end + 1 || e.clientWidth && e.scrollWidth > e.clientWidth + 1);
}).map(e => e.textContent.trim())"""

BROKEN = """() => [...document.querySelectorAll('tbody th .word, dt .word')].filter(word => {
  const range = document.createRange();
  range.selectNodeContents(word);
  return new Set([...range.getClientRects()].map(r => Math.round(r.top))).size > 1;
}).map(word => word.textContent)"""

FITS = "document.documentElement.scrollWidth <= innerWidth"  # once the plots have followed


@pytest.mark.browser
@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_clipped_and_labels_break_at_spaces(tab, width, scheme):
    tab.set_viewport_size({"width": width, "height": 900})
    tab.emulate_media(color_scheme=scheme)
    tab.wait_for_function(FITS)
    assert tab.evaluate(CLIPPED) == []
    assert tab.evaluate(BROKEN) == []


TOOLS, TABLE = "#verdicts > form", "#verdicts > .scroll"
FIRST = f"{TABLE} tbody tr:not([hidden]) th"


@pytest.mark.browser
def test_columns_are_sorted_by_mouse_and_keyboard(tab):
    head = tab.locator(f"{TABLE} thead th").nth(6)
    rows = "[...document.querySelectorAll('#verdicts > .scroll tbody tr')]"
    sizes = f"{rows}.map(row => Number(row.cells[6].dataset.value))"
    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    assert np.all(np.diff(tab.evaluate(sizes)) >= 0)
    head.locator("button").focus()
    tab.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    assert np.all(np.diff(tab.evaluate(sizes)) <= 0)
    tab.locator(f"{TABLE} thead th button").first.click()
    labels = tab.locator(FIRST).all_text_contents()
    assert [each.strip() for each in labels] == sorted((each.strip() for each in labels), key=str.lower)


@pytest.mark.browser
def test_rows_are_filtered_by_text_and_by_verdict(tab):
    tab.locator(f"{TOOLS} input").fill("beta-BLOCKER")
    assert [each.strip() for each in tab.locator(FIRST).all_text_contents()] != []
    assert all("Beta-blocker" in each for each in tab.locator(FIRST).all_text_contents())
    assert "2 of" in tab.locator(f"{TOOLS} output").text_content()
    tab.locator(f"{TOOLS} input").fill("")
    tab.locator(f"{TOOLS} select").select_option("agree")
    shown = tab.locator(f"{TABLE} tbody tr:not([hidden]) .badge").all_text_contents()
    assert set(shown) == {"agree"}


@pytest.mark.browser
def test_what_is_shown_can_be_saved(tab, tmp_path):
    import csv

    tab.locator(f"{TOOLS} select").select_option("agree")
    with tab.expect_download() as download:
        tab.locator(f"{TOOLS} [data-do=csv]").click()
    download.value.save_as(tmp_path / "table.csv")
    rows = list(csv.reader((tmp_path / "table.csv").read_text().splitlines()))
    assert {len(row) for row in rows} == {9}
    assert {row[1] for row in rows[1:]} == {"agree"}
    assert "sd[Subject: Days]" not in {row[0] for row in rows}


@pytest.mark.browser
def test_light_and_dark_are_chosen_and_can_be_read(tab):
    ground = "getComputedStyle(document.body).backgroundColor"
    before = tab.evaluate(ground)
    tab.locator("#theme").click()
    assert tab.evaluate(ground) != before
    tab.locator("#theme").click()
    assert tab.evaluate(ground) == before


@pytest.mark.browser
def test_it_prints_on_a_few_pages_of_tables_and_as_many_of_figures(opened):
    tab, *_ = opened
    assert n_pages(tab) <= 10
    tab.evaluate(
        "document.body.append(Object.assign(document.createElement('style'), {id: 'without', "
        "textContent: '.plots, ul.key { display: none !important; }'}))"
    )
    assert n_pages(tab) <= 5
    tab.evaluate("document.getElementById('without').remove()")
    tab.emulate_media(media="print")
    assert (
        tab.evaluate("getComputedStyle(document.querySelector('#verdicts tbody tr')).display") == "table-row"
    )
    tab.emulate_media(media="screen")


def n_pages(tab):
    return len(re.findall(rb"/Type\s*/Page\b(?!s)", tab.pdf(prefer_css_page_size=True)))


@pytest.mark.browser
def test_figures_are_printed_on_paper_and_then_drawn_as_before(opened):
    tab, *_ = opened
    plots = "[...document.querySelectorAll('.plot')]"
    tab.evaluate("dispatchEvent(new Event('afterprint'))")  # which a page printed without a window isn't told
    before = tab.evaluate(f"{plots}.map(plot => plot._fullLayout.width)")
    ink = "getComputedStyle(document.querySelector('.plot .gtitle, .plot .xtick text')).fill"
    tab.emulate_media(color_scheme="dark")
    light = tab.evaluate(ink)
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert set(tab.evaluate(f"{plots}.map(plot => plot._fullLayout.width)")) == {340}
    assert tab.evaluate(CUT) == []
    assert tab.evaluate(ink) == "rgb(0, 0, 0)" != light
    tab.evaluate("dispatchEvent(new Event('afterprint'))")
    tab.emulate_media(color_scheme="light")
    assert tab.evaluate(f"{plots}.map(plot => plot._fullLayout.width)") == before


@pytest.mark.browser
def test_a_point_says_its_values_where_it_is_pointed_at(opened):
    tab, *_ = opened
    point = tab.locator("#forest-0 .scatterlayer .point").first
    point.scroll_into_view_if_needed()
    point.hover(force=True)
    tab.wait_for_selector("#forest-0 .hoverlayer text")
    assert "REML" in tab.locator("#forest-0 .hoverlayer").text_content()
