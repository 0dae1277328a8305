"""One parameter held at a value, the others at their best: the inner problem of a profile.

The deviance is −2ℓ with β, and σ where it is free, at their best for Λ; everything comes from (log|V₀|, A)
and the pull-back of its derivatives.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bayeslmm.kernel.search.optimizer import minimize
from bayeslmm.likelihood.estimates import wald_table
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.spec.covariance import lower_factor
from bayeslmm.spec.labels import SIGMA, beta_labels, cor_labels_of, sd_labels_of
from bayeslmm.spec.term_slot import TermSlot
from bayeslmm.spec.units import off_boundary

type Array = NDArray[np.float64]

TINY = 1e-5  # of a natural sd, where the deviance is that at 0
EDGE = 1e-9  # from ±1, where the deviance is that of a perfect correlation


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """The best model under a constraint.

    Attributes
    ----------
    deviance : −2ℓ. x : coordinates of the search. lam, delta, sigma : the model, in the kernel's terms.
    """

    deviance: float
    x: Array
    lam: Array
    delta: Array
    sigma: float


class Held(ABC):
    """A parameter to be held.

    Attributes
    ----------
    fit : by ML. label : of the parameter. range : values it can have.
    """

    def __init__(self, fit: Fitted, label: str) -> None:
        """Take the ML fit."""
        self.fit, self.label = fit, label
        design = fit.design
        self.covariance, self.kernel, self.residual = design.covariance, design.kernel, design.residual

    range: tuple[float, float] = (-np.inf, np.inf)

    @property
    def reason(self) -> str:
        """Why there is no profile, or nothing."""
        return ""

    @cached_property
    def estimate(self) -> float:
        """The ML estimate."""
        return float(self.row["estimate"])

    @cached_property
    def step(self) -> float:
        """About how far the parameter goes while the deviance rises by 1."""
        se = float(self.row["se"])
        return se if np.isfinite(se) and se > 0 else self.natural_step

    @property
    def natural_step(self) -> float:
        """A step where there is no standard error."""
        return self.fit.sigma

    @property
    def row(self) -> dict[str, float]:
        """The parameter's row of the fit's estimates."""
        return wald_table(self.fit, 0.95, ranef=False).row(self.label)

    @property
    def start(self) -> Array:
        """Coordinates of the search at the estimate."""
        return self.fit.theta_values

    @property
    def scale(self) -> Array:
        """Natural changes of the coordinates."""
        return self.fit.objective.scale

    @abstractmethod
    def at(self, value: float, x: Array) -> "tuple[Solution, Array]":
        """The model with the parameter at `value` and coordinates x, and the deviance's slope in x."""

    def near(self, x: Array, value: float) -> Array:
        """Coordinates to search from, given those found for another value."""
        del value
        return x

    def starts(self, x: Array, value: float) -> tuple[Array, ...]:
        """Where to search from: `near`, and off the boundary where the fit is on it.

        A variance of 0 is a stationary point whatever the parameter is held at, though no longer a minimum.
        """
        near = self.near(x, value)
        return (near, off_boundary(self.covariance, near)) if self.fit.is_singular else (near,)

    def solve(self, value: float, x: Array) -> Solution:
        """The best model with the parameter at `value`, searched from `x`."""
        return min((self._searched(value, start) for start in self.starts(x, value)), key=_deviance)

    def reaches(self, value: float, deviance: float) -> bool:
        """Is a model with the parameter at `value` as good as that? Searched for where starts aren't."""
        starts = self.starts(self.start, value)
        at_once = any(self.at(value, start)[0].deviance <= deviance for start in starts)
        return at_once or self.solve(value, self.start).deviance <= deviance

    def _searched(self, value: float, start: Array) -> Solution:
        if not len(start):
            return self.at(value, start)[0]

        def objective(point: Array) -> tuple[float, Array]:
            solution, slope = self.at(value, point)
            return solution.deviance, slope

        best = minimize(objective, start, self.scale, tolerance=1e-13).x
        return self.at(value, best)[0]

    def _profiled(self, lam: Array, known: float | None) -> "tuple[Solution, Array]":
        """The model at Λ with the best β, and σ = `known` or, for None, the best; slope in Λ."""
        moments = self.kernel.moments(lam)
        return self._with_delta(lam, moments.logdet, moments.A, moments.solved.delta, known)

    def _with_delta(
        self, lam: Array, logdet: float, A: Array, delta: Array, known: float | None
    ) -> "tuple[Solution, Array]":
        a = np.append(-delta, 1.0)
        r2, n = float(a @ A @ a), self.fit.design.n
        sigma = float(np.sqrt(r2 / n)) if known is None else known
        deviance = logdet + n * np.log(2 * np.pi * sigma**2) + r2 / sigma**2
        slope = self.kernel.pullback(lam, 1.0, np.outer(a, a) / sigma**2)
        if not np.isfinite(deviance):
            return Solution(np.inf, lam, lam, delta, sigma), np.zeros(len(lam))
        return Solution(float(deviance), lam, lam, delta, sigma), slope


def _deviance(solution: Solution) -> float:
    return solution.deviance


def _in_theta(held: Held, found: "tuple[Solution, Array]", theta: Array) -> "tuple[Solution, Array]":
    """The same with θ for coordinates."""
    solution, slope = found
    own = Solution(solution.deviance, theta, solution.lam, solution.delta, solution.sigma)
    return own, held.covariance.jacobian(theta) @ slope


class HeldBeta(Held):
    """A fixed effect; δ moves from its best along A_XX⁻¹c until c'δ is right."""

    def __init__(self, fit: Fitted, label: str, place: int) -> None:
        """Take the coefficient's place."""
        super().__init__(fit, label)
        self.c = np.linalg.solve(self.kernel.R_X.T, np.eye(self.kernel.p)[place])

    def at(self, value: float, x: Array) -> "tuple[Solution, Array]":
        """At θ = x."""
        lam = self.covariance.flat(x)
        moments = self.kernel.moments(lam)
        solved = moments.solved
        free, along = solved.delta, solved.inverse @ self.c
        short = value - self.c @ (self.kernel.gamma_ls + free)
        delta = free + along * short / (self.c @ along)
        return _in_theta(
            self, self._with_delta(lam, moments.logdet, moments.A, delta, self.residual.sigma), x
        )


class HeldSigma(Held):
    """The residual standard deviation."""

    range = (0.0, np.inf)

    def at(self, value: float, x: Array) -> "tuple[Solution, Array]":
        """At θ = x."""
        return _in_theta(self, self._profiled(self.covariance.flat(x), value), x)


class HeldSd(Held):
    """The standard deviation of a random effect, σ|row of Λ|: at each θ it says what σ is.

    Where σ is known it is the row's length that is put right.
    """

    range = (0.0, np.inf)

    def __init__(self, fit: Fitted, label: str, slot: TermSlot, coef: int) -> None:
        """Take the bar, and the coef's place in it."""
        super().__init__(fit, label)
        self.slot, self.coef = slot, coef
        k, first = self.covariance.sizes[slot.block], self.covariance.offsets[slot.block]
        row = first + (slot.first + coef) * k
        self.own = slice(row, row + k)
        rows = range(slot.structure.k) if slot.structure.shared_sd else [coef]
        self.rows = np.concatenate([first + (slot.first + i) * k + np.arange(k) for i in rows])

    @property
    def natural_step(self) -> float:
        """The sd whose contribution to the response is about the residual's."""
        size = float(self.slot.gram[self.coef, self.coef])
        return float(self.fit.sigma / np.sqrt(size) / self.fit.design.n**0.25)

    def at(self, value: float, x: Array) -> "tuple[Solution, Array]":
        """At θ = x."""
        lam, jacobian = self.covariance.flat(x), self.covariance.jacobian(x)
        length = float(np.linalg.norm(lam[self.own]))
        value = max(value, TINY * self.natural_step)
        turn = jacobian[:, self.own] @ lam[self.own] / length**2  # d log length / dθ
        if (known := self.residual.sigma) is None:
            solution, slope = self._profiled(lam, value / length)
            a = np.append(-solution.delta, 1.0)
            r2 = float(a @ self.kernel.moments(lam).A @ a)
            by_log_sigma = 2 * self.fit.design.n - 2 * r2 / solution.sigma**2
            gradient = jacobian @ slope - by_log_sigma * turn
        else:
            stretched = lam.copy()
            stretched[self.rows] *= value / known / length
            solution, slope = self._profiled(stretched, known)
            moved = jacobian.copy()
            moved[:, self.rows] *= value / known / length
            gradient = moved @ slope - turn * (stretched[self.rows] @ slope[self.rows])
        return Solution(solution.deviance, x, solution.lam, solution.delta, solution.sigma), gradient

    def near(self, x: Array, value: float) -> Array:
        """θ with the row stretched so that σ is left about as it is; off 0, where it has no direction."""
        structure = self.slot.structure
        factor = structure.factor(x[self.slot.theta])
        length = float(np.linalg.norm(factor[self.coef]))
        wanted = max(value, TINY * self.natural_step) / self.fit.sigma
        if length < 1e-3 * wanted:
            own = structure.factor(structure.start(self.slot.gram))
            factor, length = own, float(np.linalg.norm(own[self.coef]))
        rows = slice(None) if structure.shared_sd else self.coef
        factor = factor.copy()
        factor[rows] *= wanted / length
        theta = x.copy()
        theta[self.slot.theta] = structure.parameters(lower_factor(factor))
        return theta


class HeldCor(Held):
    """A correlation: the bar's factor is written with it in the open, Λ = Σ y_m B_m(ρ).

    The lengths among y mustn't change their sign, which would change the correlation's: they are squares of
    the coordinates x.
    """

    def __init__(self, fit: Fitted, label: str, slot: TermSlot, pair: tuple[int, int]) -> None:
        """Take the bar, and the coefs' places in it."""
        super().__init__(fit, label)
        self.slot, self.pair = slot, pair
        self.range = slot.structure.cor_range or (-1.0, 1.0)
        places = np.arange(self.covariance.n_theta)
        self.others = np.setdiff1d(places, places[slot.theta])
        k, first = self.covariance.sizes[slot.block], self.covariance.offsets[slot.block]
        grid = first + np.arange(k * k).reshape(k, k)
        self.own = grid[slot.coefs, slot.coefs].ravel()

    @property
    def reason(self) -> str:
        """A correlation with an sd of 0 doesn't exist."""
        return "" if np.isfinite(self.estimate) else "one of its standard deviations is estimated as 0"

    @property
    def natural_step(self) -> float:
        """A correlation has no unit."""
        return 0.3

    @property
    def order(self) -> list[int]:
        """The pair's coefs first."""
        return [*self.pair, *(i for i in range(self.slot.structure.k) if i not in self.pair)]

    def basis(self, value: float) -> Array:
        """B (m, k, k)."""
        structure = self.slot.structure
        if structure.shared_sd:
            return structure.correlation_root([value])[None]
        if len(structure.pairs) == 1:
            return np.stack([np.diag(row) for row in np.eye(structure.k)]) @ structure.correlation_root(
                [value]
            )
        return self._open_factor(value)

    def _open_factor(self, value: float) -> Array:
        """Rows of the pair a(1, 0, ...), b(ρ, √(1 − ρ²), 0, ...); the others free, each a column longer."""
        order, k = self.order, self.slot.structure.k
        out = np.zeros((2 + sum(range(3, k + 1)), k, k))
        out[0, order[0], 0] = 1.0
        out[1, order[1], :2] = value, np.sqrt(1 - value**2)
        places = [(order[row], column) for row in range(2, k) for column in range(row + 1)]
        for number, (row, column) in enumerate(places, 2):
            out[number, row, column] = 1.0
        return out

    @property
    def lengths(self) -> NDArray[np.bool_]:
        """Which of y are lengths that mustn't change sign; one that all coefs share may."""
        structure = self.slot.structure
        if structure.shared_sd:
            return np.zeros(1, dtype=bool)
        if len(structure.pairs) == 1:
            return np.ones(structure.k, dtype=bool)
        return np.arange(2 + sum(range(3, structure.k + 1))) < 2

    def near(self, x: Array, value: float) -> Array:
        """The same with lengths that have vanished, where the deviance has no slope, put back."""
        lengths = np.append(np.zeros(len(self.others), dtype=bool), self.lengths)
        return np.where(lengths & (np.abs(x) < 0.1 * np.abs(self.start)), self.start, x)

    def starts(self, x: Array, value: float) -> tuple[Array, ...]:
        """`near` alone: its lengths are off 0."""
        return (self.near(x, value),)

    @property
    def start(self) -> Array:
        """θ of the other bars, then the x of Λ."""
        theta = self.fit.theta_values
        structure = self.slot.structure
        factor = structure.factor(theta[self.slot.theta])
        lengths = np.linalg.norm(factor, axis=1)
        if structure.shared_sd or len(structure.pairs) == 1:
            own = lengths[list(structure.sd_index)]
        else:
            lower = lower_factor(factor[self.order])
            own = np.concatenate(
                [lengths[list(self.pair)], *(lower[m, : m + 1] for m in range(2, len(lower)))]
            )
        return np.concatenate([theta[self.others], np.where(self.lengths, np.sqrt(np.abs(own)), own)])

    @property
    def scale(self) -> Array:
        """Those of θ, and one over the columns' root mean square."""
        structure, sizes = self.slot.structure, np.sqrt(np.diag(self.slot.gram))
        units = 1 / np.where(sizes > 0, sizes, 1.0)
        if structure.shared_sd or len(structure.pairs) == 1:
            own = units[list(structure.sd_index)]
        else:
            order = self.order
            own = np.concatenate(
                [units[order[:2]], *(np.full(m + 1, units[order[m]]) for m in range(2, len(order)))]
            )
        return np.concatenate(
            [self.fit.objective.scale[self.others], np.where(self.lengths, np.sqrt(own), own)]
        )

    def at(self, value: float, x: Array) -> "tuple[Solution, Array]":
        """At the other bars' θ and the x of Λ."""
        low, high = self.range
        B = self.basis(float(np.clip(value, low + EDGE, high - EDGE)))
        n = len(self.others)
        theta = self.fit.theta_values.copy()
        theta[self.others] = x[:n]
        lam = self.covariance.flat(theta)
        y = np.where(self.lengths, x[n:] ** 2, x[n:])
        lam[self.own] = np.tensordot(y, B, 1).ravel()
        solution, slope = self._profiled(lam, self.residual.sigma)
        by_y = B.reshape(len(B), -1) @ slope[self.own]
        by_x = np.where(self.lengths, 2 * x[n:] * by_y, by_y)
        gradient = [self.covariance.jacobian(theta)[self.others] @ slope, by_x]
        own = Solution(solution.deviance, x, solution.lam, solution.delta, solution.sigma)
        return own, np.concatenate(gradient)


def parameters(fit: Fitted) -> Iterator[Held]:
    """Every parameter of an ML fit, in the labels' order."""
    design = fit.design
    for place, label in enumerate(beta_labels(design)):
        yield HeldBeta(fit, label, place)
    slots = design.covariance.slots
    for number in range(len(design.blocks)):
        own = [slot for slot in slots if slot.block == number]
        sds = [(slot, coef) for slot in own for coef in slot.structure.sd_index]
        for label, (slot, coef) in zip(sd_labels_of(design, number), sds, strict=True):
            yield HeldSd(fit, label, slot, coef)
    for number in range(len(design.blocks)):
        pairs = [(slot, pair) for slot in slots if slot.block == number for pair in slot.structure.pairs]
        for label, (slot, pair) in zip(cor_labels_of(design, number), pairs, strict=True):
            yield HeldCor(fit, label, slot, pair)
    if fit.design.residual.sigma_free:
        yield HeldSigma(fit, SIGMA)
