"""Autoregressive moving averages, by steps."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from bayeslmm.errors import OptionError, check_whole
from bayeslmm.spec.residual.structure import Array, Learnt, Natural, Usual
from bayeslmm.spec.residual.together import Partials

from .base import CorrelationStructure, Counts


@dataclass(frozen=True, eq=False)
class ARMA(CorrelationStructure):
    """e_t = Σ φ_i e_{t−i} + a_t + Σ θ_j a_{t−j}, stationary and invertible, over its standard deviation.

    Parameters
    ----------
    form : "Time | Mare" with whole numbers, or a factor whose levels count; "1 | Mare" for the order of rows.
    p, q : orders of the autoregression and of the moving average.
    """

    p: int = 0
    q: int = 0

    keyword: ClassVar[str] = "ARMA"
    counts: ClassVar[Counts] = Counts.STEPS
    example_options: ClassVar = {"p": 1, "q": 1}

    def __post_init__(self) -> None:
        """Check the orders."""
        check_whole("p", self.p, 0)
        check_whole("q", self.q, 0)
        if not self.p + self.q:
            raise OptionError("ARMA of orders p = 0 and q = 0 has no parameter; give p=, q= or both")

    def parameters(self, learnt: Learnt) -> Natural:
        names = [f"phi[ARMA: ar{i + 1}]" for i in range(self.p)] + [
            f"phi[ARMA: ma{j + 1}]" for j in range(self.q)
        ]
        return Natural(tuple(names), np.tile([-np.inf, np.inf], (len(names), 1)))

    def natural(self, phi: Any, learnt: Learnt) -> Any:
        return np.array(self._joined(np.tanh(phi)), dtype=phi.dtype)

    def free(self, natural: Array, learnt: Learnt) -> Array:
        with np.errstate(invalid="ignore"):
            return np.arctanh(self._partials(natural))

    def _joined(self, partial: Sequence[Any]) -> list[Any]:
        """Coefficients of partial autocorrelations, scalars of any kind."""
        return [*_weights(partial[: self.p]), *(-own for own in _weights(partial[self.p :]))]

    def _partials(self, natural: Array) -> Array:
        """The inverse of `_joined`."""
        return np.append(_partial(natural[: self.p]), _partial(-natural[self.p :]))

    def usual_priors(self, learnt: Learnt, spread: float) -> tuple[Usual, ...]:
        """Each partial autocorrelation, carried from (-1, 1) to (0, 1), is Beta(2, 2)."""
        return (Usual("LKJ", (2.0,)),)

    def together(self, learnt: Learnt) -> Partials:
        order = np.concatenate([np.arange(1, self.p + 1), np.arange(1, self.q + 1)])
        powers = np.column_stack([order // 2, (order - 1) // 2]).astype(float)
        return Partials("phi[ARMA]", np.ones(len(order)), powers, self._joined, self._partials)

    def starts(self, learnt: Learnt) -> Array:
        out = np.zeros((3, self.p + self.q))
        out[1, 0], out[2, 0], out[2, -1] = 1.0, 1.5, -0.5
        return out

    def at(self, phi: Any, places: Array, learnt: Learnt) -> Any:
        lags = places.astype(np.int64)
        return self._autocorrelations(self.natural(phi, learnt), int(lags.max(initial=0)))[lags]

    def _autocorrelations(self, own: Any, most: int) -> Any:
        """At lags 0, ..., most: of the first ones linear equations, then the recursion."""
        p, q = self.p, self.q
        ar, ma = own[:p], np.append(np.ones(1), own[p:])
        order = max(p, q) + 1
        psi = np.zeros(q + 1, dtype=own.dtype)  # of the shocks that made e_t
        for j in range(q + 1):
            psi[j] = ma[j] + sum(ar[i] * psi[j - 1 - i] for i in range(min(p, j)))
        equations, right = np.eye(order, dtype=own.dtype), np.zeros(order, dtype=own.dtype)
        for k in range(order):
            for i in range(p):
                equations[k, abs(k - 1 - i)] -= ar[i]
            right[k] = sum(ma[j] * psi[j - k] for j in range(k, q + 1))
        try:
            out = list(np.linalg.solve(equations, right))
        except np.linalg.LinAlgError:  # a root of 1, as far as digits tell: no process is stationary there
            out = [own.dtype.type(np.nan)] * order
        for _ in range(order, most + 1):
            out.append(sum(ar[i] * out[-1 - i] for i in range(p)))
        return np.array(out[: most + 1], dtype=own.dtype) / out[0]


def _weights(partial: Sequence[Any]) -> list[Any]:
    """Coefficients of an autoregression with these partial autocorrelations."""
    out: list[Any] = []
    for own in partial:
        out = [each - own * other for each, other in zip(out, reversed(out), strict=True)] + [own]
    return out


def _partial(weights: Array) -> Array:
    """The inverse of `_weights`."""
    out, left = [], weights
    while len(left):
        own, rest = left[-1], left[:-1]
        out.append(own)
        left = (rest + own * rest[::-1]) / (1 - own * own)
    return np.array(out[::-1])
