"""Which columns of X are kept when some depend on earlier ones, and what X leaves of a factor's levels."""

import numpy as np
from numpy.typing import NDArray

type Array = NDArray[np.float64]
type Codes = NDArray[np.int64]

TOLERANCE = 1e-7  # of a column's own length: R's
PLAIN = 1e-5  # of it, what a factor of the Gram tells for certain


def independent_columns(X: Array) -> NDArray[np.intp]:
    """Positions of the columns that aren't combinations of earlier ones.

    A column is dropped when what is left of it, after projection on the columns kept so far, is shorter than
    `TOLERANCE` times the column itself; so later columns go first, and neither units nor order of magnitude
    matter. This is the rule of R's `qr` and so lme4's.

    Parameters
    ----------
    X : (n, p)
    """
    gram = X.T @ X
    lengths = np.sqrt(gram.diagonal())
    if _plainly_independent(gram, lengths):
        return np.arange(len(gram))
    return _one_by_one(X / np.where(lengths > 0, lengths, 1.0))


def levels_beyond(X: Array, codes: Codes, column: Array, tolerance: float = TOLERANCE) -> int:
    """Rank of a factor's levels times a column, once the fixed part X is projected out of them.

    A level's own columns don't overlap, so the rank is that of I − CᵀC with C (p, J) their products with an
    orthonormal basis of X: levels with a value that isn't 0, less the singular values 1 of C.

    Parameters
    ----------
    X : (n, p). codes : (n,) level of each row. column : (n,)
    """
    lengths = np.sqrt(np.bincount(codes, column**2))
    seen = np.flatnonzero(lengths)
    unit = column / np.where(lengths > 0, lengths, 1.0)[codes]
    basis = np.linalg.qr(X)[0]
    C = np.array([np.bincount(codes, unit * q, len(lengths))[seen] for q in basis.T]).reshape(-1, len(seen))
    return len(seen) - int(np.sum(np.linalg.svd(C, compute_uv=False) > 1 - tolerance))


def _plainly_independent(gram: Array, lengths: Array) -> bool:
    """Whether what earlier columns leave of each, the diagonal of the Gram's factor, is far from nothing."""
    try:
        return bool((np.linalg.cholesky(gram).diagonal() > PLAIN * lengths).all())
    except np.linalg.LinAlgError:
        return False


def _one_by_one(unit: Array) -> NDArray[np.intp]:
    """The same by Gram-Schmidt, each column projected twice against loss of orthogonality."""
    basis = np.empty((len(unit), 0))
    kept = []
    for place, column in enumerate(unit.T):
        rest = column - basis @ (basis.T @ column)
        rest -= basis @ (basis.T @ rest)
        length = np.linalg.norm(rest)
        if length > TOLERANCE:
            kept.append(place)
            basis = np.column_stack([basis, rest / length])
    return np.array(kept, dtype=np.intp)
