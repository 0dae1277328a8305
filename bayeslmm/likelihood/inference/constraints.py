"""Hypotheses about coefficients, "a - b = 0, c = 2" or a matrix, as Lβ = d; refused where not estimable."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from bayeslmm.errors import OptionError, did_you_mean
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.spec.equations import describe, parse
from bayeslmm.spec.estimable import Dropped
from bayeslmm.spec.given import floats
from bayeslmm.spec.labels import beta_label

type Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Hypothesis:
    """Lβ = d.

    Attributes
    ----------
    labels : (m,) how each row reads. L : (m, p) over the coefficients in the model. d : (m,).
    """

    labels: tuple[str, ...]
    L: Array
    d: Array


def hypothesis(fit: Fitted, given: str | ArrayLike | pd.DataFrame, value: ArrayLike = 0.0) -> Hypothesis:
    """Read a hypothesis about a fit's coefficients.

    Parameters
    ----------
    given : equations in the coefficients' names, or a matrix with one column a coefficient; columns that were
        dropped from the model may be named, or be columns too. A DataFrame's columns are found by name.
    value : (m,) or a number, what Lβ is compared with; not for equations, which say it themselves.

    Raises
    ------
    OptionError
        When it can't be read, has the wrong length, or isn't estimable.
    """
    names = _all_names(fit)
    if not names:
        raise OptionError("this model has no fixed effects, so there is nothing to test")
    if isinstance(given, str):
        labels, L, d = parse(given, names, {beta_label(name): name for name in names})
    else:
        L = _matrix(given, fit.design.coefs, names)
        d = np.broadcast_to(floats("value", value), len(L)).copy()
        labels = tuple(describe(row, names, float(v)) for row, v in zip(L, d, strict=True))
    L = _estimable(fit, L, labels)
    _check_consistent(L, d, labels)
    return Hypothesis(labels, L, d)


def _all_names(fit: Fitted) -> tuple[str, ...]:
    """Coefficients in the model, then the columns dropped."""
    return (*fit.design.coefs, *fit.design.dropped)


def _matrix(given: Any, coefs: Sequence[str], names: Sequence[str]) -> Array:
    """(m, all names)."""
    if isinstance(given, pd.DataFrame):
        for name in given.columns:
            _check_name(str(name), names)
        return floats("the contrast", given.reindex(columns=list(names), fill_value=0.0))
    L = np.atleast_2d(floats("the contrast", given))
    if L.ndim != 2 or L.shape[1] not in (len(coefs), len(names)):
        raise OptionError(
            f"the contrast has {L.shape[-1]} numbers a row; the model has {len(coefs)} coefficients: "
            f"{', '.join(coefs)}"
        )
    if not np.isfinite(L).all() or not np.any(L, axis=1).all():
        raise OptionError("a contrast's row is all zeros or not finite: it says nothing of the coefficients")
    return np.pad(L, ((0, 0), (0, len(names) - L.shape[1])))


def _check_name(name: str, names: Sequence[str]) -> None:
    if name not in names:
        hint = did_you_mean(name, names)
        raise OptionError(f"coefficient {name!r} isn't in the model{hint or ';'} it has {', '.join(names)}")


def _estimable(fit: Fitted, L: Array, labels: Sequence[str]) -> Array:
    """L over the kept coefficients, if no row that names a dropped column depends on which was dropped.

    Dropped columns are X B; l'β of all columns is estimable when l_dropped = l_kept B.
    """
    p = fit.design.p
    asked = np.flatnonzero(np.any(L[:, p:], axis=1))
    if len(asked):
        reasons = Dropped.of(fit.design, fit.recipe).why_not(L[asked])
        for row, reason in zip(asked, reasons, strict=True):
            if reason:
                raise OptionError(f"{labels[int(row)]!r} isn't estimable: {reason}")
    return L[:, :p]


def _check_consistent(L: Array, d: Array, labels: Sequence[str]) -> None:
    solution = np.linalg.lstsq(L, d, rcond=None)[0]
    if not np.allclose(L @ solution, d, rtol=1e-8, atol=1e-8 * float(np.abs(d).max(initial=0.0))):
        raise OptionError(f"these equations contradict each other: {', '.join(labels)}")
