"""A PyMC graph that somebody else wrote, taken apart: what is quadratic given the rest, and what the rest is.

A free variable without a transform in which the log density of the data is quadratic is an *effect*: β, b or
what b is made of. The other free variables are the variance parameters; they are moved in PyMC's own
coordinates, so that no map of theirs has to be inverted.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayeslmm.posterior.bridge.gaussian import FAR, At, is_line
from bayeslmm.posterior.graph.constants import exact_constants
from bayeslmm.posterior.graph.functions import function_of
from bayeslmm.posterior.names import Tensor

if TYPE_CHECKING:
    import pymc as pm

type Array = NDArray[np.float64]
type Point = Mapping[str, Array]

SEED = 5
SPREAD = 0.8  # of the variance parameters' coordinates about the graph's own start


@dataclass(frozen=True, eq=False)
class OtherGraph:
    """Somebody's graph.

    Attributes
    ----------
    model : the graph. flat : free variables that are fixed effects, whose priors are kept apart.
    """

    model: "pm.Model"
    flat: tuple[str, ...] = ()

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Every element of every variable as ArviZ labels it."""
        return tuple(label for name, shape in self._shapes.items() for label in self._labels(name, shape))

    @cached_property
    def effects(self) -> tuple[str, ...]:
        """Free variables that the data's log density is quadratic in."""
        return tuple(name for name in self._free if self._is_effect(name))

    @property
    def others(self) -> tuple[str, ...]:
        """The variance parameters' variables."""
        return tuple(name for name in self._free if name not in self.effects)

    @property
    def response(self) -> str:
        """The distributions of what was observed."""
        kinds = (type(rv.owner.op).__name__.removesuffix("RV") for rv in self.model.observed_RVs)
        return ", ".join(dict.fromkeys(kinds))

    def points(self, n: int, seed: int = SEED) -> Iterator[dict[str, Array]]:
        """Coordinates of the variance parameters, about the graph's own start."""
        rng, start = np.random.default_rng(seed), self.model.initial_point()
        for _ in range(n):
            yield {
                name: start[self._coordinate(name)]
                + SPREAD * rng.standard_normal(np.shape(start[self._coordinate(name)]))
                for name in self.others
            }

    @property
    def size(self) -> int:
        """Number of effects, all variables together."""
        return sum(int(np.prod(self._shapes[name])) for name in self.effects)

    def __call__(self, z: Array, point: Point) -> At:
        """Log density of data and effects, priors of `flat` variables left out, at effects (d,)."""
        value, gradient, elements, *_ = self._computed(z, point)
        return At(float(value), gradient, elements)

    def log_priors(self, z: Array, point: Point) -> dict[str, float]:
        """Log prior of each variable that isn't integrated with its prior, without a Jacobian."""
        priors = self._computed(z, point)[3:]
        return dict(zip(self._apart, map(float, priors), strict=True))

    def owner(self, element: str) -> str | None:
        """The free variable that an element is of; None where it is of a quantity made of others."""
        return next((name for name in self._free if _is_of(name, element)), None)

    def makes(self, name: str, elements: Iterable[str]) -> bool:
        """Whether a free variable, or what is made of it, is among some elements."""
        from pytensor.graph.traversal import ancestors

        made = {str(var.name): var for var in self.model.deterministics}
        of_it = {each for each, var in made.items() if self._free[name] in ancestors([var])} | {name}
        return any(_is_of(each, element) for each in of_it for element in elements)

    def stated(self, name: str) -> str:
        """The distribution of a free variable, in words."""
        from bayeslmm.errors import PriorError
        from bayeslmm.posterior.bridge.foreign_priors import as_prior

        try:
            return str(as_prior(self._free[name]))
        except PriorError:
            return type(self._free[name].owner.op).__name__.removesuffix("RV")

    @cached_property
    def _free(self) -> dict[str, Tensor]:
        return {str(rv.name): rv for rv in self.model.free_RVs}

    @cached_property
    def _shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of every free variable, and of every quantity made of them."""
        made = {str(var.name): var for var in self.model.deterministics}
        found = function_of([], [var.shape for var in made.values()])()
        shapes = {name: tuple(map(int, shape)) for name, shape in zip(made, found, strict=True)}
        return {name: tuple(self.model.eval_rv_shapes()[name]) for name in self._free} | shapes

    def _labels(self, name: str, shape: tuple[int, ...]) -> list[str]:
        dims = self.model.named_vars_to_dims.get(name, (None,) * len(shape))
        coords = [
            range(size) if dim is None or self.model.coords.get(dim) is None else self.model.coords[dim]
            for dim, size in zip(dims, shape, strict=True)
        ]
        return [f"{name}[{', '.join(map(str, place))}]" if place else name for place in product(*coords)]

    def _coordinate(self, name: str) -> str:
        return str(self.model.rvs_to_values[self._free[name]].name)

    def _is_effect(self, name: str) -> bool:
        """Whether the log density of the data depends on a variable, and as a quadratic."""
        if self.model.rvs_to_transforms[self._free[name]] is not None:
            return False
        gradient = self._gradient_of_data[name]
        start = self.model.initial_point()
        rng = np.random.default_rng(SEED)
        at = np.asarray(start[self._coordinate(name)], dtype=float)
        step = rng.standard_normal(at.shape)
        falls = [gradient(**(start | {self._coordinate(name): at + t * step})) for t in (0.0, *FAR)]
        return name in self.flat or is_line(*falls)

    @cached_property
    def _gradient_of_data(self) -> dict[str, Callable[..., Any]]:
        import pytensor

        data = self.model.logp(vars=self.model.observed_RVs, jacobian=False)
        values = self.model.value_vars
        return {
            name: function_of(
                values, [pytensor.grad(data, self.model.rvs_to_values[rv], disconnected_inputs="ignore")]
            )
            for name, rv in self._free.items()
            if self.model.rvs_to_transforms[rv] is None
        }

    @cached_property
    def _compiled(self) -> Callable[..., Any]:
        """Log density, its gradient by the effects, values of all elements, priors kept apart."""
        import pytensor
        import pytensor.tensor as pt

        model, free = self.model, self._free
        effects = [model.rvs_to_values[free[name]] for name in self.effects]
        others = [model.rvs_to_values[free[name]] for name in self.others]
        inside = [free[name] for name in self.effects if name not in self.flat]
        apart = [free[name] for name in self._apart]
        with exact_constants():
            joint = model.logp(vars=[*model.observed_RVs, *inside, *model.potentials], jacobian=False)
            priors = model.logp(vars=apart, jacobian=False, sum=False) if apart else []
        gradient = pt.concatenate([part.ravel() for part in pytensor.grad(joint, effects)])
        natural = model.replace_rvs_by_values([*free.values(), *model.deterministics])
        elements = pt.concatenate([var.ravel().astype("float64") for var in natural])
        return function_of([*effects, *others], [joint, gradient, elements, *(p.sum() for p in priors)])

    @property
    def _apart(self) -> tuple[str, ...]:
        """Variables whose priors are kept apart."""
        return (*self.others, *self.flat)

    def _computed(self, z: Array, point: Point) -> list[Any]:
        ends = np.cumsum([int(np.prod(self._shapes[name])) for name in self.effects])[:-1]
        parts = zip(self.effects, np.split(z, ends), strict=True) if self.effects else ()
        effects = [part.reshape(self._shapes[name]) for name, part in parts]
        return list(self._compiled(*effects, *(point[name] for name in self.others)))


def _is_of(name: str, element: str) -> bool:
    return element == name or element.startswith(f"{name}[")
