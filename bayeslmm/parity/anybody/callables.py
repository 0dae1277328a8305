"""A log density that somebody wrote as a function with its gradient."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from bayeslmm.errors import InputError
from bayeslmm.parity.anybody.naming import Names, by_name
from bayeslmm.parity.anybody.quadratic import Array
from bayeslmm.spec.labels import kind_of, parameter_labels, ranef_labels

if TYPE_CHECKING:
    from bayeslmm.posterior.bridge.gaussian import At
    from bayeslmm.spec.design import Design

type Function = Callable[[dict[str, Any]], tuple[float, Mapping[str, Any]]]
type Point = Mapping[str, float]


@dataclass(frozen=True, eq=False)
class CallableDensity:
    """Somebody's function of values by name, that gives a log density and its gradient by name.

    Attributes
    ----------
    function : ``{name: value} -> (logp, {name: gradient})``, in natural parameters. names : what each is.
    design : the model's.
    """

    function: Function
    names: Names
    design: "Design"

    @cached_property
    def labels(self) -> dict[str, tuple[str, ...]]:
        """Our labels of every name."""
        return by_name(self.design, self.names)

    @cached_property
    def effects(self) -> tuple[str, ...]:
        """Labels of β and b, in the function's order."""
        return tuple(
            label
            for labels in self.labels.values()
            for label in labels
            if kind_of(label) in ("beta", "ranef")
        )

    @property
    def missing(self) -> tuple[str, ...]:
        """Labels of ours that none of its names is."""
        named = {label for labels in self.labels.values() for label in labels}
        ours = (*parameter_labels(self.design), *ranef_labels(self.design))
        return tuple(label for label in ours if label not in named)

    def __call__(self, z: Array, point: Point) -> "At":
        """The density at effects (d,) and natural parameters by label."""
        from bayeslmm.posterior.bridge.gaussian import At

        values = dict(point) | dict(zip(self.effects, z.tolist(), strict=True))
        given = {
            name: self._shaped(name, [values[label] for label in own]) for name, own in self.labels.items()
        }
        logp, gradients = self.function(given)
        parts = [
            np.ravel(self._gradient(name, gradients))
            for name, own in self.labels.items()
            if kind_of(own[0]) in ("beta", "ranef")
        ]
        return At(float(logp), np.concatenate([np.zeros(0), *parts]), z)

    def _shaped(self, name: str, values: list[float]) -> Any:
        """A number where one label was given as text, else an array."""
        alone = isinstance(self.names[name], str) and len(values) == 1
        return values[0] if alone else np.array(values)

    def _gradient(self, name: str, gradients: Mapping[str, Any]) -> Any:
        if name not in gradients or np.size(gradients[name]) != len(self.labels[name]):
            raise InputError(
                f"the gradient by {name!r} isn't there, or hasn't {len(self.labels[name])} elements: "
                "give (logp, {name: gradient}) with every name of names="
            )
        return gradients[name]
