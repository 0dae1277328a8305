"""Which columns of X are kept when some depend on the ones before them."""

import numpy as np
from numpy.typing import NDArray

type Array = NDArray[np.float64]

TOLERANCE = 1e-7  # of a column's own length: R's


def independent_columns(X: Array, tolerance: float = TOLERANCE) -> NDArray[np.intp]:
    """Positions of the columns that aren't combinations of earlier ones.

    A column is dropped when what is left of it, after projection on the columns kept so far, is shorter than
    `tolerance` times the column itself; so later columns go first, and neither units nor order of magnitude
    matter. This is the rule of R's `qr` and so lme4's.

    Parameters
    ----------
    X : (n, p)
    """
    lengths = np.linalg.norm(X, axis=0)
    unit = X / np.where(lengths > 0, lengths, 1.0)
    n, p = X.shape
    if n >= p and np.all(np.abs(np.diag(np.linalg.qr(unit, mode="r"))) > tolerance):
        return np.arange(p)
    return _one_by_one(unit, tolerance)


def _one_by_one(unit: Array, tolerance: float) -> NDArray[np.intp]:
    """The same by Gram-Schmidt, each column projected twice against loss of orthogonality."""
    basis = np.empty((len(unit), 0))
    kept = []
    for place, column in enumerate(unit.T):
        rest = column - basis @ (basis.T @ column)
        rest -= basis @ (basis.T @ rest)
        length = np.linalg.norm(rest)
        if length > tolerance:
            kept.append(place)
            basis = np.column_stack([basis, rest / length])
    return np.array(kept, dtype=np.intp)
