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
from bayeslmm.posterior.correlations import BlockCorrelation
from bayeslmm.posterior.graph.constants import exact_constants
from bayeslmm.posterior.graph.pymc_priors import element_name
from bayeslmm.posterior.names import Tensor
from bayeslmm.spec.design import Design

if TYPE_CHECKING:
    import pymc as pm

type Array = NDArray[np.float64]
type ByGroup = Mapping[str, ArrayLike]


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
        self, sigma: float, sd: ByGroup, cor: ByGroup, beta: ArrayLike | None = None
    ) -> GraphIntegral:
        """Integrate out the random effects at a given β, or the random effects and β.

        Parameters
        ----------
        sigma, sd, cor : natural parameters, sd[group] (n_sd,), cor[group] (n_pairs,).
        beta : (p,). None integrates β under its prior, which must be flat or normal: under a flat prior
            this is the restricted log-likelihood.

        Raises
        ------
        OptionError
            When β is to be integrated and its prior is neither flat nor normal.
        """
        held = self._held(sigma, sd, cor)
        given = None if beta is None else np.asarray(beta, dtype=float)
        return self._integrate(held, given)

    def _integrate(self, held: dict[str, Any], beta: Array | None) -> GraphIntegral:
        graph, with_prior = self._graph, beta is None
        z = np.zeros(graph.size)
        z[graph.is_beta] = self._least_squares if beta is None else beta
        basis = self._basis if beta is None else self._basis[:, ~graph.is_beta]
        if with_prior:
            self._check(z, held)
        quadratic = graph.quadratic(z, held, basis, with_prior)
        for _ in range(2):  # the second step takes off the rounding of the first
            z += basis @ quadratic.step
            quadratic = quadratic.moved(basis.T @ graph.gradient(z, held, with_prior))
        logp = graph.value(z, held, with_prior)
        volume = float(np.linalg.slogdet(self._basis)[1]) if beta is None else 0.0
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

    def _held(self, sigma: float, sd: ByGroup, cor: ByGroup) -> dict[str, Any]:
        """Values of the graph's own parameters, those it has."""
        values: dict[str, Any] = {names.SIGMA: np.float64(sigma)}
        for number, block in enumerate(self.design.blocks):
            spread = np.asarray(sd[block.group], dtype=float)
            values[names.sd_name(block.group)] = spread
            elements = zip(names.sd_names(self.design, number), spread, strict=True)
            values |= {element_name(names.sd_name(block.group), coef): value for coef, value in elements}
            z = BlockCorrelation.of(block).free(cor.get(block.group, ()))
            values[names.unit_name(block.group)] = (1 + z) / 2
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
    effects: Callable[..., list[Any]]
    groups: tuple[str, ...]

    @property
    def size(self) -> int:
        return len(self.is_beta)

    def parts(self, z: Array) -> dict[str, Array]:
        """z as the graph's variables."""
        out, first = {}, 0
        for name, shape in self.shapes.items():
            last = first + int(np.prod(shape))
            out[name] = z[first:last].reshape(shape)
            first = last
        return out

    def value(self, z: Array, held: dict[str, Any], with_prior: bool) -> float:
        conditional, prior, *_ = self.evaluate(**self.parts(z), **held)
        return float(conditional + prior) if with_prior else float(conditional)

    def gradient(self, z: Array, held: dict[str, Any], with_prior: bool) -> Array:
        _, _, conditional, prior = self.evaluate(**self.parts(z), **held)
        return np.asarray(conditional + prior if with_prior else conditional)

    def prior_gradient(self, z: Array, held: dict[str, Any]) -> Array:
        """Of β's prior alone."""
        return np.asarray(self.evaluate(**self.parts(z), **held)[3])

    def quadratic(self, z: Array, held: dict[str, Any], basis: Array, with_prior: bool) -> _Quadratic:
        """The density near z along a basis; the gradient is affine, so its differences are exact."""
        at_z = self.gradient(z, held, with_prior)
        rows = [at_z - self.gradient(z + step, held, with_prior) for step in basis.T]
        H = np.array(rows).reshape(basis.shape[1], self.size) @ basis
        return _Quadratic(basis.T @ at_z, (H + H.T) / 2)

    def ranef(self, z: Array, held: dict[str, Any]) -> dict[str, Array]:
        return dict(zip(self.groups, self.effects(**self.parts(z), **held), strict=True))


def _compile(model: "pm.Model") -> _CompiledGraph:
    import pytensor
    import pytensor.tensor as pt
    from pymc.model.transform.conditioning import remove_value_transforms

    natural = remove_value_transforms(model)
    free = [natural[rv.name] for rv in model.free_RVs if not _is_held(rv.name)]
    values = [natural.rvs_to_values[rv] for rv in free]
    held = [natural.rvs_to_values[rv] for rv in natural.free_RVs if _is_held(rv.name)]
    betas = [rv for rv in free if _is_beta(rv.name)]
    effects = [rv for rv in free if not _is_beta(rv.name)]
    with exact_constants():
        conditional = natural.logp(vars=[*natural.observed_RVs, *effects], jacobian=False)
        prior = natural.logp(vars=betas, jacobian=False) if betas else pt.constant(0.0)
    outputs = [conditional, prior, _gradient(conditional, values), _gradient(prior, values)]
    found = [var for var in natural.unobserved_RVs if str(var.name).startswith("ranef_")]
    ranefs = natural.replace_rvs_by_values(found)
    mode = pytensor.compile.mode.Mode(linker="py", optimizer="fast_compile")
    options: dict[str, Any] = {"mode": mode, "on_unused_input": "ignore"}
    start = natural.initial_point()
    shapes = {value.name: np.shape(start[value.name]) for value in values}
    flags = [
        np.full(int(np.prod(shapes[v.name])), _is_beta(rv.name)) for rv, v in zip(free, values, strict=True)
    ]
    return _CompiledGraph(
        tuple(value.name for value in held),
        shapes,
        np.concatenate(flags) if flags else np.zeros(0, dtype=bool),
        pytensor.function([*values, *held], outputs, **options),
        pytensor.function([*values, *held], ranefs, **options),
        tuple(var.name for var in found),
    )


def _gradient(value: Tensor, variables: list[Tensor]) -> Tensor:
    """Gradient as one vector, 0 where the value doesn't depend on a variable."""
    import pytensor
    import pytensor.tensor as pt

    if not variables:
        return pt.constant(np.zeros(0))
    parts = pytensor.grad(value, variables, disconnected_inputs="ignore")
    return pt.concatenate([part.ravel() for part in parts])


def _is_held(name: str | None) -> bool:
    return str(name) == names.SIGMA or str(name).startswith(("sd_", "cor_"))


def _is_beta(name: str | None) -> bool:
    return str(name) == names.BETA or str(name).startswith(f"{names.BETA}[")
