"""Parameters of the random effects' covariances, held at a value."""

import numpy as np
from numpy.typing import NDArray

from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.likelihood.inference.profile.held import Held
from bayeslmm.likelihood.inference.profile.inner import Inner, Model
from bayeslmm.spec.covariance import lower_factor
from bayeslmm.spec.term_slot import TermSlot

type Array = NDArray[np.float64]

TINY = 1e-5  # of a natural sd, where the deviance is that at 0
EDGE = 1e-9  # from ±1, where the deviance is that of a perfect correlation


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

    def found(self, value: float, own: Array, inner: Inner) -> tuple[Model, Array, Array]:
        """At θ."""
        lam, jacobian = self.covariance.flat(own), self.covariance.jacobian(own)
        length = float(np.linalg.norm(lam[self.own]))
        value = max(value, TINY * self.natural_step)
        turn = jacobian[:, self.own] @ lam[self.own] / length**2  # d log length / dθ
        if (known := self.residual.sigma) is None:
            model, slopes = inner.profiled(lam, value / length)
            return model, jacobian @ slopes.lam - slopes.log_sigma * turn, slopes.phi
        stretched, moved = lam.copy(), jacobian.copy()
        stretched[self.rows] *= value / known / length
        moved[:, self.rows] *= value / known / length
        model, slopes = inner.profiled(stretched, known)
        along = stretched[self.rows] @ slopes.lam[self.rows]
        return model, moved @ slopes.lam - turn * along, slopes.phi

    def near(self, x: Array, value: float) -> Array:
        """θ with the row stretched so that σ is left about as it is; off 0, where it has no direction."""
        structure = self.slot.structure
        factor = structure.factor(x[self.slot.theta])
        length = float(np.linalg.norm(factor[self.coef]))
        wanted = max(value, TINY * self.natural_step) / self.fit.sigma
        if length < 1e-3 * wanted:
            own = structure.factor(self.slot.start)
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
        lengths = np.zeros(len(x), dtype=bool)
        lengths[len(self.others) :][: len(self.lengths)] = self.lengths
        return np.where(lengths & (np.abs(x) < 0.1 * np.abs(self.start)), self.start, x)

    def starts(self, x: Array, value: float) -> tuple[Array, ...]:
        """`near` alone: its lengths are off 0."""
        return (self.near(x, value),)

    @property
    def own_start(self) -> Array:
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
    def own_scale(self) -> Array:
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
        return np.concatenate([self.covariance.scale[self.others], np.where(self.lengths, np.sqrt(own), own)])

    def found(self, value: float, own: Array, inner: Inner) -> tuple[Model, Array, Array]:
        """At the other bars' θ and the x of Λ."""
        low, high = self.range
        B = self.basis(float(np.clip(value, low + EDGE, high - EDGE)))
        n = len(self.others)
        theta = self.fit.theta_values.copy()
        theta[self.others] = own[:n]
        lam = self.covariance.flat(theta)
        y = np.where(self.lengths, own[n:] ** 2, own[n:])
        lam[self.own] = np.tensordot(y, B, 1).ravel()
        model, slopes = inner.profiled(lam, self.residual.sigma)
        by_y = B.reshape(len(B), -1) @ slopes.lam[self.own]
        by_x = np.where(self.lengths, 2 * own[n:] * by_y, by_y)
        return model, np.append(self.covariance.jacobian(theta)[self.others] @ slopes.lam, by_x), slopes.phi
