"""Figures as data: what is drawn, where."""

import numpy as np
import pytest

import bayeslmm as bl
from bayeslmm.errors import DataError, OptionError
from tests.textbook.layouts import fitted, random_layout


def sleep():
    data = bl.load_dataset("sleepstudy")
    return data, fitted("Reaction ~ Days + (Days | Subject)", data)


def test_power_curves_are_the_power_function():
    figure = bl.textbook.plot_power({"few <3>": [5] * 3, "unequal": [1, 5, 9]}, alpha=0.1, largest_ratio=1.0)
    few, unequal = figure.data
    np.testing.assert_allclose(unequal.y, bl.textbook.f_test_power(unequal.x, [1, 5, 9], 0.1))
    assert (few.name, few.x[-1], few.line.dash != unequal.line.dash) == ("few &lt;3&gt;", 1.0, True)
    assert figure.layout.shapes[0].y0 == 0.1
    with pytest.raises(OptionError, match="largest_ratio is 0"):
        bl.textbook.plot_power({"few": [5] * 3}, largest_ratio=0)
    with pytest.raises(OptionError, match="group sizes by name"):
        bl.textbook.plot_power([5, 5, 5])


def test_means_and_blups_stand_in_one_row():
    layout = random_layout([3, 3, 3, 3])
    realized = bl.textbook.realized_means(layout, 1.0, 1.0)
    figure = bl.textbook.plot_realized_means(realized, "y")
    _, means, blups = figure.data
    np.testing.assert_allclose(means.x, np.sort(realized.mean))
    np.testing.assert_allclose(blups.x, realized.blup[np.argsort(realized.mean)])
    assert means.y.tolist() == blups.y.tolist()
    assert figure.layout.shapes[0].x0 == realized.mu


def test_eighteen_panels_of_the_sleep_study():
    data, fit = sleep()
    figure = bl.textbook.plot_lines(fit, data, "Days")
    assert len(figure.data) == 3 * 18
    assert [note.text for note in figure.layout.annotations][:2] == ["308", "309"]
    observed, population, own = figure.data[:3]
    rows = data[data["Subject"] == "308"]
    np.testing.assert_allclose(observed.y, rows["Reaction"])
    np.testing.assert_allclose(population.y, fit.predict(rows, random="none"))
    np.testing.assert_allclose(own.y, fit.predict(rows))
    assert [trace.name for trace in figure.data if trace.showlegend] == ["observed", "population", "level"]


def test_lines_are_drawn_of_the_rows_kept_by_increasing_x():
    data, _ = sleep()
    shuffled = data.assign(Reaction=data["Reaction"].where(data.index != 3)).sample(frac=1, random_state=1)
    fit = fitted("Reaction ~ Days + (Days | Subject)", shuffled)
    observed = bl.textbook.plot_lines(fit, shuffled, "Days").data[0]
    assert observed.x.tolist() == [0, 1, 2, 4, 5, 6, 7, 8, 9]
    kept = data[(data["Subject"] == "308") & (data["Days"] != 3)]
    np.testing.assert_allclose(observed.y, kept["Reaction"])


def test_a_structure_is_its_design():
    data = bl.load_dataset("Machines")
    formula = "score ~ Machine + (1 | Worker/Machine)"
    Z, V = bl.textbook.plot_structure(formula, data, [2.0, 1.0], sigma=3.0).data
    model = bl.LinearMixedModel(formula, data)
    np.testing.assert_array_equal(Z.z, model.design.Z.toarray())
    np.testing.assert_allclose(V.z, model.V([2.0, 1.0], 3.0))
    assert (V.zmin, V.zmax) == (-V.z.max(), V.z.max())


def test_figures_that_cannot_be_are_refused():
    data, fit = sleep()
    with pytest.raises(DataError, match="no column 'days'; did you mean 'Days'"):
        bl.textbook.plot_lines(fit, data, "days")
    with pytest.raises(DataError, match="'Subject' isn't numeric"):
        bl.textbook.plot_lines(fit, data, "Subject")
    with pytest.raises(DataError, match="fewer than the fit's"):
        bl.textbook.plot_lines(fit, data.iloc[:10], "Days")
    crossed = fitted("diameter ~ 1 + (1 | plate) + (1 | sample)", bl.load_dataset("Penicillin"))
    with pytest.raises(OptionError, match="this fit has plate, sample"):
        bl.textbook.plot_lines(crossed, bl.load_dataset("Penicillin"), "diameter")
    with pytest.raises(DataError, match="73421 rows make a picture nobody can see"):
        bl.textbook.plot_structure("y ~ 1 + (1 | s)", bl.load_dataset("InstEval"), [1.0])
    with pytest.raises(OptionError, match="theta has 2 values; 1 needed"):
        bl.textbook.plot_structure("Yield ~ 1 + (1 | Batch)", bl.load_dataset("Dyestuff"), [1.0, 2.0])
