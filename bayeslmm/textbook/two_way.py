"""Treatments (fixed) in blocks (random), every treatment n times in every block: the two-way mixed model.

    y_ijl = μ + α_i + b_j + (αb)_ij + e_ijl,   b_j ~ N(0, σ²_B), (αb)_ij ~ N(0, σ²_AB), e ~ N(0, σ²_E).

Without (αb)_ij it is the randomized complete block design, where n may be 1. The interactions are
independent, not made to sum to zero over treatments, as mixed-model programs have it: hence B's mean square
is tested against that of AB.

Source: Searle, Casella & McCulloch (1992), chapter 4.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from bayeslmm.errors import DataError
from bayeslmm.textbook.inputs import Array, coded, numbers
from bayeslmm.textbook.strata import Stratum, anova_variances, ml_variances, reml_variances

ROUNDING = 1e-13  # of the cell means' spread: what an error in them may be


@dataclass(frozen=True)
class BlockComponents:
    """Variances of a two-way mixed model; 0 for an interaction that isn't in it.

    Attributes
    ----------
    var_B, var_AB, var_E : of blocks, interactions, errors. An ANOVA estimate may be negative.
    """

    var_B: float
    var_AB: float
    var_E: float


@dataclass(frozen=True, eq=False)
class TwoWay:
    """A balanced layout of a treatments in b blocks, n observations a cell.

    Attributes
    ----------
    origin : the first observation. shifts : (a, b) cell means from there. within : sum of squares about them.
    n : observations a cell. interaction : whether the model has (αb)_ij. treatments, blocks : labels.
    """

    origin: float
    shifts: Array
    within: float
    n: int
    interaction: bool
    treatments: tuple[object, ...]
    blocks: tuple[object, ...]

    @property
    def a(self) -> int:
        """Number of treatments."""
        return len(self.treatments)

    @property
    def b(self) -> int:
        """Number of blocks."""
        return len(self.blocks)

    @cached_property
    def treatment_means(self) -> Array:
        """(a,) ȳ_i, the BLUEs of μ + α_i."""
        return self.origin + self.shifts.mean(axis=1)

    @cached_property
    def block_deviations(self) -> Array:
        """(b,) ȳ_j − ȳ."""
        return np.asarray(self.shifts.mean(axis=0) - self.shifts.mean())

    @cached_property
    def interaction_deviations(self) -> Array:
        """(a, b) ȳ_ij − ȳ_i − ȳ_j + ȳ."""
        return self.shifts - self.shifts.mean(axis=1, keepdims=True) - self.block_deviations

    @property
    def SSA(self) -> float:
        """nb Σ(ȳ_i − ȳ)²."""
        return float(self.n * self.b * np.sum((self.shifts.mean(axis=1) - self.shifts.mean()) ** 2))

    @property
    def SSB(self) -> float:
        """na Σ(ȳ_j − ȳ)²."""
        return float(self.n * self.a * np.sum(self.block_deviations**2))

    @property
    def SSAB(self) -> float:
        """n ΣΣ(ȳ_ij − ȳ_i − ȳ_j + ȳ)²."""
        return float(self.n * np.sum(self.interaction_deviations**2))

    @cached_property
    def strata(self) -> tuple[Stratum, ...]:
        """Error, interaction (if the model has it), blocks; treatments are compared in the last but one."""
        a, b, n = self.a, self.b, self.n
        blocks = Stratum("B", self.SSB, b - 1, b, n * a)
        if not self.interaction:
            return Stratum("E", self.SSAB + self.within, n * a * b - a - b + 1, n * a * b - b, 1), blocks
        interactions = Stratum("AB", self.SSAB, (a - 1) * (b - 1), (a - 1) * b, n)
        return Stratum("E", self.within, a * b * (n - 1), a * b * (n - 1), 1), interactions, blocks

    @property
    def F(self) -> dict[str, float]:
        """F by source: each mean square over that of the stratum below, A over the last but one."""
        below = self.strata[-2]
        tests = {"A": self.SSA / (self.a - 1) / below.MS}
        return tests | {upper.name: upper.MS / lower.MS for lower, upper in pairwise(self.strata)}

    @property
    def p(self) -> dict[str, float]:
        """P(F(df, df of the denominator) ≥ F) by source."""
        from scipy.stats import f

        df = {stratum.name: stratum.df for stratum in self.strata} | {"A": self.a - 1}
        below = {upper.name: lower.df for lower, upper in pairwise(self.strata)} | {"A": self.strata[-2].df}
        return {name: float(f.sf(value, df[name], below[name])) for name, value in self.F.items()}

    @property
    def table(self) -> pd.DataFrame:
        """The analysis of variance: SS, df, MS, F, p by source, A first."""
        rows = {"A": (self.SSA, self.a - 1), **{s.name: (s.SS, s.df) for s in self.strata[::-1]}}
        frame = pd.DataFrame.from_dict(rows, orient="index", columns=["SS", "df"])
        return frame.assign(MS=frame["SS"] / frame["df"], F=pd.Series(self.F), p=pd.Series(self.p))

    def anova(self) -> BlockComponents:
        """ANOVA estimates, mean squares equated to expectations; unbiased, possibly negative."""
        return _components(anova_variances(self.strata))

    def reml(self) -> BlockComponents:
        """REML estimates: ANOVA's, neighbouring mean squares that are out of order pooled."""
        return _components(reml_variances(self.strata))

    def ml(self) -> BlockComponents:
        """ML estimates: sums of squares over multiplicities, pooled likewise."""
        return _components(ml_variances(self.strata))

    def expected_mean_squares(
        self, components: BlockComponents, treatment_effects: ArrayLike | None = None
    ) -> dict[str, float]:
        """Expectations by source.

        A: δ + nb Σα²/(a − 1), B: δ + naσ²_B, AB: δ = σ²_E + nσ²_AB, E: σ²_E; without interaction δ = σ²_E.

        Parameters
        ----------
        treatment_effects : (a,) α_i; their mean doesn't count. None for equal ones.
        """
        a, b, n = self.a, self.b, self.n
        alpha = (
            np.zeros(a) if treatment_effects is None else numbers("treatment_effects", treatment_effects, a)
        )
        delta = components.var_E + (n * components.var_AB if self.interaction else 0.0)
        found = {"A": delta + n * b * float(np.var(alpha, ddof=1)), "B": delta + n * a * components.var_B}
        return found | ({"AB": delta} if self.interaction else {}) | {"E": components.var_E}

    def realized_cells(self, components: BlockComponents) -> Array:
        """(a, b) BLUPs of the realized treatment means μ + α_i + b_j + (αb)_ij.

        With δ_AB = σ²_E + nσ²_AB and δ_B = δ_AB + naσ²_B, deviations between blocks shrink by
        n(aσ²_B + σ²_AB)/δ_B, those of interaction by nσ²_AB/δ_AB.
        """
        a, n = self.a, self.n
        delta_AB = components.var_E + n * components.var_AB
        spread = n * (a * components.var_B + components.var_AB)
        between = spread / (components.var_E + spread) * self.block_deviations
        inside = n * components.var_AB / delta_AB * self.interaction_deviations
        return np.asarray(self.treatment_means[:, None] + between + inside)


def two_way(y: ArrayLike, treatment: ArrayLike, block: ArrayLike) -> TwoWay:
    """The two-way mixed model with interaction.

    Parameters
    ----------
    y, treatment, block : (N,) array_like
        Every treatment equally often, twice at least, in every block.

    Raises
    ------
    DataError
        For missing values, unequal cells, one observation a cell, no error, or fewer than two treatments or
        blocks.

    Examples
    --------
    >>> import bayeslmm as bl
    >>> data = bl.load_dataset("Machines")
    >>> layout = two_way(data["score"], data["Machine"], data["Worker"])
    >>> layout.table.drop(columns="p").round(1)
            SS  df     MS     F
    A   1755.3   2  877.6  20.6
    B   1241.9   5  248.4   5.8
    AB   426.5  10   42.7  46.1
    E     33.3  36    0.9   NaN
    """
    layout = _layout(y, treatment, block, interaction=True)
    if layout.n == 1:
        raise DataError(
            "each cell has one observation, so interaction and error can't be told apart; "
            "randomized_blocks leaves interaction out"
        )
    return _with_error(layout)


def randomized_blocks(y: ArrayLike, treatment: ArrayLike, block: ArrayLike) -> TwoWay:
    """The randomized complete block design: no interaction, n = 1 or more.

    Parameters
    ----------
    y, treatment, block : (N,) array_like
        Every treatment equally often in every block.

    Raises
    ------
    DataError
        For missing values, unequal cells, no error, or fewer than two treatments or blocks.

    Examples
    --------
    >>> import bayeslmm as bl
    >>> data = bl.load_dataset("ergoStool")
    >>> layout = randomized_blocks(data["effort"], data["Type"], data["Subject"])
    >>> round(layout.F["A"], 3), layout.reml().var_AB
    (22.356, 0.0)
    """
    return _with_error(_layout(y, treatment, block, interaction=False))


def _layout(y: ArrayLike, treatment: ArrayLike, block: ArrayLike, interaction: bool) -> TwoWay:
    response = numbers("y", y)
    treatments, rows = coded("treatment", treatment, len(response))
    blocks, columns = coded("block", block, len(response))
    shape = len(treatments), len(blocks)
    if min(shape) < 2:
        raise DataError(
            f"there are {shape[0]} treatments and {shape[1]} blocks; a comparison needs two of each"
        )
    places = np.ravel_multi_index((rows, columns), shape)
    counts = np.bincount(places, minlength=shape[0] * shape[1])
    if len(set(counts)) > 1:
        raise DataError(
            f"cells have {counts.min()} to {counts.max()} observations; the closed form needs equally many. "
            "Unequal ones are fitted by bl.LinearMixedModel"
        )
    from_origin = response - response[0]
    shifts = np.bincount(places, from_origin) / counts[0]
    within = float(np.sum((from_origin - shifts[places]) ** 2))
    return TwoWay(
        float(response[0]), shifts.reshape(shape), within, int(counts[0]), interaction, treatments, blocks
    )


def _with_error(layout: TwoWay) -> TwoWay:
    error, spread = layout.strata[0], float(np.abs(layout.shifts).max())
    if error.df * (ROUNDING * spread) ** 2 >= error.SS:
        raise DataError(
            "treatments and blocks explain y without error, so no error variance can be estimated"
        )
    return layout


def _components(found: dict[str, float]) -> BlockComponents:
    return BlockComponents(found["B"], found.get("AB", 0.0), found["E"])
