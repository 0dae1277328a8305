"""The plots as data: what is drawn, where, in which colour."""

import numpy as np
import pandas as pd
import pytest

from bayeslmm.estimands.table import EstimateTable
from bayeslmm.render import style
from bayeslmm.render.densities import DensityPanel, plot_densities
from bayeslmm.render.forest import plot_forest
from bayeslmm.render.shrinkage import ShrinkagePanel, plot_shrinkage

LABELS = ["beta[Days]", "sd[Subject: Days]", "ranef[Subject=308: Days]"]
KINDS = ["beta", "sd", "ranef"]


def likelihood(source="REML", interval="wald"):
    columns = {"kind": KINDS, "estimate": [10.5, 5.9, 9.2], "se": [1.5, 1.2, 2.3]}
    frame = pd.DataFrame(columns | {"lower": [7.4, 3.5, 4.7], "upper": [13.5, 8.4, 13.7]}, index=LABELS)
    return EstimateTable(frame, source, interval, 0.95)


def posterior():
    columns = {"kind": KINDS, "mean": [10.5, 6.6, 9.3], "median": [10.5, 6.4, 9.2], "sd": [1.7, 1.5, 2.6]}
    ends = {"lower": [7.0, 4.1, 4.2], "upper": [13.9, 10.1, 14.4]}
    checks = {"mcse": 0.02, "ess_bulk": 3000.0, "ess_tail": 2500.0, "r_hat": 1.0}
    return EstimateTable(pd.DataFrame(columns | ends | checks, index=LABELS), "posterior", "eti", 0.95)


def colours(figure):
    lines = (trace.line.color for trace in figure.data if trace.mode == "lines")
    return {colour for colour in lines if colour}


def test_a_forest_row_holds_every_method():
    tables = [likelihood(), likelihood("bootstrap", "percentile"), posterior()]
    figure = plot_forest(tables, unit="Reaction")
    bars = [trace for trace in figure.data if trace.mode == "lines"]
    assert len(bars) == 2 * 3
    assert colours(figure) == {style.LIKELIHOOD, style.POSTERIOR}
    assert [note.text for note in figure.layout.annotations] == [
        "<b>beta[Days]</b>",
        "<b>sd[Subject: Days]</b>",
    ]
    assert figure.layout.xaxis2.title.text == "Reaction"


def test_a_forest_row_shows_all_of_its_intervals():
    figure = plot_forest([likelihood(), posterior()])
    low, high = figure.layout.xaxis2.range
    assert low < 3.5
    assert high > 10.1


def test_the_forest_marks_the_median():
    figure = plot_forest([posterior()], kinds=("sd",))
    (tick,) = [trace for trace in figure.data if trace.marker.symbol == "line-ns"]
    assert tick.x == (6.4,)


def test_the_legend_names_each_method_once():
    figure = plot_forest([likelihood(), posterior()])
    named = [trace.name for trace in figure.data if trace.showlegend]
    assert named == ["REML, 95 % wald", "Posterior mean, 95 % eti"]
    assert not plot_forest([likelihood()], legend=False).layout.showlegend


def test_missing_ends_draw_nothing_and_break_nothing():
    frame = likelihood().frame.assign(lower=np.nan, upper=np.nan)
    figure = plot_forest([EstimateTable(frame, "REML", "wald", 0.95)], kinds=("beta",))
    assert figure.layout.xaxis.range is None


def test_an_empty_forest_is_a_figure():
    assert len(plot_forest([likelihood()], kinds=("cor",)).data) == 0


@pytest.fixture
def panel():
    rng = np.random.default_rng(1)
    return DensityPanel(
        "sd[Subject: Days]", rng.gamma(16, 0.4, 2000), rng.normal(5.9, 1.2, 500), 5.92, "REML"
    )


def test_a_density_panel_has_posterior_bootstrap_and_estimate(panel):
    figure = plot_densities([panel])
    names = [trace.name for trace in figure.data]
    assert names == ["Posterior", "Bootstrap of the estimate", "REML estimate"]
    assert set(figure.data[2].x) == {5.92}
    assert min(figure.data[0].x) >= 0


def test_panels_fill_rows_of_the_grid(panel):
    figure = plot_densities([panel] * 3)
    assert figure.layout.height > plot_densities([panel] * 2).layout.height
    assert sum(bool(trace.showlegend) for trace in figure.data) == 3


def test_a_bootstrap_on_the_boundary_is_left_out(panel):
    stuck = DensityPanel(panel.label, panel.draws, np.zeros(100), 0.0, "REML")
    assert [trace.name for trace in plot_densities([stuck]).data] == ["Posterior", "REML estimate"]


def shrinkage(no_pooling):
    blup = np.array([-2.0, 0.5, 3.0])
    return ShrinkagePanel(
        title="Subject: Days",
        levels=("308", "309", "310"),
        blup=blup,
        blup_lower=blup - 1,
        blup_upper=blup + 1,
        mean=blup + 0.1,
        post_lower=blup - 1.2,
        post_upper=blup + 1.4,
        no_pooling=no_pooling,
    )


def test_the_shrinkage_plot_lays_means_over_blups():
    figure = plot_shrinkage([shrinkage(np.array([-3.0, 0.7, 4.5]))])
    (effects,) = [trace for trace in figure.data if trace.name == "posterior mean over BLUP"]
    assert np.allclose(effects.error_y.array, 1.3)
    assert np.allclose(effects.error_x.arrayminus, 1.0)
    assert list(effects.customdata) == ["308", "309", "310"]
    (own,) = [trace for trace in figure.data if trace.name == "no pooling"]
    assert list(own.y) == [-3.0, 0.7, 4.5]


def test_no_pooling_is_optional():
    names = [trace.name for trace in plot_shrinkage([shrinkage(None)]).data]
    assert names == ["equality", "posterior mean over BLUP"]
