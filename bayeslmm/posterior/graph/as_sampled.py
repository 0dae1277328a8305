"""A graph as it is sampled: the priors of its free variables, its coordinates and their Jacobian."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayeslmm.posterior.graph.constants import exact_constants
from bayeslmm.posterior.graph.functions import function_of
from bayeslmm.posterior.names import Tensor

if TYPE_CHECKING:
    import pymc as pm

type Array = NDArray[np.float64]

EFFECTS = ("u_", "ranef_")  # beginnings of variables whose prior is the model's, not the user's


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """What a graph says at one point, each by variable.

    Attributes
    ----------
    natural : its value, as the graph itself computes it from its coordinate.
    log_prior : log density of each of its elements, without a Jacobian.
    log_jacobian : log |d natural / d coordinate|, from the derivative of the map itself.
    log_jacobian_cor : log |d correlations / d variable|, of those that correlations are made of.
    logp : log density of the whole graph in its coordinates; NaN where it wasn't asked for.
    """

    natural: dict[str, Array]
    log_prior: dict[str, Array]
    log_jacobian: dict[str, float]
    log_jacobian_cor: dict[str, float]
    logp: float


@dataclass(frozen=True, eq=False)
class SampledGraph:
    """A graph of this package in the coordinates that it is sampled in, by PyTensor's Python linker.

    Attributes
    ----------
    model : the graph. whole : whether its log density is wanted, too.
    """

    model: "pm.Model"
    whole: bool

    def at(self, natural: Mapping[str, Any]) -> Said:
        """What the graph says at natural values, those of its free variables among them."""
        given = (np.asarray(natural[rv.name], dtype=float) for rv in self._variables)
        out = iter(self._evaluate(*self._forward(*given)))
        names = [rv.name for rv in self._variables]
        values, priors, slopes = ({name: next(out) for name in names} for _ in range(3))
        return Said(
            values,
            priors,
            {name: float(np.log(np.abs(slope)).sum()) for name, slope in slopes.items()},
            {name: float(np.linalg.slogdet(next(out))[1]) for name in self._of_correlations},
            float(next(out)) if self.whole else np.nan,
        )

    @cached_property
    def _variables(self) -> list[Tensor]:
        """Free variables that have a prior of their own."""
        return [rv for rv in self.model.free_RVs if not str(rv.name).startswith(EFFECTS)]

    @cached_property
    def _of_correlations(self) -> dict[str, Tensor]:
        """The correlations that are made of a variable, by its name."""
        named = ((rv.name, str(rv.name).removesuffix("_unit")) for rv in self._variables)
        return {name: self.model[cor] for name, cor in named if cor != name and cor.startswith("cor_")}

    @cached_property
    def _forward(self) -> Callable[..., list[Array]]:
        """Natural values to coordinates."""
        values = [rv.type(f"{rv.name}_natural") for rv in self._variables]
        moved = [self._moved("forward", *pair) for pair in zip(self._variables, values, strict=True)]
        return function_of(values, moved)

    @cached_property
    def _evaluate(self) -> Callable[..., list[Array]]:
        """Coordinates to what `Said` holds, in its order."""
        import pytensor

        variables = self._variables
        values = [self.model.rvs_to_values[rv] for rv in variables]
        natural = [self._moved("backward", *pair) for pair in zip(variables, values, strict=True)]
        with exact_constants():
            priors = self.model.logp(vars=variables, jacobian=False, sum=False) if variables else []
            logp = [self.model.logp()] if self.whole else []
        slopes = [pytensor.grad(x.sum(), t) for x, t in zip(natural, values, strict=True)]
        of_cor = [
            self._jacobian(rv, x)
            for rv, x in zip(variables, natural, strict=True)
            if rv.name in self._of_correlations
        ]
        return function_of(values, [*natural, *priors, *slopes, *of_cor, *logp])

    def _moved(self, way: str, rv: Tensor, value: Tensor) -> Tensor:
        transform = self.model.rvs_to_transforms[rv]
        return value if transform is None else getattr(transform, way)(value, *rv.owner.inputs)

    def _jacobian(self, rv: Tensor, natural: Tensor) -> Tensor:
        """d correlations / d variable, (n_pairs, n_free), at a value of the variable."""
        import pytensor
        import pytensor.tensor as pt
        from pytensor.graph.replace import clone_replace

        free = rv.type()
        cor = clone_replace(self._of_correlations[rv.name], {rv: free})
        n = len(self.model.coords[self.model.named_vars_to_dims[rv.name][0]])
        rows = pt.stack([pytensor.grad(cor[i], free) for i in range(n)])
        return clone_replace(rows, {free: natural})
