"""The parametric bootstrap of a likelihood-ratio test, step by step.

Source: Davison & Hinkley (1997), Bootstrap Methods and their Application, sections 4.2 and 4.4.
"""

from dataclasses import dataclass, replace

import numpy as np

from bayeslmm.errors import check_whole
from bayeslmm.runs.plan import fresh_seed
from bayeslmm.textbook.inputs import Array
from bayeslmm.textbook.one_way import OneWay
from bayeslmm.textbook.ratio_tests import variance_ratio_test


@dataclass(frozen=True, eq=False)
class BootstrapSteps:
    """What each step of a bootstrap test of σ²_A = 0 gave.

    Attributes
    ----------
    statistic : 1. of the data, both models fitted.
    mu, var : 2. estimates under σ²_A = 0, which the data are simulated from.
    draws : (n,) 3. statistics of the simulated data, both models fitted again.
    seed : they were made from.
    """

    statistic: float
    mu: float
    var: float
    draws: Array
    seed: int

    @property
    def p(self) -> float:
        """4. (1 + number of draws as large as the statistic)/(1 + n)."""
        return float((1 + np.sum(self.draws >= self.statistic)) / (1 + len(self.draws)))

    @property
    def mc_error(self) -> float:
        """Monte Carlo standard error of p."""
        return float(np.sqrt(self.p * (1 - self.p) / len(self.draws)))

    @property
    def share_at_zero(self) -> float:
        """Share of the draws that are 0: the variance estimated as 0."""
        return float(np.mean(self.draws == 0))

    def __repr__(self) -> str:
        n, extreme = len(self.draws), np.sum(self.draws >= self.statistic)
        return (
            f"1. fitted with and without σ²_A: the likelihood ratio is {self.statistic:.4f}\n"
            f"2. without it: N({self.mu:.6g}, {self.var:.6g}), which {n} data sets are simulated from "
            f"(seed {self.seed})\n"
            f"3. both models fitted to each: {self.share_at_zero:.3f} of the ratios are 0\n"
            f"4. p = (1 + {extreme})/(1 + {n}) = {self.p:.4f} ± {self.mc_error:.4f}"
        )


def bootstrap_ratio_steps(
    layout: OneWay, n: int = 1000, seed: int | None = None, criterion: str = "ML"
) -> BootstrapSteps:
    """Test σ²_A = 0 in a balanced one-way layout by its bootstrap distribution; every refit is a closed form.

    Parameters
    ----------
    n : simulated data sets. seed : same seed, same draws; None takes a new one, which the result records.
    criterion : ``"ML"`` or ``"REML"``.

    Raises
    ------
    DataError
        For groups of different sizes: `bl.bootstrap_lrt` takes them.
    OptionError
        For a count below 1 or a misspelt criterion.

    Examples
    --------
    >>> import bayeslmm as bl
    >>> dyes = bl.load_dataset("Dyestuff2")
    >>> bootstrap_ratio_steps(bl.textbook.one_way(dyes["Yield"], dyes["Batch"]), n=99, seed=1).p
    1.0
    """
    check_whole("n", n, 1)
    seed = fresh_seed() if seed is None else seed
    check_whole("seed", seed, 0)
    observed = variance_ratio_test(layout, criterion).statistic
    mu, var = layout.grand_mean, layout.SST / (layout.N - (criterion == "REML"))
    noise = (each.standard_normal(layout.N) for each in np.random.default_rng(seed).spawn(n))
    simulated = (replace(layout, y=mu + np.sqrt(var) * each) for each in noise)
    draws = np.array([variance_ratio_test(each, criterion).statistic for each in simulated])
    return BootstrapSteps(observed, mu, var, draws, seed)
