"""The exact null distribution of the restricted likelihood ratio for one variance.

After Crainiceanu & Ruppert (2004). For y = Xβ + Zb + e, b ~ N(0, λσ²I), let μ_s be the eigenvalues of
Zᵀ(I − P_X)Z. Under λ = 0 the statistic is distributed as

    sup_λ≥0  (n − p) log(1 + N(λ)/D(λ)) − Σ_s log(1 + λμ_s),
    N = Σ λμ_s/(1 + λμ_s) w_s²,   D = Σ w_s²/(1 + λμ_s) + χ²_{n−p−K},

w_s standard normal. Other random effects in both models are left out of it (Greven et al. 2008), as RLRsim
does.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayeslmm.arguments import in_our_words
from bayeslmm.errors import OptionError, check_whole
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.likelihood.inference.boundary import boundary_p, chi_squared_p
from bayeslmm.likelihood.inference.comparison import as_fit, as_fitted_by, likelihood_ratio
from bayeslmm.likelihood.inference.nesting import check_comparable, same_fixed
from bayeslmm.likelihood.inference.pieces import Piece, pieces_of, with_pieces
from bayeslmm.likelihood.inference.table import InferenceTable, headed
from bayeslmm.printed import Page, Printed
from bayeslmm.runs.plan import fresh_seed
from bayeslmm.spec.design import Design

type Array = NDArray[np.float64]

GRID = np.append(0.0, np.exp(np.linspace(-12, 12, 240)))  # λ times the mean eigenvalue
CHUNK = 10_000


@dataclass(frozen=True, eq=False)
class RestrictedRatioTest(Printed):
    """The restricted likelihood-ratio test that one variance is 0.

    Attributes
    ----------
    statistic : of the data. sample : (n,) draws of it under the null hypothesis. seed : they were made from.
    tested : the variance. approximate : are there other random effects, which the distribution leaves out?
    """

    statistic: float
    sample: Array
    seed: int
    tested: str
    approximate: bool

    @property
    def p(self) -> float:
        """(1 + draws as large)/(1 + n); 1 for a statistic of 0, which every draw reaches."""
        if self.statistic <= 0:
            return 1.0
        return float((1 + np.sum(self.sample >= self.statistic)) / (1 + len(self.sample)))

    @property
    def mc_error(self) -> float:
        """Monte Carlo standard error of p."""
        return float(np.sqrt(self.p * (1 - self.p) / len(self.sample)))

    @property
    def table(self) -> InferenceTable:
        """The p-values side by side; that of a bootstrap is for who makes one."""
        row = {
            "statistic": self.statistic,
            "p_chisq": chi_squared_p(self.statistic, 1),
            "p_boundary": boundary_p(self.statistic, 1, 1),
            "p_exact": self.p,
            "mc_error": self.mc_error,
            "p_bootstrap": np.nan,
        }
        return headed(pd.DataFrame([row], index=pd.Index([self.tested], name="variance")), self._sentence)

    @property
    def _sentence(self) -> str:
        other = "; the other random effects are left out of its null distribution" if self.approximate else ""
        return (
            f"Restricted likelihood-ratio test of {self.tested}: {self.statistic:.5g}, "
            f"exact p = {self.p:.4g} (Monte Carlo error {self.mc_error:.1g}, {len(self.sample)} draws, "
            f"seed {self.seed}){other}"
        )

    def __repr__(self) -> str:
        return f"{self._sentence}\n{self.table.to_string(float_format='{:.4g}'.format)}"

    @property
    def page(self) -> Page:
        """What is printed."""
        return self.table.page

    def _repr_html_(self) -> str:
        return self.table._repr_html_()


@in_our_words
def exact_rlrt(small: Any, big: Any, n: int = 100_000, seed: int | None = None) -> RestrictedRatioTest:
    """Test the one variance that the big model has more, by its exact null distribution.

    Parameters
    ----------
    small, big : LikelihoodFit or LinearMixedModel
        With the same fixed part; ML fits are refitted by REML.
    n : int
        Draws.
    seed : int, optional
        The same seed gives the same draws; None draws one, which the result records.

    Raises
    ------
    OptionError
        When the models differ by anything else than one independent variance, or R has parameters.
    """
    small, big = as_fit(small), as_fit(big)
    check_comparable([small, big])
    if not same_fixed(small.design, big.design):
        raise OptionError(
            "the models have different fixed parts; the restricted likelihood ratio compares random parts: "
            "use bl.anova, which refits by ML"
        )
    check_whole("n", n, 1)
    for design in (small.design, big.design):
        design.residual.check_known(
            "the exact null distribution",
            "take bl.bootstrap_lrt",
            "it is free of parameters only where one variance is all that is estimated beside sigma",
        )
    tested = tested_piece(small.design, big.design)
    chosen = fresh_seed() if seed is None else seed
    statistic = likelihood_ratio(as_fitted_by(small, "REML"), as_fitted_by(big, "REML"))
    sample = null_sample(big.design, tested, n, np.random.default_rng(chosen))
    label = f"({tested.coefs[0]} | {big.design.blocks[tested.block].group})"
    return RestrictedRatioTest(statistic, sample, chosen, label, bool(small.design.blocks))


def exact_p(small: Fitted, big: Fitted, n: int, seed: int | None) -> float:
    """The exact p-value, or NaN for ML fits and where the models differ by more than one variance."""
    known = not (small.design.residual.n_phi or big.design.residual.n_phi)
    if not (big.reml and known) or _difference(small.design, big.design) is None:
        return np.nan
    return exact_rlrt(small, big, n, seed).p


def tested_piece(small: Design, big: Design) -> Piece:
    """The one independent variance of the big model that the small one hasn't.

    Raises
    ------
    OptionError
        When there is no such thing.
    """
    piece = _difference(small, big)
    if piece is None:
        raise OptionError(
            "the exact distribution is of one variance: the big model must be the small one and a single "
            "term like (1 | g) or (0 + x | g), independent of the others; use bl.anova or a bootstrap"
        )
    return piece


def _difference(small: Design, big: Design) -> Piece | None:
    ours, theirs = ({_key(design, piece): piece for piece in pieces_of(design)} for design in (small, big))
    new = [piece for key, piece in theirs.items() if key not in ours]
    alone = len(new) == 1 and len(new[0].coefs) == 1 and set(ours) <= set(theirs)
    return new[0] if alone else None


def _key(design: Design, piece: Piece) -> tuple[object, ...]:
    keyword = piece.structure.keyword if len(piece.coefs) > 1 else ""
    return design.blocks[piece.block].group, piece.coefs, keyword


def null_sample(design: Design, tested: Piece, n: int, generator: np.random.Generator) -> Array:
    """Draws (n,) of the statistic when the tested variance is 0."""
    values, counts = _distinct(_eigenvalues(design, tested))
    rest = design.n - design.p - int(counts.sum())
    grid = GRID / values.mean()
    return np.concatenate(
        [_draws(values, counts, rest, grid, min(CHUNK, n - first), generator) for first in range(0, n, CHUNK)]
    )


def _eigenvalues(design: Design, tested: Piece) -> Array:
    """Positive eigenvalues of Zᵀ(I − P_X)Z, rows whitened."""
    (block,) = with_pieces(design, [tested]).blocks
    Z = design.residual.whiten(block.independent_matrix())
    cross = Z.T @ design.orthonormal_columns
    gram = (Z.T @ Z).toarray() - cross @ cross.T
    values: Array = np.linalg.eigvalsh(gram)
    positive: Array = values[values > 1e-10 * values[-1]]
    return positive


def _distinct(values: Array) -> tuple[Array, NDArray[np.int64]]:
    """Values that differ by more than rounding, and how often each comes."""
    starts = np.flatnonzero(np.append(True, np.diff(values) > 1e-9 * values[-1]))
    counts = np.diff(np.append(starts, len(values)))
    return np.add.reduceat(values, starts) / counts, counts


def _draws(
    values: Array, counts: NDArray[np.int64], rest: int, grid: Array, m: int, generator: np.random.Generator
) -> Array:
    """The supremum over λ for m draws: the best of the grid, bettered by the parabola about it."""
    w2 = generator.chisquare(counts, size=(m, len(counts)))
    w0 = generator.chisquare(rest, size=m) if rest else np.zeros(m)
    shrunk = 1 / (1 + np.outer(values, grid))
    D = w2 @ shrunk + w0[:, None]
    df = rest + int(counts.sum())
    f: Array = df * np.log((w2.sum(axis=1) + w0)[:, None] / D) + counts @ np.log(shrunk)
    best = np.argmax(f, axis=1)
    return np.maximum(f[np.arange(m), best], _vertex(f, best))


def _vertex(f: Array, best: NDArray[np.intp]) -> Array:
    """Height of the parabola through the best grid value and its neighbours; 0 at the grid's ends."""
    inner = (best > 1) & (best < f.shape[1] - 1)
    middle = np.clip(best, 1, f.shape[1] - 2)
    rows = np.arange(len(f))
    a, b, c = (f[rows, middle + shift] for shift in (-1, 0, 1))
    bend = np.where(inner, a - 2 * b + c, -1.0)
    height = b - (c - a) ** 2 / (8 * np.minimum(bend, -1e-300))
    return np.where(inner & (bend < 0), height, 0.0)
