"""The one place where formulaic is asked for columns."""

import re
import warnings
from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayeslmm.errors import DataError, FormulaError

from .coding_rule import scoped_terms
from .vocabulary import additions

type Array = NDArray[np.float64]

_SUM = re.compile(r"1( \+ (1|[^\W\d]\w*))*")
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


class Part(NamedTuple):
    """One part of the formula: its columns (n, k), their names, and formulaic's trained specification."""

    matrix: Array
    names: tuple[str, ...]
    trained: Any


class Plain(NamedTuple):
    """A part that is one column of numbers as it stands: nothing to evaluate, nothing to learn."""

    name: str

    def is_column(self, variables: Mapping[str, Any]) -> bool:
        return isinstance(variables.get(self.name), np.ndarray)

    def part(self, variables: Mapping[str, Any]) -> Part:
        return Part(variables[self.name].astype(float)[:, None], (self.name,), self)


def train(parts: Mapping[str, str], variables: Mapping[str, Any], n: int) -> dict[str, Part]:
    """The columns of every part of a formula, evaluated together to share transforms, equal parts once.

    Parameters
    ----------
    parts : formula text by name
    variables : the data's columns by name, as numbers or as coded factors
    n : number of rows

    Raises
    ------
    FormulaError
        When formulaic can't read or evaluate a term.
    """
    from formulaic import Formula
    from formulaic.errors import FormulaicError

    plain = {name: Plain(text.strip("`")) for name, text in parts.items()}
    made = {name: each.part(variables) for name, each in plain.items() if each.is_column(variables)}
    firsts: dict[str, str] = {}
    parts = {name: _plain_sum(text) for name, text in parts.items()}
    for name, text in parts.items():
        if name not in made:
            firsts.setdefault(text, name)
    try:
        formula = Formula(**{name: _terms(text) for text, name in firsts.items()})
    except FormulaicError as error:
        raise FormulaError(_plain(error)) from None
    made |= _evaluate(formula, variables, n, na_action="ignore", output="numpy") if firsts else {}
    return {name: made[name] if name in made else made[firsts[text]] for name, text in parts.items()}


def _plain_sum(text: str) -> str:
    """A sum of columns with its intercept and every column once; any other text as it is."""
    if not _SUM.fullmatch(text):
        return text
    return " + ".join(dict.fromkeys(text.split(" + ")))


def _terms(text: str) -> Any:
    """A part as formulaic takes it: the terms of a sum of columns, which needs no parser, else the text."""
    from formulaic.parser.types import Factor, Term

    if not _SUM.fullmatch(text):
        return text
    return [
        Term([Factor("1", eval_method="literal")]),
        *(Term([Factor(name, eval_method="lookup")]) for name in _plain_sum(text).split(" + ")[1:]),
    ]


def replay(trained: Mapping[str, Any], variables: Mapping[str, Any], n: int) -> dict[str, Part]:
    """The columns of some parts for new rows, transforms as they were trained.

    Raises
    ------
    FormulaError
        When formulaic can't evaluate a term.
    DataError
        When a level wasn't seen in training.
    """
    from formulaic.model_spec import ModelSpecs

    made = {name: spec.part(variables) for name, spec in trained.items() if isinstance(spec, Plain)}
    firsts: dict[int, str] = {}
    for name, spec in trained.items():
        if name not in made:
            firsts.setdefault(id(spec), name)
    specs = {name: trained[name] for name in firsts.values()}
    made |= _evaluate(ModelSpecs(**specs), variables, n) if specs else {}
    return {name: made[name] if name in made else made[firsts[id(spec)]] for name, spec in trained.items()}


def _evaluate(spec: Any, variables: Mapping[str, Any], n: int, **options: str) -> dict[str, Part]:
    from formulaic.errors import DataMismatchWarning, FormulaicError
    from formulaic.materializers import PandasMaterializer

    # all columns go in as context: plain arrays, with no index that could be aligned
    materializer = PandasMaterializer(
        pd.DataFrame(index=range(n)), context=dict(additions()) | dict(variables)
    )
    # formulaic's own rule spans the same space, but not always with R's columns
    materializer._get_scoped_terms = partial(scoped_terms, materializer.factor_cache)
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("error", DataMismatchWarning)
            matrices = materializer.get_model_matrix(spec, **options)
    except DataMismatchWarning as warning:
        raise DataError(f"a level wasn't in the fitted data: {warning}") from None
    except (FormulaicError, ValueError) as error:
        raise FormulaError(_plain(error)) from None
    return {name: _part(matrix) for name, matrix in matrices._structure.items()}


def _part(matrix: Any) -> Part:
    return Part(np.asarray(matrix, dtype=float), tuple(matrix.model_spec.column_names), matrix.model_spec)


def _plain(error: Exception) -> str:
    return _ANSI.sub("", str(error)).replace("⧛", "»").replace("⧚", "«").strip().replace("\n\n", "\n  ")
