"""The specification: what is to be estimated, before any data are seen."""

from collections.abc import Callable, Collection, Mapping
from copy import copy
from dataclasses import dataclass, field
from numbers import Real
from typing import Any, Literal

from numpy.typing import ArrayLike

from bayeslmm.errors import OptionError, check_choice, did_you_mean

from .expression.functions import check_own
from .formula import read_formula
from .given import has_square
from .parsed import Bar, Expression, Formula
from .residual import CorrelationStructure, VarianceFunction
from .residual.variances import Product

type Missing = Literal["drop", "error"]
type CriterionWord = Literal["REML", "ML"]

MAPPINGS = {
    "contrasts": "from factors to contrasts, {'arm': 'sum'}",
    "functions": "from names to functions, {'rescale': f}",
    "covariance": "from grouping factors to matrices, {'animal': K}",
}


@dataclass(frozen=True, eq=False)
class ModelSpec:
    """A linear mixed model as asked for.

    Attributes
    ----------
    formula : as the user wrote it
    weights : a column or one value a row, the residual variance being sigma²/w; None for equal ones
    offset : a column or one value a row, added to the formula's own offsets
    contrasts : by factor: "treatment", "sum", "helmert", "poly", or a matrix
    sigma : the residual standard deviation when it is known
    missing : "drop" rows with missing values, or make them an "error"
    covariance : by grouping factor: the known covariance between its levels, a matrix or a DataFrame
    functions : by name: what the formula may call besides its own functions
    correlation : of the residual within groups of rows; None where rows are independent
    variance : how the residual's variance depends on the rows; None where it is the same
    parsed : the formula taken apart
    """

    formula: str
    weights: str | ArrayLike | None = None
    offset: str | ArrayLike | None = None
    contrasts: Mapping[str, Any] = field(default_factory=dict)
    sigma: float | None = None
    missing: Missing = "drop"
    covariance: Mapping[str, Any] = field(default_factory=dict)
    functions: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    correlation: CorrelationStructure | None = None
    variance: VarianceFunction | Product | None = None
    parsed: Formula = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Read the formula and check the options.

        Raises
        ------
        FormulaError
            When the formula can't be read.
        OptionError
            When an option isn't one of its choices.
        """
        check_choice("missing =", self.missing, ("drop", "error"))
        if self.sigma is not None and not _is_positive(self.sigma):
            raise OptionError(f"a known sigma is a positive number, not {self.sigma!r}")
        if self.sigma is not None and not has_square(self.sigma):
            raise OptionError(
                f"sigma is {self.sigma:g}, whose square is beyond floating point; take other units"
            )
        _check_kind(
            "correlation", self.correlation, CorrelationStructure, "correlation.AR1('time | subject')"
        )
        _check_kind("variance", self.variance, VarianceFunction | Product, "variance.Power('age')")
        for what, of in MAPPINGS.items():
            object.__setattr__(self, what, _mapping(what, getattr(self, what), of))
        check_own(self.functions)
        object.__setattr__(self, "parsed", read_formula(self.formula, self.functions.keys()))
        for group in self.covariance:
            if group not in self.groups:
                hint = did_you_mean(group, self.groups) or f"; there are {', '.join(self.groups) or 'none'}"
                raise OptionError(f"covariance for {group!r}: no such grouping factor in the formula{hint}")

    def among(self, columns: Collection[str]) -> "ModelSpec":
        """The specification as data with these columns read it: a column goes before a constant."""
        parsed = self.parsed.among(columns)
        if parsed is self.parsed:
            return self
        settled = copy(self)
        object.__setattr__(settled, "parsed", parsed)
        return settled

    @property
    def variances(self) -> tuple[VarianceFunction, ...]:
        """The variance functions, whose standard deviations are multiplied."""
        return () if self.variance is None else tuple(self.variance)

    @property
    def response(self) -> str:
        """The formula's left side."""
        return self.parsed.response

    @property
    def fixed(self) -> str:
        """The fixed part, with an explicit intercept."""
        return self.parsed.fixed.code

    @property
    def bars(self) -> tuple[Bar, ...]:
        """The random-effects terms, `a/b` expanded."""
        return self.parsed.bars

    @property
    def offsets(self) -> tuple[Expression, ...]:
        """The formula's own offsets."""
        return self.parsed.offsets

    @property
    def groups(self) -> tuple[str, ...]:
        """Grouping factors in order of appearance."""
        return self.parsed.groups

    def bars_of(self, group: str) -> tuple[int, ...]:
        """Places in the formula of a group's bars."""
        return tuple(place for place, bar in enumerate(self.bars) if bar.group == group)

    @property
    def sigma_free(self) -> bool:
        """Is the residual variance to be estimated?"""
        return self.sigma is None


def _mapping(what: str, given: object, of: str) -> dict[Any, Any]:
    if given is not None and not isinstance(given, Mapping):
        raise OptionError(f"{what}= is a mapping {of}, not a {type(given).__name__}")
    return dict(given or {})


def _check_kind(what: str, given: object, kind: Any, example: str) -> None:
    if given is not None and not isinstance(given, kind):
        raise OptionError(
            f"{what}= is a structure such as bl.{example}, with its columns, not {given!r}; see bl.{what}"
        )


def _is_positive(value: object) -> bool:
    return isinstance(value, Real) and 0 < float(value) < float("inf")
