"""Is one model inside another? Asked of fixed effects by their column space, of covariances by their span.

Residuals are asked in `residual_nesting`.
"""

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayeslmm.errors import OptionError
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.likelihood.inference.information import elements
from bayeslmm.likelihood.inference.residual_nesting import residual_spans
from bayeslmm.spec.design import Design
from bayeslmm.spec.residual import Residual

if TYPE_CHECKING:
    from scipy.sparse import csr_array


type Array = NDArray[np.float64]

TOLERANCE = 1e-7
WEIGHTS = "weights"


def check_comparable(fits: list[Fitted]) -> None:
    """One clear error for fits whose likelihoods aren't of the same data.

    Raises
    ------
    OptionError
        For different rows, responses, weights or offsets.
    """
    for one, other in pairwise(fits):
        a, b = one.design, other.design
        if not np.array_equal(a.rows, b.rows):
            raise OptionError(
                f"{_name(one)} uses {a.n} rows and {_name(other)} {b.n}, not the same ones: missing values "
                "differ between their variables; drop those rows first and fit both to what is left"
            )
        theirs = _data(b)
        for word, values in _data(a).items():
            if word in theirs and not np.allclose(values, theirs[word], rtol=1e-12, atol=0):
                raise OptionError(
                    f"{_name(one)} and {_name(other)} have different {word}; only likelihoods of the same "
                    "data can be compared"
                )


def _data(design: Design) -> dict[str, Array]:
    """What a likelihood is of, by the word for it; what structures of R are given is part of the model."""
    weights = {word: values for word, values in design.residual.shown.items() if word == WEIGHTS}
    return {"responses": design.y, **weights, "offsets": design.offset}


def _name(fit: Fitted) -> str:
    return repr(fit.formula) if fit.formula else "a fit"


def _with_residual_of(fit: Fitted) -> str:
    return f"{_name(fit)} with {fit.design.residual.description}"


def same_fixed(small: Design, big: Design) -> bool:
    """Have the two the same column space?"""
    return small.p == big.p and spans(big.X, small.X)


def spans(big: Array, small: Array) -> bool:
    """Are the columns of `small` combinations of those of `big`?"""
    basis, _ = np.linalg.qr(big) if big.shape[1] else (np.zeros((len(small), 0)), None)
    rest = small - basis @ (basis.T @ small)
    size = np.linalg.norm(small, axis=0)
    return bool(np.all(np.linalg.norm(rest, axis=0) <= TOLERANCE * size))


def check_nested(small: Fitted, big: Fitted) -> None:
    """An error unless the small model is the big one with some parameters fixed.

    Raises
    ------
    OptionError
        Saying which part isn't nested.
    """
    if small.n_params > big.n_params:
        raise OptionError(
            f"{_name(small)}, given as the small model, has {small.n_params} parameters and {_name(big)} has "
            f"{big.n_params}: give the smaller one first"
        )
    if small.n_params == big.n_params:
        raise OptionError(
            f"{_name(small)} and {_name(big)} both have {big.n_params} parameters: neither is inside the "
            "other; compare their AIC or BIC"
        )
    if not spans(big.design.X, small.design.X):
        raise OptionError(_not_nested(small, big, "fixed effects"))
    if not covariance_spans(big.design, small.design):
        raise OptionError(_not_nested(small, big, "random effects"))
    if not residual_spans(big.design, small.design):
        raise OptionError(_not_nested(small, big, "residuals"))


def _not_nested(small: Fitted, big: Fitted, what: str) -> str:
    own, other = map(_with_residual_of, (small, big)) if what == "residuals" else map(_name, (small, big))
    return (
        f"the {what} of {own} aren't inside those of {other}: a likelihood ratio has no "
        "reference distribution then; compare their AIC or BIC"
    )


def covariance_spans(big: Design, small: Design) -> bool:
    """Is every ZEZᵀ of the small model a combination of the big one's and R?

    Their inner products tr(ZEZᵀ Z'E'Z'ᵀ) come from ZᵀZ', no n × n matrix. For covariances that aren't linear
    in their parameters this is necessary, not sufficient. Rows are whitened, so that R is I.
    """
    own, others = (_elements(design, big.residual) for design in (small, big))
    gram = np.array([[_inner(a, b) for b in others] for a in others]).reshape(len(others), len(others))
    inverse = np.linalg.pinv(_with_residual(gram, others, big.n), rcond=1e-12, hermitian=True)
    for one in own:
        c = np.array([*(_inner(one, b) for b in others), _diagonal(one).sum()])
        if c @ inverse @ c < (1 - TOLERANCE) * _inner(one, one):
            return False
    return True


def _elements(design: Design, residual: Residual) -> list[tuple["csr_array", "csr_array"]]:
    """Whitened Z of a block and ZE (E over all its levels), for each free variance or covariance."""
    from scipy.sparse import csr_array, eye_array, kron

    found = []
    for slot in design.covariance.slots:
        block = design.blocks[slot.block]
        Z = residual.whiten(block.independent_matrix())
        for E in elements(slot.structure):
            placed = np.zeros((block.k, block.k))
            placed[slot.coefs, slot.coefs] = E
            found.append((Z, csr_array(Z @ kron(eye_array(block.n_levels), placed))))
    return found


def _inner(one: "tuple[csr_array, csr_array]", other: "tuple[csr_array, csr_array]") -> float:
    """tr(ZEZᵀ Z'E'Z'ᵀ) = Σ (ZE)ᵀZ' ∘ Zᵀ(Z'E')."""
    (Z, ZE), (Y, YE) = one, other
    return float((ZE.T @ Y).multiply(Z.T @ YE).sum())


def _diagonal(one: "tuple[csr_array, csr_array]") -> Array:
    """Diagonal (n,) of ZEZᵀ."""
    return np.asarray(one[0].multiply(one[1]).sum(axis=1)).ravel()


def _with_residual(gram: Array, others: "list[tuple[csr_array, csr_array]]", n: int) -> Array:
    """Border a Gram matrix by the inner products of I (n, n)."""
    border = np.array([_diagonal(each).sum() for each in others]).reshape(-1, 1)
    bordered: Array = np.block([[gram, border], [border.T, np.array([[n]])]])
    return bordered
