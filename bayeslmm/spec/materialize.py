"""The one place where formulaic is asked for columns: it multiplies terms out, codes factors, names columns.

What stands inside a term is computed here, by its own tree; formulaic only ever looks values up. A sum of
columns of numbers needs neither.
"""

import re
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from bayeslmm.errors import BayesLMMError, DataError, FormulaError

from .coding_rule import scoped_terms
from .expression.categories import coded_of
from .expression.functions import with_own
from .expression.nodes import Name, Node, Scope, calls_of, names_of
from .expression.values import columns_of, number, plain
from .factors import Coded, Coding
from .given import check_sizes
from .plain import Part, Plain, Term, column_name, plain_sum
from .tokens import Token, atom, tokenize

type Functions = Mapping[str, Callable[..., Any]]
type Recode = Callable[[Coding], Coding]

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
LEVELS = ("C", "factor", "dummy")  # functions that make a factor of any column
_ALIAS = re.compile(r"\bv_(\d+)\b")


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """What was learnt about making one part's columns.

    Attributes
    ----------
    spec : formulaic's specification
    atoms : the tree of everything that formulaic looks up, by the name it looks up
    states : what functions learnt, by call
    functions : of the user's, that the atoms call
    factors : names in `atoms` of what is a factor
    """

    spec: Any
    atoms: Mapping[str, Node]
    states: dict[str, dict[str, Any]] = field(repr=False)
    functions: Functions = field(repr=False)
    factors: frozenset[str]

    @property
    def terms(self) -> tuple[Term, ...]:
        """The part's terms, in the order of their columns."""
        return tuple(
            Term(
                ":".join(self._text(factor.expr) for factor in term.factors),
                tuple(factor.factor.expr for factor in scoped[0].factors),
                tuple(columns),
            )
            for term, scoped, columns in self.spec.structure
        )

    @property
    def levelled(self) -> frozenset[str]:
        """Columns of numbers whose values are levels: those in `C()`."""
        calls = [call for node in self.atoms.values() for call in calls_of(node) if call.function in LEVELS]
        return frozenset(name.name for call in calls for name in names_of(call))

    def _text(self, name: str) -> str:
        return self.atoms[name].text if name in self.atoms else name


def train(
    parts: Mapping[str, str],
    variables: Mapping[str, Any],
    n: int,
    functions: Functions = MappingProxyType({}),
    recode: Recode | None = None,
) -> dict[str, Part]:
    """The columns of every part of a formula, evaluated together to share transforms, equal parts once.

    Parameters
    ----------
    parts : formula text by name
    variables : the data's columns by name, as numbers or as coded factors
    n : number of rows
    functions : of the user's, that may be called besides formulas' own
    recode : changes the coding of every factor

    Raises
    ------
    FormulaError
        When a term can't be read or computed.
    DataError
        When floating point doesn't hold the squares of a column.
    """
    plain = {text: own for text in parts.values() if (own := plain_sum(text)) and own.fits(variables)}
    columns = {own: own.part(variables, n) for own in set(plain.values())}
    made = {text: columns[own] for text, own in plain.items()}
    if texts := [text for text in dict.fromkeys(parts.values()) if text not in made]:
        made |= _Training(texts, variables, n, functions, recode).made()
    for part in made.values():
        check_sizes(tuple(map(repr, part.names)), part.matrix)
    return {name: made[text] for name, text in parts.items()}


class _Training:
    """Parts of a formula while their columns are made for the first time.

    Attributes
    ----------
    atoms : everything formulaic looks up, by its name. terms : of each part, as formulaic has them.
    """

    def __init__(
        self,
        texts: Sequence[str],
        variables: Mapping[str, Any],
        n: int,
        functions: Functions,
        recode: Recode | None,
    ) -> None:
        self.scope, self.functions = Scope(variables, n, with_own(functions)), functions
        self.recode = recode
        tokens = {text: tokenize(text) for text in texts}
        nodes = {
            text: [atom(token, text) if token.kind in ("name", "python") else None for token in own]
            for text, own in tokens.items()
        }
        self.names = _names_of_atoms([node for own in nodes.values() for node in own if node])
        self.atoms = {name: node for node, name in self.names.items()}
        self.terms = {text: self._parsed(own, nodes[text]) for text, own in tokens.items()}

    def made(self) -> dict[str, Part]:
        """The parts, by text."""
        from formulaic import Formula

        values = {name: _value(name, node, self.scope, self.recode) for name, node in self.atoms.items()}
        formula = Formula(**_numbered(self.terms.values()))
        matrices = _matrices(formula, values, self.scope.n, na_action="ignore", output="numpy")
        factors = frozenset(name for name, value in values.items() if isinstance(value, Coded))
        return {text: self._part(matrix, factors) for text, matrix in zip(self.terms, matrices, strict=True)}

    def _part(self, matrix: Any, factors: frozenset[str]) -> Part:
        spec = matrix.model_spec
        used = {factor.expr for term in spec.terms for factor in term.factors}
        atoms = {name: node for name, node in self.atoms.items() if name in used}
        calls = {call.function for node in atoms.values() for call in calls_of(node)}
        own = {name: function for name, function in self.functions.items() if name in calls}
        trained = Trained(spec, atoms, self.scope.states, own, factors & atoms.keys())
        return _part(matrix, trained)

    def _parsed(self, tokens: Sequence[Token], nodes: Sequence[Node | None]) -> Any:
        """The terms formulaic makes of a text, each atom under an alias while it reads."""
        from formulaic.errors import FormulaicError

        names = list(self.atoms)
        place = {name: number for number, name in enumerate(names)}
        text = " ".join(
            token.text if node is None else f"v_{place[self.names[node]]}"
            for token, node in zip(tokens, nodes, strict=True)
        )
        try:
            terms = _terms_by_alias(text)
        except (FormulaicError, TypeError, AttributeError) as error:
            message = _ALIAS.sub(lambda m: self.atoms[names[int(m[1])]].text, _readable(error))
            raise FormulaError(message) from None
        return [_renamed(term, names) for term in terms]


@lru_cache(maxsize=1024)
def _terms_by_alias(text: str) -> tuple[Any, ...]:
    """The terms formulaic makes of a text whose atoms are aliases."""
    from formulaic.parser import DefaultFormulaParser

    terms = DefaultFormulaParser(include_intercept=False).get_terms(text)._simplify()
    if not hasattr(terms, "__iter__"):
        raise FormulaError("a part of a formula has one side")
    return tuple(terms)


def _numbered(parts: Iterable[Any]) -> dict[str, Any]:
    """Parts by a name for formulaic."""
    return {f"part_{number}": part for number, part in enumerate(parts)}


def _names_of_atoms(nodes: Sequence[Node]) -> dict[Node, str]:
    """The name formulaic looks each atom up by, which its columns are called by, too.

    A column goes by its bare name unless that would read as something else: then it keeps its backticks.
    """
    distinct = dict.fromkeys(nodes)
    expressions = {node.text for node in distinct if not isinstance(node, Name)}
    return {
        node: column_name(node.name, expressions) if isinstance(node, Name) else node.text
        for node in distinct
    }


def _renamed(term: Any, names: Sequence[str]) -> Any:
    from formulaic.parser.types import Factor, Term

    def renamed(factor: Any) -> Any:
        alias = _ALIAS.fullmatch(factor.expr)
        if alias is None:
            return factor
        return Factor(names[int(alias[1])], eval_method="lookup", token=factor.token)

    return Term([renamed(factor) for factor in term.factors])


def replay(trained: Mapping[str, Any], variables: Mapping[str, Any], n: int) -> dict[str, Part]:
    """The columns of some parts for new rows, transforms as they were trained.

    Raises
    ------
    FormulaError
        When a term can't be computed.
    DataError
        When a level wasn't seen in training.
    """
    distinct = list(dict.fromkeys(trained.values()))
    made: dict[Any, Part] = {own: own.part(variables, n) for own in distinct if isinstance(own, Plain)}
    if learnt := [own for own in distinct if isinstance(own, Trained)]:
        made |= _made_anew(learnt, variables, n)
    return {name: made[own] for name, own in trained.items()}


def _made_anew(learnt: Sequence[Any], variables: Mapping[str, Any], n: int) -> dict[Any, Part]:
    """What formulaic learnt to make of the data, made of new rows."""
    from formulaic.model_spec import ModelSpecs

    specs = ModelSpecs(**_numbered(own.spec for own in learnt))
    matrices = _matrices(specs, _replayed(learnt, variables, n), n)
    return {own: _part(matrix, own) for own, matrix in zip(learnt, matrices, strict=True)}


def _replayed(learnt: Any, variables: Mapping[str, Any], n: int) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for own in learnt:
        scope = Scope(variables, n, with_own(own.functions), own.states)
        values |= {
            name: _value(name, node, scope, None) for name, node in own.atoms.items() if name not in values
        }
    return values


def _computed(node: Node, scope: Scope) -> Any:
    try:
        with np.errstate(all="ignore"):
            return plain(node.value(scope))
    except BayesLMMError:
        raise
    except (TypeError, ValueError, ArithmeticError) as error:
        raise FormulaError(f"{node.text} can't be computed: {error}") from None


def _value(name: str, node: Node, scope: Scope, recode: Recode | None) -> Any:
    """What an atom comes to: numbers (n,), columns by name, or a coded factor.

    Raises
    ------
    FormulaError
        When it hasn't one value a row.
    """
    value = _computed(node, scope)
    if isinstance(value, Coded):
        return value if recode is None else value._replace(coding=recode(value.coding))
    several = columns_of(value)
    arrays = [value] if several is None else list(several.values())
    if not arrays or any(getattr(array, "shape", None) != (scope.n,) for array in arrays):
        raise FormulaError(f"{node.text} has not one value for each of the {scope.n} rows")
    if several is not None:
        return several
    if value.dtype.kind == "f":
        return number(value)
    made = coded_of(value, name, scope.states.setdefault(f"factor {node.text}", {}))
    return made if recode is None else made._replace(coding=recode(made.coding))


def _matrices(spec: Any, values: Mapping[str, Any], n: int, **options: str) -> list[Any]:
    """The model matrices of several parts, in order."""
    from formulaic.errors import DataMismatchWarning, FormulaicError
    from formulaic.materializers import PandasMaterializer

    # all columns go in as context: plain arrays, with no index that could be aligned
    materializer = PandasMaterializer(
        pd.DataFrame(index=range(n)), context={name: _for_formulaic(value) for name, value in values.items()}
    )
    # formulaic's own rule spans the same space, but not always with R's columns
    materializer._get_scoped_terms = partial(scoped_terms, materializer.factor_cache)
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("error", DataMismatchWarning)
            return list(materializer.get_model_matrix(spec, **options)._structure.values())
    except DataMismatchWarning as warning:
        raise DataError(f"a level wasn't in the fitted data: {warning}") from None
    except (FormulaicError, ValueError) as error:
        raise FormulaError(_readable(error)) from None


def _for_formulaic(value: Any) -> Any:
    from formulaic.materializers.types import FactorValues

    if isinstance(value, Coded):
        return value.for_formulaic()
    if isinstance(value, Mapping):
        return FactorValues(
            dict(value), kind="numerical", column_names=tuple(value), format="{name}[{field}]"
        )
    return value


def _part(matrix: Any, trained: Trained) -> Part:
    return Part(np.asarray(matrix, dtype=float), tuple(matrix.model_spec.column_names), trained)


def _readable(error: Exception) -> str:
    return _ANSI.sub("", str(error)).replace("⧛", "»").replace("⧚", "«").strip().replace("\n\n", "\n  ")
