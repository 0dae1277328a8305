"""Docstrings cite the mathematics page's equations by number."""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "mathematics.md").read_text(encoding="utf-8")
LABELS = re.findall(r"\$\$ \(([\w-]+)\)$", PAGE, flags=re.M)
DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef
CITED = re.compile(r"(?<!20\d\d, )\beq\. (\d+(?:, \d+)*)")


@cache
def citations() -> dict[int, str]:
    """Numbers that docstrings cite, with a file that does."""
    return {
        number: path.name for path in sorted((ROOT / "bayeslmm").rglob("*.py")) for number in _cited(path)
    }


def _cited(path):
    text = path.read_text(encoding="utf-8")
    nodes = ast.walk(ast.parse(text)) if CITED.search(text) else ()
    told = [ast.get_docstring(node) or "" for node in nodes if isinstance(node, DOCUMENTED)]
    return [int(number) for numbers in CITED.findall(" ".join(told)) for number in numbers.split(", ")]


def test_equations_are_numbered_once():
    assert len(LABELS) == PAGE.count("$$") // 2 == len(set(LABELS))


def test_every_equation_cited_is_there():
    assert {number: name for number, name in citations().items() if number > len(LABELS)} == {}


def test_every_equation_is_cited():
    assert [label for number, label in enumerate(LABELS, start=1) if number not in citations()] == []


def test_what_is_computed_cites_its_own():
    """An equation put between others moves the numbers of those below it."""
    from bayeslmm.likelihood.fitted import Fitted
    from bayeslmm.likelihood.inference.ddf.kenward_roger import KenwardRoger
    from bayeslmm.model import LinearMixedModel
    from bayeslmm.parity.comparison import Comparison
    from bayeslmm.posterior.looked_at import LookedAt

    said = {
        "model": LinearMixedModel,
        "kernel": LinearMixedModel.V,
        "beta": Fitted.beta,
        "ml": Fitted.criterion_value,
        "reml": Fitted.criterion_value,
        "marginal": LinearMixedModel.sample,
        "effects": Fitted.ranef,
        "prediction-error": Fitted.ranef_table,
        "kenward-roger": KenwardRoger.adjusted,
        "ladder": Comparison.ladder,
        "width": Comparison.widths,
        "without": LookedAt.loo,
    }
    for label, thing in said.items():
        numbers = ", ".join(CITED.findall(thing.__doc__))
        assert str(LABELS.index(label) + 1) in numbers.split(", "), label
