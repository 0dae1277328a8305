"""The lectures' pages: formulas are the checked ones, pictures are drawn, covariances are what is said."""

import ast
import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import bayeslmm as bl
from bayeslmm.textbook import lecture_notes

DOCS = Path(__file__).parents[2] / "docs"
STRUCTURES = (DOCS / "structures.md").read_text()
NOTES = (DOCS / "lecture_notes.md").read_text()


@cache
def misprints():
    return bl.textbook.misprints()


@pytest.mark.parametrize("name", [check.__name__ for check in lecture_notes.CHECKS])
def test_the_corrected_formula_holds_and_the_printed_one_does_not(name):
    found = misprints()[name]
    assert found.gap < 1e-12
    assert found.error > 0.07
    assert found.witness.shape == found.corrected_value.shape


def test_the_page_has_the_formulas_that_are_checked():
    printed, corrected = (
        re.findall(rf"{head}:\n\n\$\$(.*?)\$\$", NOTES) for head in ("Printed", "It should be")
    )
    assert printed == [each.printed for each in misprints().values()]
    assert corrected == [each.corrected for each in misprints().values()]
    assert re.findall(r"Checked by\s`(\w+)`", NOTES) == list(misprints())
    words = " ".join(NOTES.split())
    assert [each.says for each in misprints().values() if each.says[1:] not in words] == []


def test_the_levels_on_the_page_are_computed():
    rows = re.findall(r"\| (\d+) \| (\w+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|", NOTES)
    assert len(rows) == 8
    for groups, criterion, *printed in rows:
        found = bl.textbook.variance_ratio_level(int(groups), 5, criterion=criterion)
        expected = [f"{found.chi2:.3f}", f"{found.mixture:.3f}", f"{found.share_at_zero:.2f}"]
        assert printed == expected


def cells():
    return re.findall(r"```\{code-cell\}\n:tags: \[hide-input\]\n\n(.*?)```", STRUCTURES, flags=re.DOTALL)


@cache
def pictures():
    """What the last line of each cell shows, by the formula or the fit it draws."""
    names, shown = {}, {}
    for cell in cells():
        *statements, last = ast.parse(cell).body
        exec(compile(ast.Module(statements, []), "structures.md", "exec"), names)
        if isinstance(last, ast.Expr):
            drawn = ast.unparse(last.value.args[0]).strip("'")
            shown[drawn] = eval(compile(ast.Expression(last.value), "structures.md", "eval"), names)
        else:
            exec(compile(ast.Module([last], []), "structures.md", "exec"), names)
    return names, shown


def test_every_section_draws_its_formula():
    formulas = re.findall(r"^`(\w+ ~ .*?)`", STRUCTURES, flags=re.MULTILINE)
    assert len(formulas) == 8
    assert list(pictures()[1]) == [*formulas, "fit"]
    assert len(pictures()[1]["fit"].data) == 3 * 18
    assert len(cells()) == STRUCTURES.count("```{code-cell}")


def shared(rows, *columns):
    labels = rows[list(columns)].astype(str).agg("/".join, axis=1).to_numpy()
    return np.equal.outer(labels, labels)


def days(rows):
    return rows["Days"].to_numpy(float)


# Cov of two rows as the page's table has it, from the numbers in the page's code
SAID = {
    "Reaction ~ Days + (1 | Subject)": ("drivers", lambda rows: 1.0 * shared(rows, "Subject")),
    "Reaction ~ Days + (0 + Days | Subject)": (
        "drivers",
        lambda rows: 0.09 * np.outer(days(rows), days(rows)) * shared(rows, "Subject"),
    ),
    "Reaction ~ Days + (Days || Subject)": (
        "drivers",
        lambda rows: (1.0 + 0.09 * np.outer(days(rows), days(rows))) * shared(rows, "Subject"),
    ),
    "Reaction ~ Days + (Days | Subject)": (
        "drivers",
        lambda rows: (
            (1.0 - 0.25 * np.add.outer(days(rows), days(rows)) + 0.085 * np.outer(days(rows), days(rows)))
            * shared(rows, "Subject")
        ),
    ),
    "diameter ~ 1 + (1 | plate) + (1 | sample)": (
        "plates",
        lambda rows: 1.0 * shared(rows, "plate") + 4.0 * shared(rows, "sample"),
    ),
    "strength ~ 1 + (1 | batch/cask)": (
        "batches",
        lambda rows: 1.0 * shared(rows, "batch") + 4.0 * shared(rows, "batch", "cask"),
    ),
    "score ~ Machine + (1 | Worker) + (1 | Worker:Machine)": (
        "workers",
        lambda rows: 4.0 * shared(rows, "Worker") + 1.0 * shared(rows, "Worker", "Machine"),
    ),
    "score ~ Machine + (0 + Machine | Worker)": (
        "workers",
        lambda rows: (
            np.array([[1.0, 0.5, -0.5], [0.5, 4.25, 0.75], [-0.5, 0.75, 0.75]])[
                np.ix_(rows["Machine"].cat.codes, rows["Machine"].cat.codes)
            ]
            * shared(rows, "Worker")
        ),
    ),
}


@pytest.mark.parametrize("formula", SAID)
def test_the_picture_is_of_the_covariance_that_is_said(formula):
    names, shown = pictures()
    data, covariance = SAID[formula]
    rows = names[data]
    np.testing.assert_allclose(shown[formula].data[1].z, covariance(rows) + np.eye(len(rows)), atol=1e-12)


def test_casks_of_one_label_in_two_batches_are_two():
    Z = pictures()[1]["strength ~ 1 + (1 | batch/cask)"].data[0].z
    unique = bl.textbook.plot_structure(
        "strength ~ 1 + (1 | batch) + (1 | sample)", pictures()[0]["batches"], [2.0, 1.0]
    )
    np.testing.assert_array_equal(unique.data[0].z, Z)
