"""The random effects of a fit: BLUPs, their variance given β, and their prediction error."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayeslmm.estimands.headed import HeadedTable
from bayeslmm.kernel.effects.conditional import Conditional
from bayeslmm.spec.design import Design

type Array = NDArray[np.float64]


def split(design: Design, b: Array) -> tuple[Array, ...]:
    """(q,) effects as one (J, k) array a block."""
    ends = np.cumsum([block.q for block in design.blocks])[:-1]
    parts = np.split(b, ends) if design.blocks else []
    return tuple(
        part.reshape(block.n_levels, block.k) for part, block in zip(parts, design.blocks, strict=True)
    )


def conditional_covariances(conditional: Conditional, sigma: float) -> tuple[Array, ...]:
    """Var(b_j | y, β, θ, σ) = σ²ΛM⁻¹_jjΛᵀ, (J, k, k) a block."""
    return tuple(sigma**2 * block for block in conditional.covariance_blocks())


def prediction_covariances(design: Design, conditional: Conditional, sigma: float) -> tuple[Array, ...]:
    """Var(b̂_j − b_j), the estimation of β included (Henderson 1975), (J, k, k) a block.

    With b̂ = b_r − b_Q δ̂ and Var(δ̂) = σ²A_XX⁻¹ it is Var(b_j | y, β) + b_Q Var(δ̂) b_Qᵀ.
    """
    root = sensitivity_root(conditional)
    out, first = [], 0
    for block, given_beta in zip(design.blocks, conditional_covariances(conditional, sigma), strict=True):
        part = sigma * root[first : first + block.q].reshape(block.n_levels, block.k, root.shape[1])
        out.append(given_beta + part @ part.transpose(0, 2, 1))
        first += block.q
    return tuple(out)


def sensitivity_root(conditional: Conditional) -> Array:
    """b_Q K⁻ᵀ (q, p) with A_XX = KKᵀ: times σ, a root of what the estimation of β adds to the variance."""
    K = np.linalg.cholesky(conditional.A[:-1, :-1])
    return np.linalg.solve(K, conditional.b_Q.T).T


def standard_deviations(covariances: tuple[Array, ...]) -> Array:
    """(q,) from the diagonals of (J, k, k) blocks."""
    parts = [np.sqrt(np.einsum("jkk->jk", block)).ravel() for block in covariances]
    return np.concatenate([np.zeros(0), *parts])


def by_group(design: Design, b: Array) -> dict[str, pd.DataFrame]:
    """BLUPs by grouping factor, levels × coefs."""
    return {
        block.group: pd.DataFrame(
            values, index=pd.Index(block.levels, name=block.group), columns=list(block.coefs)
        )
        for block, values in zip(design.blocks, split(design, b), strict=True)
    }


def tidy(design: Design, b: Array, sd_conditional: Array, sd_prediction: Array) -> HeadedTable:
    """One row a random effect, in the order of Z's columns.

    Returns
    -------
    HeadedTable with columns group, level, coef, value, sd_conditional (given β), sd_prediction (of b̂ − b)
    """
    parts = [
        pd.DataFrame(
            {
                "group": block.group,
                "level": np.repeat(np.asarray(block.levels, dtype=object), block.k),
                "coef": np.tile(np.asarray(block.coefs, dtype=object), block.n_levels),
            }
        )
        for block in design.blocks
    ]
    names = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["group", "level", "coef"])
    frame = names.assign(value=b, sd_conditional=sd_conditional, sd_prediction=sd_prediction)
    return HeadedTable.of(frame, "Random effects: best linear unbiased predictions")
