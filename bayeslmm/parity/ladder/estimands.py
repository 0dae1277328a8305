"""What the ladder follows: parameters, intraclass correlations, a user's own estimands, random effects."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayeslmm.errors import InputError, did_you_mean
from bayeslmm.estimands.combinations import Combinations
from bayeslmm.spec.labels import (
    SIGMA,
    beta_labels,
    icc_label,
    kind_of,
    parameter_labels,
    ranef_labels,
    sd_labels,
)

if TYPE_CHECKING:
    from bayeslmm.spec.design import Design

GIVEN = "give a function of values by label, or weights: {'beta[Intercept]': 1, 'beta[Days]': 9}"

type Array = NDArray[np.float64]
type ByLabel = Mapping[str, Array]
type Functional = Callable[[ByLabel], Any]
type Weights = Mapping[str, float]


@dataclass(frozen=True, eq=False)
class Estimands:
    """Everything that is estimated.

    Attributes
    ----------
    design : the model's matrices.
    functions : of values by label, by name; they take arrays as they take numbers.
    combinations : weights of labels, by name.
    """

    design: "Design"
    functions: Mapping[str, Functional]
    combinations: Mapping[str, Weights]

    @classmethod
    def of(cls, design: "Design", given: Mapping[str, Any] | None) -> "Estimands":
        """The model's own, and those a user gives: functions, weights by label, `Combinations`.

        Raises
        ------
        InputError
            For something else, a name that is taken, a label that isn't there, or a function that doesn't
            give a value a draw.
        """
        if not isinstance(given, Mapping | None):
            raise InputError(f"estimands are given by name, not as a {type(given).__name__}; {GIVEN}")
        known = {*parameter_labels(design), *ranef_labels(design)}
        functions, combinations = dict(_intraclass(design)), {}
        for name, each in _unpacked(design, given or {}).items():
            if name in known:
                raise InputError(f"{name!r} is the model's own; give your estimand another name")
            if callable(each):
                functions[name] = each
            else:
                combinations[name] = _weights(name, each, known)
        found = cls(design, functions, combinations)
        _ = found.reads  # what they can't do is said before any work
        return found

    @cached_property
    def own(self) -> tuple[str, ...]:
        """The model's: parameters, then random effects."""
        return parameter_labels(self.design) + ranef_labels(self.design)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Parameters, functions, combinations, random effects."""
        n = len(self.own) - self.design.q
        return (*self.own[:n], *self.functions, *self.combinations, *self.own[n:])

    @cached_property
    def reads(self) -> dict[str, frozenset[str]]:
        """Labels of the model's own that each function looks at."""
        return {name: _read(name, function, self.own) for name, function in self.functions.items()}

    @cached_property
    def of_effects(self) -> tuple[str, ...]:
        """Functions that look at fixed or random effects."""
        return tuple(
            name
            for name, read in self.reads.items()
            if any(kind_of(label) in ("beta", "ranef") for label in read)
        )

    def is_linear(self, label: str) -> bool:
        """Whether one is linear in β and b."""
        return kind_of(label) in ("beta", "ranef") or label in self.combinations

    def values(self, own: Array) -> Array:
        """All of them (..., L) from the model's own (..., n_own)."""
        n = len(self.own) - self.design.q
        return np.concatenate([own[..., :n], self.followed(own), own[..., n:]], axis=-1)

    def followed(self, own: Array) -> Array:
        """Functions and combinations (..., F) from the model's own (..., n_own)."""
        by_label = {label: own[..., i] for i, label in enumerate(self.own)}
        found = [np.broadcast_to(f(by_label), own.shape[:-1]) for f in self.functions.values()]
        found += [_combined(weights, by_label) for weights in self.combinations.values()]
        return np.stack(found, axis=-1) if found else np.zeros((*own.shape[:-1], 0))

    @cached_property
    def own_places(self) -> dict[int, int]:
        """Place among all estimands of each of the model's own, by it the place among these."""
        places = {label: i for i, label in enumerate(self.labels)}
        return {places[label]: i for i, label in enumerate(self.own)}

    @cached_property
    def of_beta(self) -> dict[int, Array]:
        """Places of the fixed effects and of their combinations, with the weights (p,) of each."""
        p = self.design.p
        out = dict(enumerate(np.eye(p)))
        combined = zip(self.combinations, self.combined.C, self.combined.D, strict=True)
        return out | {self.labels.index(name): C for name, C, D in combined if not D.any()}

    @cached_property
    def combined(self) -> Combinations:
        """The combinations as rows of coefficients."""
        frame = pd.DataFrame(self.combinations, index=list(self.own), dtype=float).fillna(0.0).T
        C, D = (
            frame[list(labels)].to_numpy() for labels in (beta_labels(self.design), ranef_labels(self.design))
        )
        return Combinations(tuple(self.combinations), C, D)

    def kind(self, label: str) -> str:
        """Kind of one: of a user's own, "functional" or "combination"."""
        if label in self.functions:
            return "functional"
        return "combination" if label in self.combinations else kind_of(label)


class _Seen(Mapping[str, Array]):
    """A value a label, two draws of 1, that remembers which were looked at."""

    def __init__(self, labels: tuple[str, ...]) -> None:
        self.labels = dict.fromkeys(labels)
        self.read: set[str] = set()

    def __getitem__(self, label: str) -> Array:
        if label not in self.labels:
            raise KeyError(label)
        self.read.add(label)
        return np.ones(2)

    def __iter__(self) -> Iterator[str]:
        return iter(self.labels)

    def __len__(self) -> int:
        return len(self.labels)


def _read(name: str, function: Functional, own: tuple[str, ...]) -> frozenset[str]:
    """Labels that a function looks at.

    Raises
    ------
    InputError
        For one that the model doesn't have, or a value of another shape than its arguments'.
    """
    seen = _Seen(own)
    try:
        with np.errstate(all="ignore"):
            shape = np.shape(function(seen))
    except KeyError as error:
        label = error.args[0]
        raise InputError(
            f"the estimand {name!r} reads {label!r}, which the model doesn't have{did_you_mean(label, own)}"
        ) from None
    if shape not in ((), (2,)):
        raise InputError(
            f"the estimand {name!r} gives an array of shape {shape} for two draws; a function takes an array "
            "a label and gives one value a draw"
        )
    return frozenset(seen.read)


def _intraclass(design: "Design") -> Mapping[str, Functional]:
    """sd²/(Σsd² + σ²) of every grouping factor, where each has a random intercept and nothing else."""
    plain = all(block.coefs == ("Intercept",) for block in design.blocks)
    if not (design.blocks and plain and design.residual.is_identity and design.residual.sigma_free):
        return {}
    sds = sd_labels(design)

    def share(label: str) -> Functional:
        return lambda v: v[label] ** 2 / (sum(v[sd] ** 2 for sd in sds) + v[SIGMA] ** 2)

    return {icc_label(block.group): share(sd) for block, sd in zip(design.blocks, sds, strict=True)}


def _combined(weights: Weights, values: ByLabel) -> Array:
    return np.asarray(sum(weight * values[label] for label, weight in weights.items()))


def _unpacked(design: "Design", given: Mapping[str, Any]) -> dict[str, Any]:
    """`Combinations` as weights, each under its own label."""
    out: dict[str, Any] = {}
    for name, each in given.items():
        if isinstance(each, Combinations):
            labels = (*beta_labels(design), *ranef_labels(design))
            rows = np.hstack([each.C, each.D])
            out |= {
                own: dict(zip(labels, row, strict=True)) for own, row in zip(each.labels, rows, strict=True)
            }
        else:
            out[name] = each
    return out


def _weights(name: str, each: Any, known: set[str]) -> Weights:
    if not isinstance(each, Mapping):
        raise InputError(f"the estimand {name!r} is a {type(each).__name__}; {GIVEN}")
    for label in each:
        if kind_of(label) not in ("beta", "ranef") or label not in known:
            raise InputError(
                f"the estimand {name!r} has a weight for {label!r}; combinations are of fixed and random "
                f"effects{did_you_mean(label, known)}, other things take a function"
            )
    return {label: float(weight) for label, weight in each.items() if weight}
