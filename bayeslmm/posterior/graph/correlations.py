"""Correlations and standard deviations of residual rows in PyTensor, by structure, from their natural values.

Each is a formula of its own, element by element, as its book has it: a second opinion on `spec.residual`.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayeslmm.posterior.names import Tensor

type Array = NDArray[np.float64]
type Natural = list[Tensor]
type Correlation = Callable[[Any, Natural, "Places"], Tensor]
type Spread = Callable[[Natural, Array], Tensor]


class Places(NamedTuple):
    """Where the rows of some residual groups are.

    Attributes
    ----------
    at : (p, m, d) coordinates. levels : number of visits, where these are coordinates.
    """

    at: Array
    levels: int

    @property
    def distances(self) -> Array:
        """(p, m, m), without coordinates 0."""
        return np.linalg.norm(self.at[:, :, None] - self.at[:, None], axis=3)

    @property
    def steps(self) -> NDArray[np.int64]:
        """(p, m, m) of coordinates that are whole numbers."""
        return np.rint(np.abs(self.at[:, :, None, 0] - self.at[:, None, :, 0])).astype(np.int64)

    @property
    def visits(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows' visits, (p, m, 1) and (p, 1, m)."""
        own = np.rint(self.at[:, :, 0]).astype(np.int64)
        return own[:, :, None], own[:, None, :]


def _ar1(_: Any, natural: Natural, places: Places) -> Tensor:
    import pytensor.tensor as pt

    (phi,) = natural
    powers = [pt.ones(())]
    for _step in range(int(places.steps.max(initial=0))):
        powers.append(powers[-1] * phi)
    return pt.stack(powers)[places.steps]


def _car1(_: Any, natural: Natural, places: Places) -> Tensor:
    return natural[0] ** places.distances


def _compound(_: Any, natural: Natural, places: Places) -> Tensor:
    return natural[0] + np.zeros(places.distances.shape)


def _arma(structure: Any, natural: Natural, places: Places) -> Tensor:
    """Autocovariances of the state s, s' = Fs + Ga: Γ = FΓFᵀ + GGᵀ, its powers of F (Harvey 1989)."""
    import pytensor.tensor as pt

    r = max(structure.p, structure.q + 1)
    ar = [*natural[: structure.p], *[0.0] * (r - structure.p)]
    ma = [1.0, *natural[structure.p :], *[0.0] * (r - 1 - structure.q)]
    shift = np.eye(r, k=1)
    F = pt.stack([pt.as_tensor(value, dtype="float64") for value in ar])[:, None] * np.eye(1, r) + shift
    G = pt.stack([pt.as_tensor(value, dtype="float64") for value in ma])
    state = pt.linalg.solve(np.eye(r * r) - pt.linalg.kron(F, F), pt.outer(G, G).ravel()).reshape((r, r))
    own = [state[0, 0]]
    for _step in range(int(places.steps.max(initial=0))):
        state = pt.dot(F, state)
        own.append(state[0, 0])
    return pt.stack(own)[places.steps] / own[0]


def _unstructured(_: Any, natural: Natural, places: Places) -> Tensor:
    pairs = zip(*np.triu_indices(places.levels, 1), strict=True)
    return _by_pair(dict(zip(pairs, natural, strict=True)), places)


def _toeplitz(_: Any, natural: Natural, places: Places) -> Tensor:
    import pytensor.tensor as pt

    first, second = places.visits
    return pt.stack([pt.ones(()), *natural])[np.abs(first - second)]


def _ante(_: Any, natural: Natural, places: Places) -> Tensor:
    pairs: dict[Any, Tensor] = {}
    for i in range(places.levels):
        value: Tensor = 1.0
        for j in range(i + 1, places.levels):
            value = value * natural[j - 1]
            pairs[i, j] = value
    return _by_pair(pairs, places)


def _by_pair(pairs: dict[Any, Tensor], places: Places) -> Tensor:
    """Correlations that each pair of visits has."""
    import pytensor.tensor as pt

    k = places.levels
    number = np.zeros((k, k), dtype=np.int64)
    for place, (i, j) in enumerate(pairs):
        number[i, j] = number[j, i] = place + 1
    return pt.stack([pt.ones(()), *pairs.values()])[number[places.visits]]


def _spatial(falls: Callable[[Tensor], Tensor]) -> Correlation:
    def correlation(structure: Any, natural: Natural, places: Places) -> Tensor:
        share = 1 - natural[1] if structure.nugget else 1.0
        return share * falls(places.distances / natural[0])

    return correlation


def _inside(values: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    def falls(ratio: Tensor) -> Tensor:
        import pytensor.tensor as pt

        return pt.switch(pt.lt(ratio, 1.0), values(ratio), 0.0)

    return falls


def _exp(values: Tensor) -> Tensor:
    import pytensor.tensor as pt

    return pt.exp(values)


CORRELATIONS: dict[str, Correlation] = {
    "AR1": _ar1,
    "ARMA": _arma,
    "AnteDependence": _ante,
    "CAR1": _car1,
    "CompoundSymmetry": _compound,
    "Exponential": _spatial(lambda ratio: _exp(-ratio)),
    "Gaussian": _spatial(lambda ratio: _exp(-(ratio**2))),
    "Linear": _spatial(_inside(lambda ratio: 1 - ratio)),
    "RationalQuadratic": _spatial(lambda ratio: 1 / (1 + ratio**2)),
    "Spherical": _spatial(_inside(lambda ratio: 1 - 1.5 * ratio + 0.5 * ratio**3)),
    "Toeplitz": _toeplitz,
    "Unstructured": _unstructured,
}


def _ident(natural: Natural, values: Array) -> Tensor:
    import pytensor.tensor as pt

    return pt.stack([pt.ones(()), *natural])[values.astype(np.int64)]


SPREADS: dict[str, Spread] = {
    "ConstantPower": lambda natural, values: natural[0] + np.abs(values) ** natural[1],
    "Exp": lambda natural, values: _exp(natural[0] * values),
    "Fixed": lambda natural, values: np.sqrt(values),
    "Ident": _ident,
    "Power": lambda natural, values: np.abs(values) ** natural[0],
}
