"""What correlation structures and variance functions have in common: parameters by stratum, free or held."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayeslmm.errors import OptionError
from bayeslmm.spec.given import numbers_for

from .together import Together

type Array = NDArray[np.float64]

STEP = 1e-200  # of the imaginary part by which analytic functions are differentiated, exact to rounding


class Natural(NamedTuple):
    """Parameters of one stratum as people know them.

    Attributes
    ----------
    names : of each, what stands in a label. bounds : (n, 2) of their ranges.
    """

    names: tuple[str, ...]
    bounds: Array


class Usual(NamedTuple):
    """The prior that nobody asked for: a family of `spec.priors` by its word, and its parameters in order."""

    family: str
    numbers: tuple[float, ...]


class Slot(NamedTuple):
    """What has a prior of its own.

    Attributes
    ----------
    label : of the parameter, or of those that have one prior together. usual : the prior nobody asked for.
    bounds : ends of its range. together : is it of several parameters?
    """

    label: str
    usual: Usual
    bounds: tuple[float, float]
    together: bool


@dataclass(frozen=True, eq=False)
class Learnt:
    """What a structure was told of the rows that it was made for.

    Attributes
    ----------
    name : of the columns on its left side. levels : of them, where it counts levels.
    scale : a typical size of its numbers. most : rows of the largest residual group.
    strata : labels; one that is empty where there are none.
    """

    name: str = ""
    levels: tuple[str, ...] = ()
    scale: float = 1.0
    most: int = 1
    strata: tuple[str, ...] = ("",)


@dataclass(frozen=True, eq=False)
class Structure(ABC):
    """A part of R as its user writes it.

    Attributes
    ----------
    form : columns, as each kind says. by : a column; each of its levels has parameters of its own.
    start : natural values to begin with. fixed : are they kept?
    """

    form: str = ""
    by: str | None = None
    start: ArrayLike | None = None
    fixed: bool = False

    keyword: ClassVar[str]
    absolute: ClassVar[bool] = False  # are natural values multiples of σ?
    kinked: ClassVar[bool] = False  # has it kinks in φ, wherever a pair of rows comes into reach?
    example_options: ClassVar[Mapping[str, Any]] = {}  # its own options where the laws try it

    @property
    def said(self) -> str:
        """As its user wrote it: ``AR1(Time | Mare, by=arm)``."""
        asked = [own for own in fields(self) if own.name not in ("form", "start")]
        values = {own.name: getattr(self, own.name) for own in asked}
        options = [f"{own.name}={values[own.name]}" for own in asked if values[own.name] != own.default]
        return f"{self.keyword}({', '.join(filter(None, [self.form, *options]))})"

    @abstractmethod
    def parameters(self, learnt: Learnt) -> Natural:
        """The parameters of one stratum."""

    @abstractmethod
    def natural(self, phi: Any, learnt: Learnt) -> Any:
        """Natural values (n,) of φ (n,), free of bounds; an analytic function."""

    @abstractmethod
    def free(self, natural: Array, learnt: Learnt) -> Array:
        """φ (n,) of natural values (n,)."""

    @abstractmethod
    def usual_priors(self, learnt: Learnt, spread: float) -> tuple[Usual, ...]:
        """Of a model nobody gave priors to: one a parameter, or a single one where they have it together.

        `spread` is the standard deviation of the response.
        """

    def together(self, learnt: Learnt) -> Together | None:
        """What the parameters of a stratum are that have one prior; None where each has its own.

        Each is then an increasing function of its own φ, and `natural` takes (n, m) for m values at once.
        """
        return None

    def starts(self, learnt: Learnt) -> Array:
        """φ (m, n) to begin with; the first is the usual one, the others far from it."""
        return np.zeros((1, len(self.parameters(learnt).names)))

    def given(self, learnt: Learnt) -> Array | None:
        """φ (n,) of the user's start values, or None.

        Raises
        ------
        OptionError
            When they aren't numbers, more or fewer than parameters, or one is out of its range.
        """
        if self.start is None:
            return None
        own = self.parameters(learnt)
        values = numbers_for(f"{self.keyword}: start", self.start, own.names)
        for name, value, (low, high) in zip(own.names, values.tolist(), own.bounds.tolist(), strict=True):
            if not low < value < high:
                raise OptionError(
                    f"{self.keyword}: start of {name} is {value:g}; it lies between {low:g} and {high:g}"
                )
        with np.errstate(all="ignore"):
            phi = self.free(values, learnt)
        if not np.isfinite(phi).all():
            raise OptionError(
                f"{self.keyword}: the start values {values.tolist()} make no correlation matrix"
            )
        return phi


@dataclass(frozen=True, eq=False)
class Part[S: Structure]:
    """A structure that knows its rows' levels and sizes: φ (n,) is stratum by stratum.

    Attributes
    ----------
    structure : as its user wrote it. learnt : of the rows.
    """

    structure: S
    learnt: Learnt

    @property
    def n_strata(self) -> int:
        return len(self.learnt.strata)

    @cached_property
    def own(self) -> Natural:
        """The parameters of one stratum."""
        return self.structure.parameters(self.learnt)

    @property
    def width(self) -> int:
        """Parameters of one stratum."""
        return len(self.own.names)

    @cached_property
    def held(self) -> Array | None:
        """φ of one stratum where it is kept at its start.

        Raises
        ------
        OptionError
            Where none was given.
        """
        if not self.structure.fixed:
            return None
        given = self.structure.given(self.learnt)
        if given is None and self.width:
            raise OptionError(
                f"{self.structure.keyword}: fixed=True keeps the values of start=, and none are given; give "
                f"start= for {', '.join(self.own.names)}, or leave out fixed="
            )
        return np.zeros(0) if given is None else given

    @property
    def released(self) -> Self:
        """The same, its parameters free."""
        return replace(self, structure=replace(self.structure, fixed=False))

    @property
    def n(self) -> int:
        """Number of free parameters."""
        return 0 if self.held is not None else self.width * self.n_strata

    def by_stratum(self, phi: Any) -> Any:
        """φ (S, width)."""
        if self.held is not None:
            return np.broadcast_to(self.held, (self.n_strata, self.width))
        return phi.reshape(self.n_strata, self.width)

    @property
    def labels(self) -> tuple[str, ...]:
        """Of the natural parameters that are free."""
        if not self.n:
            return ()
        return tuple(labelled(name, stratum) for stratum in self.learnt.strata for name in self.own.names)

    def slots(self, spread: float = 1.0) -> tuple[tuple[Slot, ...], ...]:
        """What of each stratum has priors; `spread` is the response's standard deviation."""
        strata = self.learnt.strata if self.n else ()
        return tuple(tuple(self._slots(stratum, spread)) for stratum in strata)

    def _slots(self, stratum: str, spread: float) -> Iterator[Slot]:
        usual, joint = self.structure.usual_priors(self.learnt, spread), self.joint
        if joint is not None:
            yield Slot(labelled(joint.name, stratum), usual[0], (-1.0, 1.0), True)
            return
        for name, prior, (low, high) in zip(self.own.names, usual, self.own.bounds.tolist(), strict=True):
            yield Slot(labelled(name, stratum), prior, (low, high), False)

    @cached_property
    def joint(self) -> Together | None:
        """What the parameters of a stratum are where they have one prior."""
        return self.structure.together(self.learnt)

    @property
    def bounds(self) -> Array:
        """(n, 2) of the ranges of natural values."""
        return np.tile(self.own.bounds, (self.n_strata, 1)) if self.n else np.zeros((0, 2))

    def natural(self, phi: Any) -> Any:
        """Natural values (n,)."""
        if not self.n:
            return phi
        rows = [self.structure.natural(own, self.learnt) for own in self.by_stratum(phi)]
        return np.concatenate(rows)

    def free(self, natural: Array) -> Array:
        """φ (n,) of natural values (n,)."""
        if not self.n:
            return natural
        rows = [self.structure.free(own, self.learnt) for own in self.by_stratum(natural)]
        return np.concatenate(rows)

    @cached_property
    def starts(self) -> Array:
        """φ (m, n), the same in every stratum, to begin with: the user's before the usual ones."""
        given = self.structure.given(self.learnt) if self.n else None
        return self._usual if given is None else np.vstack([np.tile(given, self.n_strata), self._usual])

    @property
    def usual(self) -> Array:
        """φ (n,) to begin with where nobody gives start values."""
        return np.asarray(self._usual[0])

    @property
    def _usual(self) -> Array:
        own = self.structure.starts(self.learnt) if self.n else np.zeros((1, 0))
        return np.tile(own, (1, self.n_strata))


def labelled(name: str, stratum: str) -> str:
    """A parameter's label in a stratum: ``phi[AR1 | PBO]``."""
    if not stratum:
        return name
    return f"{name[:-1]} | {stratum}]" if name.endswith("]") else f"{name}[{stratum}]"


def slopes(function: Callable[[Any], Any], phi: Array, m: int) -> Array:
    """(n, m) derivatives of an analytic function of φ (n,), with m values, by imaginary steps."""
    steps = 1j * STEP * np.eye(len(phi))
    return np.array([np.imag(function(phi + step)) / STEP for step in steps]).reshape(len(phi), m)


def logistic(z: Any) -> Any:
    """1 / (1 + e^{−z}), of complex numbers, too."""
    return 0.5 * (1 + np.tanh(0.5 * z))


def logit(p: Array) -> Array:
    """Its inverse."""
    return np.asarray(np.log(p) - np.log1p(-p))
