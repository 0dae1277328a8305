"""The graph's own integral: the certificate's independent witness.

Given (σ, sd, cor) the log joint density of an explicit graph is exactly quadratic in the random effects and
β, also at sd = 0. Its mode and Hessian come from the PyMC graph's gradient, which is affine there; nothing of
the kernel is used. With z the d variables integrated out,

    log ∫ exp(logp) dz = logp(ẑ) + ½ d log 2π − ½ log|H|.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import log, pi
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayeslmm.errors import OptionError
from bayeslmm.posterior import names
from bayeslmm.posterior.graph.as_sampled import EFFECTS
from bayeslmm.posterior.graph.constants import exact_constants
from bayeslmm.posterior.graph.curvature import Falls, curvature
from bayeslmm.posterior.graph.functions import function_of
from bayeslmm.posterior.graph.natural_values import natural_values, vector_of
from bayeslmm.posterior.names import Tensor
from bayeslmm.spec.design import Design

if TYPE_CHECKING:
    import pymc as pm

type Array = NDArray[np.float64]
type ByGroup = Mapping[str, ArrayLike]

AT_ONCE = 2_000_000  # rows of data times steps whose gradients are taken in one call


@dataclass(frozen=True, slots=True, eq=False)
class GraphIntegral:
    """An integral of the graph's density.

    Attributes
    ----------
    logp : its logarithm
    ranef : conditional mean of the random effects b, by group, shapes (J, k)
    beta : (p,) conditional mean of β, or β as given
    """

    logp: float
    ranef: dict[str, Array]
    beta: Array


@dataclass(frozen=True, slots=True, eq=False)
class _Quadratic:
    """A quadratic log density near a point, along some basis: gradient g there, Hessian −H."""

    gradient: Array
    H: Array

    @property
    def step(self) -> Array:
        """To the mode, along the basis."""
        return np.linalg.solve(self.H, self.gradient)

    def moved(self, gradient: Array) -> "_Quadratic":
        """The same density near another point."""
        return _Quadratic(gradient, self.H)


@dataclass(frozen=True, eq=False)
class GraphDensity:
    """Log density of the data at natural parameters (σ, sd, cor), integrated by the explicit graph itself.

    Only y given everything, the random effects, and β's prior enter; priors of σ, sd and cor don't, and no
    Jacobian does. Natural coordinates may lie on the boundary: sd = 0, cor near ±1.

    Attributes
    ----------
    model : an explicit graph; where it lacks a variable, the argument for it has no effect.
    design : its design (tells which correlations belong together).
    """

    model: "pm.Model"
    design: Design

    def __call__(self, sigma: float, sd: ByGroup, cor: ByGroup, beta: ArrayLike | None = None) -> float:
        """The logarithm of the integral; see `integral`."""
        return self.integral(sigma, sd, cor, beta).logp

    def integral(
        self,
        sigma: float,
        sd: ByGroup,
        cor: ByGroup,
        beta: ArrayLike | None = None,
        flat: bool = False,
        phi: ArrayLike = (),
    ) -> GraphIntegral:
        """Integrate out the random effects at a given β, or the random effects and β.

        Parameters
        ----------
        sigma, sd, cor : natural parameters, sd[group] (n_sd,), cor[group] (n_pairs,).
        beta : (p,). None integrates β under its prior, which must be flat or normal: under a flat prior
            this is the restricted log-likelihood.
        flat : leave β's own prior out, which may be any then.
        phi : (n_phi,) of the residual.

        Raises
        ------
        OptionError
            When β is to be integrated and its prior is neither flat nor normal.
        """
        held = self._held(sigma, sd, cor, phi)
        given = None if beta is None else np.asarray(beta, dtype=float)
        return self._integrate(held, given, with_prior=beta is None and not flat)

    def _integrate(self, held: dict[str, Any], beta: Array | None, with_prior: bool) -> GraphIntegral:
        graph, scale = self._graph, self._scale(held)
        z = np.zeros(graph.size)
        z[graph.is_beta] = self._least_squares if beta is None else beta
        chosen = ~graph.is_beta | (beta is None)
        basis = (scale[:, None] * self._basis)[:, chosen]
        if with_prior:
            self._check(z, held)
        falls = graph.falls(z, held, with_prior, max(1, AT_ONCE // self.design.n))
        H = curvature(falls, basis, self._together(chosen))
        quadratic = _Quadratic(basis.T @ graph.gradient(z, held, with_prior), H)
        for _ in range(2):  # the second step takes off the rounding of the first
            z += basis @ quadratic.step
            quadratic = quadratic.moved(basis.T @ graph.gradient(z, held, with_prior))
        logp = graph.value(z, held, with_prior)
        volume = self._volume * (beta is None) + float(np.log(scale).sum())
        logdet = float(np.linalg.slogdet(quadratic.H)[1])
        total = logp + 0.5 * basis.shape[1] * log(2 * pi) - 0.5 * logdet + volume
        found = graph.ranef(z, held)
        ranef = {
            block.group: found[name]
            for block in self.design.blocks
            if (name := names.ranef_name(block.group)) in found
        }
        return GraphIntegral(float(total), ranef, z[graph.is_beta])

    def _check(self, z: Array, held: dict[str, Any]) -> None:
        """The prior's gradient is affine in β: near z, and a thousand steps to both sides."""
        step = self._basis[:, self._graph.is_beta].sum(axis=1)
        below, at, above = (self._graph.prior_gradient(z + t * step, held) for t in (-1.0, 0.0, 1.0))
        for t in (-1e3, 1e3):
            found = self._graph.prior_gradient(z + t * step, held)
            affine = at + 0.5 * t * (above - below)
            if np.max(np.abs(found - affine), initial=0.0) > 1e-6 * np.max(np.abs(affine), initial=0.0):
                raise OptionError(
                    "the graph's density isn't quadratic in beta, so beta can't be integrated out: its prior "
                    "is neither flat nor normal; give beta"
                )

    def _held(self, sigma: float, sd: ByGroup, cor: ByGroup, phi: ArrayLike) -> dict[str, Any]:
        """Values of the graph's own parameters, those it has."""
        values = natural_values(self.design, sigma, sd, cor, phi=phi)
        return {name: value for name, value in values.items() if name in self._graph.held}

    @cached_property
    def _basis(self) -> Array:
        """Directions of z: the random effects' own, and of β those in which X's columns are orthogonal.

        Whatever the units and origins of X's columns, the Hessian keeps its digits in them.
        """
        is_beta = self._graph.is_beta
        basis = np.eye(len(is_beta))
        if is_beta.any():
            R = np.linalg.qr(self.design.X, mode="r")
            size = np.std(self.design.y) * np.sqrt(self.design.n)  # of a step that the residuals see
            basis[np.ix_(is_beta, is_beta)] = np.linalg.inv(R) * (size or 1.0)
        return basis

    def _together(self, chosen: NDArray[np.bool_]) -> list[NDArray[np.intp]]:
        """Places among those chosen of the effects of the largest factor of independent levels, by coef."""
        blocks = [block for block in self.design.blocks if block.known is None]
        if not blocks:
            return []
        largest = max(blocks, key=lambda block: block.q)
        names_of = (names.spherical_name(largest.group), names.ranef_name(largest.group))
        place = next((self._graph.places[name] for name in names_of if name in self._graph.places), None)
        if place is None:
            return []
        first = int(np.sum(chosen[: place.start]))
        return list(first + np.arange(largest.q).reshape(-1, largest.k).T)

    @cached_property
    def _volume(self) -> float:
        """Log determinant of the basis."""
        return float(np.linalg.slogdet(self._basis)[1])

    def _scale(self, held: dict[str, Any]) -> Array:
        """(d,) sizes of z: of b, where a centred graph has it for a variable, its standard deviations."""
        scale = np.ones(self._graph.size)
        for number, block in enumerate(self.design.blocks):
            place = self._graph.places.get(names.ranef_name(block.group))
            if place is not None:
                sd = vector_of(held, names.sd_name(block.group), names.sd_names(self.design, number))
                scale[place] = np.tile(sd[list(self.design.covariance.sd_of_coef(number))], block.n_levels)
        return scale

    @cached_property
    def _least_squares(self) -> Array:
        """β to begin at, so that gradients are as small as residuals; nothing where the graph has no β."""
        Q, R = np.linalg.qr(self.design.X)
        found = np.linalg.solve(R, Q.T @ (self.design.y - self.design.offset))
        return np.asarray(found[: self._graph.is_beta.sum()])

    @cached_property
    def _graph(self) -> "_CompiledGraph":
        return _compile(self.model)


@dataclass(frozen=True, eq=False)
class _CompiledGraph:
    """Functions of the graph, by PyTensor's Python linker; z holds β and the random effects."""

    held: tuple[str, ...]
    shapes: dict[str, tuple[int, ...]]
    is_beta: NDArray[np.bool_]
    evaluate: Callable[..., list[Any]]
    gradients: Callable[..., list[Any]]
    effects: Callable[..., list[Any]]
    groups: tuple[str, ...]

    @property
    def size(self) -> int:
        return len(self.is_beta)

    @cached_property
    def places(self) -> dict[str, slice]:
        """Where each variable lies in z."""
        ends = np.cumsum([0, *(int(np.prod(shape)) for shape in self.shapes.values())])
        return {
            name: slice(first, last)
            for name, first, last in zip(self.shapes, ends[:-1], ends[1:], strict=True)
        }

    def parts(self, z: Array) -> dict[str, Array]:
        """z (..., d) as the graph's variables."""
        return {
            name: z[..., place].reshape((*z.shape[:-1], *self.shapes[name]))
            for name, place in self.places.items()
        }

    def value(self, z: Array, held: dict[str, Any], with_prior: bool) -> float:
        conditional, prior, *_ = self.evaluate(**self.parts(z), **held)
        return float(conditional + prior) if with_prior else float(conditional)

    def gradient(self, z: Array, held: dict[str, Any], with_prior: bool) -> Array:
        _, _, conditional, prior = self.evaluate(**self.parts(z), **held)
        return np.asarray(conditional + prior if with_prior else conditional)

    def prior_gradient(self, z: Array, held: dict[str, Any]) -> Array:
        """Of β's prior alone."""
        return np.asarray(self.evaluate(**self.parts(z), **held)[3])

    def falls(self, z: Array, held: dict[str, Any], with_prior: bool, at_once: int) -> Falls:
        """How much the gradient falls from z along steps, some at once."""
        at_z = self.gradient(z, held, with_prior)

        def along(steps: Array) -> Array:
            parts = [z + steps[first : first + at_once] for first in range(0, len(steps), at_once)]
            rows = [at_z - self._gradients(part, held, with_prior) for part in parts]
            return np.concatenate([np.zeros((0, self.size)), *rows])

        return along

    def _gradients(self, z: Array, held: dict[str, Any], with_prior: bool) -> Array:
        """(m, d) at m points (m, d)."""
        conditional, prior = self.gradients(**self.parts(z), **held)
        return np.asarray(conditional + prior if with_prior else conditional)

    def ranef(self, z: Array, held: dict[str, Any]) -> dict[str, Array]:
        return dict(zip(self.groups, self.effects(**self.parts(z), **held), strict=True))


def _compile(model: "pm.Model") -> _CompiledGraph:
    import pytensor.tensor as pt
    from pymc.model.transform.conditioning import remove_value_transforms
    from pytensor.graph.replace import vectorize_graph

    natural = remove_value_transforms(model)
    free = [natural[rv.name] for rv in model.free_RVs if not _is_held(rv.name)]
    values = [natural.rvs_to_values[rv] for rv in free]
    held = [natural.rvs_to_values[rv] for rv in natural.free_RVs if _is_held(rv.name)]
    betas = [rv for rv in free if _is_beta(rv.name)]
    effects = [rv for rv in free if not _is_beta(rv.name)]
    with exact_constants():
        of_data = [*natural.observed_RVs, *effects, *natural.potentials]
        conditional = natural.logp(vars=of_data, jacobian=False)
        prior = natural.logp(vars=betas, jacobian=False) if betas else pt.constant(0.0)
    outputs = [conditional, prior, _gradient(conditional, values), _gradient(prior, values)]
    found = [var for var in natural.unobserved_RVs if str(var.name).startswith("ranef_")]
    ranefs = natural.replace_rvs_by_values(found)
    batch = {value: _many(value) for value in values}
    gradients = vectorize_graph(outputs[2:], replace=batch)
    start = natural.initial_point()
    shapes = {value.name: np.shape(start[value.name]) for value in values}
    flags = [
        np.full(int(np.prod(shapes[v.name])), _is_beta(rv.name)) for rv, v in zip(free, values, strict=True)
    ]
    return _CompiledGraph(
        tuple(value.name for value in held),
        shapes,
        np.concatenate(flags) if flags else np.zeros(0, dtype=bool),
        function_of([*values, *held], outputs),
        function_of([*batch.values(), *held], gradients),
        function_of([*values, *held], ranefs),
        tuple(var.name for var in found),
    )


def _many(variable: Tensor) -> Tensor:
    """A variable of its name for many of its values, (m, ...)."""
    import pytensor.tensor as pt

    return pt.tensor(variable.name, shape=(None, *variable.type.shape), dtype=variable.type.dtype)


def _gradient(value: Tensor, variables: list[Tensor]) -> Tensor:
    """Gradient as one vector, 0 where the value doesn't depend on a variable."""
    import pytensor
    import pytensor.tensor as pt

    if not variables:
        return pt.constant(np.zeros(0))
    parts = pytensor.grad(value, variables, disconnected_inputs="ignore")
    return pt.concatenate([part.ravel() for part in parts])


def _is_held(name: str | None) -> bool:
    return not (_is_beta(name) or str(name).startswith(EFFECTS))


def _is_beta(name: str | None) -> bool:
    return str(name) == names.BETA or str(name).startswith(f"{names.BETA}[")
