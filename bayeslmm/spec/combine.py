"""Combinations c'β + d'b as users write them: arrays, or weights by name."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from bayeslmm.errors import OptionError, did_you_mean

from .design import Design
from .given import floats, numbers_for
from .labels import ranef_labels

type Array = NDArray[np.float64]
type Weights = ArrayLike | Mapping[str, float] | None


def weights_of_beta(design: Design, given: Weights) -> Array:
    """(m, p) of coefficients by name, or in the order of X's columns; None for none.

    Raises
    ------
    OptionError
        For an unknown name or the wrong number of weights.
    """
    return _rows("c", given, design.coefs)


def weights_of_ranef(design: Design, given: Weights) -> Array:
    """(m, q) of random effects by label, "ranef[Subject=308: Days]", or in the order of Z's columns.

    Raises
    ------
    OptionError
        For an unknown label or the wrong number of weights.
    """
    return _rows("d", given, ranef_labels(design))


def combined(design: Design, c: Weights, d: Weights) -> tuple[Array, Array]:
    """C (m, p) and D (m, q) of as many combinations each; one row serves for all of the other's."""
    C, D = weights_of_beta(design, c), weights_of_ranef(design, d)
    m = max(len(C), len(D))
    if {len(C), len(D)} - {1, m}:
        raise OptionError(f"c has {len(C)} rows and d has {len(D)}; they need as many, or one of them one")
    return np.broadcast_to(C, (m, C.shape[1])), np.broadcast_to(D, (m, D.shape[1]))


def _rows(what: str, given: Any, names: Sequence[str]) -> Array:
    if given is None:
        return np.zeros((1, len(names)))
    if isinstance(given, Mapping | pd.Series):
        return _by_name(what, dict(given), names)
    rows = np.atleast_2d(floats(what, given))
    if rows.ndim != 2 or rows.shape[1] != len(names) or not np.isfinite(rows).all():
        raise OptionError(f"{what} has shape {np.shape(given)}; it needs {len(names)} finite weights a row")
    return rows


def _by_name(what: str, given: Mapping[Any, Any], names: Sequence[str]) -> Array:
    place = {name: number for number, name in enumerate(names)}
    row = np.zeros((1, len(names)))
    for name, weight in given.items():
        if name not in place:
            hint = did_you_mean(str(name), names) or f"; there are {', '.join(names[:6])}, ..."
            raise OptionError(f"{what} names {name!r}, which isn't in the model{hint}")
        (row[0, place[name]],) = numbers_for(what, weight, (str(name),))
    return row
