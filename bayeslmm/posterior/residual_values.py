"""R's own parameters as the variables of graphs have them, and back."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayeslmm.posterior import names
from bayeslmm.spec.design import Design
from bayeslmm.spec.residual.structure import Part, Slot

type Array = NDArray[np.float64]


def residual_values(design: Design, phi: Array, sigma: Array) -> dict[str, Array]:
    """Values (m,), or (m, n) of units, of every variable at φ (m, n_phi) and σ (m,)."""
    ratios = np.array([design.residual.ratios(each) for each in phi]).reshape(phi.shape)
    out: dict[str, Array] = {}
    for part, slots, own in _own(design, ratios):
        if part.joint is None:
            size = sigma[:, None] if part.structure.absolute else 1.0
            out |= dict(zip((slot.label for slot in slots), (size * own).T, strict=True))
        else:
            z = np.array([part.joint.elements(each) for each in own])
            out[names.of_units(slots[0].label)] = (1 + z) / 2
    return out


def residual_phi(design: Design, values: Mapping[str, Any], sigma: Array) -> Array:
    """φ (m, n_phi) of values of variables and σ (m,)."""
    ratios = np.zeros((len(sigma), design.residual.n_phi))
    for part, slots, own in _own(design, ratios):
        if part.joint is None:
            size = sigma if part.structure.absolute else 1.0
            own[...] = np.stack([np.asarray(values[slot.label]) / size for slot in slots], axis=-1)
        else:
            z = 2 * np.asarray(values[names.of_units(slots[0].label)]).reshape(own.shape) - 1
            own[...] = np.stack(part.joint.natural(list(z.T)), axis=-1)
    return np.array([design.residual.of_ratios(each) for each in ratios]).reshape(ratios.shape)


def _own(design: Design, ratios: Array) -> "Iterator[tuple[Part[Any], tuple[Slot, ...], Array]]":
    """Every stratum with its slots and its columns of ratios (m, n_phi), a view."""
    first = 0
    for part in design.residual.parts:
        for slots in part.slots():
            yield part, slots, ratios[:, first : (first := first + part.width)]
