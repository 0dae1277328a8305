"""The glossary's words are the code's."""

import inspect
import re
from pathlib import Path

import bayeslmm as bl
from bayeslmm.likelihood.fit import LikelihoodFit
from bayeslmm.posterior.result import PosteriorResult

ROOT = Path(__file__).parents[2]
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
CODE = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "bayeslmm").rglob("*.py")))
GREEK = {"Lambda": "Λ", "theta": "θ"}
FACES = [bl.LinearMixedModel, LikelihoodFit, PosteriorResult]


def rows() -> list[list[str]]:
    lines = [line for line in GLOSSARY.splitlines() if line.startswith("| ")][1:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def words() -> list[str]:
    heads = [row[0] for row in rows()] + re.findall(r"^(.+)\n: ", GLOSSARY, flags=re.M)
    return [word for head in heads for word in re.findall(r"`([^`]+)`", head)]


def test_no_word_is_without_code():
    assert len(words()) > 30
    assert [word for word in words() if not re.search(rf"\b{GREEK.get(word, word)}\b", CODE)] == []


def test_no_argument_has_a_name_that_is_never_used():
    never = {word.strip(" `").rstrip("=") for row in rows() if len(row) > 2 for word in row[2].split(",")}
    methods = [verb for face in FACES for _, verb in inspect.getmembers(face, inspect.isfunction)]
    public = [each for each in map(vars(bl).get, bl.__all__) if inspect.isfunction(each)]
    given = {name for verb in [*methods, *public] for name in inspect.signature(verb).parameters}
    # what is left out; of intervals and samplers, not of criteria; of a grouping factor, not a probability
    assert given & never <= {"unit", "method", "level"}
