"""What a fit's diagnostics show, in sentences with a next step."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from bayeslmm.estimands.checkup import Checkup, Finding
from bayeslmm.likelihood.diagnostics.influence import influence
from bayeslmm.likelihood.diagnostics.panels import standardized_effects
from bayeslmm.likelihood.diagnostics.reach import WHOLE
from bayeslmm.likelihood.diagnostics.residuals import residuals
from bayeslmm.likelihood.diagnostics.simulated import simulated_residuals
from bayeslmm.likelihood.fitted import Fitted

type Array = NDArray[np.float64]

ALPHA = 0.01  # of each test
COLLINEAR = 10.0  # variance inflation
INFLUENTIAL = 1.0  # Cook's distance


def check(fit: Fitted, n: int, seed: int | None) -> Checkup:
    """Look at convergence, residuals, random effects, influence and collinearity.

    Parameters
    ----------
    n, seed : of the simulated residuals.
    """
    return Checkup(tuple(_findings(fit, n, seed)))


def _findings(fit: Fitted, n: int, seed: int | None) -> Iterator[Finding]:
    yield _convergence(fit)
    yield from _simulated(fit, n, seed)
    left = np.asarray(residuals(fit, "standardized", "conditional"))
    yield _outlier(fit, left)
    yield _spread(np.asarray(fit.fitted), left)
    yield from _effects(fit)
    if fit.design.blocks and fit.design.q <= WHOLE:
        yield _influence(fit)
    if fit.design.p > 2:
        yield _collinearity(fit)


def _convergence(fit: Fitted) -> Finding:
    if not fit.convergence.converged:
        return Finding("convergence", False, f"The fit isn't at its optimum: {fit.convergence.advice}.")
    if fit.is_singular:
        which = "; ".join(map(str, fit.convergence.vanished))
        said = f"The fit is singular ({which}): a simpler random part says the same."
        return Finding("convergence", False, said)
    return Finding("convergence", True, "The fit is at an optimum inside its bounds.")


def _simulated(fit: Fitted, n: int, seed: int | None) -> Iterator[Finding]:
    tests = simulated_residuals(fit, n, seed).tests
    said = {
        "uniformity": (
            "Responses are distributed as the fit's simulations",
            "Responses aren't distributed as the fit's simulations: see plot_qq(), transform the response",
        ),
        "outliers": (
            "No more rows than expected lie outside all simulations",
            "{statistic:.0f} rows lie outside all simulations, {simulated:.1f} expected: tails aren't normal",
        ),
    }
    for name, (fine, wrong) in said.items():
        row = {str(column): float(values[name]) for column, values in tests.items()}
        text = (fine if row["p"] >= ALPHA else wrong).format(**row)
        yield Finding(name, row["p"] >= ALPHA, f"{text} (p {_p(row['p'])}).")


def _outlier(fit: Fitted, left: Array) -> Finding:
    """The largest residual, by Bonferroni."""
    from scipy.special import ndtr

    worst = int(np.nanargmax(np.abs(left)))
    p = min(1.0, 2 * len(left) * float(ndtr(-abs(left[worst]))))
    said = f"The largest standardized residual is {left[worst]:.1f}, of row {fit.design.index[worst]}"
    advice = f"{said}, too large for a normal one among {len(left)}: see what it does by influence()"
    return Finding("largest residual", p >= ALPHA, f"{said if p >= ALPHA else advice} (p {_p(p)}).")


def _spread(fitted: Array, left: Array) -> Finding:
    """Spearman's correlation of the residuals' size with the fitted values."""
    cor = float(np.corrcoef(_ranks(fitted), _ranks(np.abs(left)))[0, 1]) if np.ptp(fitted) else 0.0
    p = _p_of_z(np.arctanh(np.clip(cor, -0.999999, 0.999999)) * np.sqrt(max(len(left) - 3, 1) / 1.06))
    if p >= ALPHA:
        return Finding(
            "spread", True, f"The residuals' spread doesn't change with the fitted values (p {_p(p)})."
        )
    way = "grows" if cor > 0 else "falls"
    said = f"The spread of residuals {way} with the fitted values (rank correlation {cor:.2f}, p {_p(p)})"
    return Finding("spread", False, f"{said}: transform the response, or give weights.")


def _ranks(values: Array) -> Array:
    return np.argsort(np.argsort(values)).astype(float)


def _effects(fit: Fitted) -> Iterator[Finding]:
    """Skewness and kurtosis of BLUPs where there are enough, and the largest."""
    for each in standardized_effects(fit):
        known = np.flatnonzero(np.isfinite(each.values))
        if len(known) >= 8:
            levels = [each.levels[place] for place in known]
            yield _normality(f"{each.group}: {each.coef}", each.values[known], levels)


def _normality(name: str, values: Array, levels: list[str]) -> Finding:
    """D'Agostino and Pearson's test; the largest effect is named."""
    from scipy.stats import normaltest

    p = float(normaltest(values).pvalue) if len(values) >= 20 else 1.0
    worst = int(np.argmax(np.abs(values)))
    far = min(1.0, len(values) * _p_of_z(values[worst]))
    if min(p, far) >= ALPHA:
        return Finding(name, True, f"The {len(values)} random effects of {name} look normal.")
    said = f"Random effects of {name} don't look normal (p {_p(min(p, far))})"
    largest = f"the largest, of level {levels[worst]}, is {values[worst]:.1f} of its standard deviations"
    return Finding(name, False, f"{said}; {largest}: look at plot_qq() and plot_ranef().")


def _influence(fit: Fitted) -> Finding:
    """Cook's distance of the levels of the coarsest factor."""
    coarsest = min(fit.design.blocks, key=lambda block: block.n_levels).group
    distance = influence(fit, coarsest, search=False).cooks_distance
    if distance.isna().all() or float(distance.max()) < INFLUENTIAL:
        return Finding(
            "influence", True, f"No {coarsest} alone decides the fixed effects (Cook's distance below 1)."
        )
    worst = distance.idxmax()
    said = f"Without {coarsest} {worst} the fixed effects move by Cook's distance {float(distance.max()):.1f}"
    return Finding(
        "influence", False, f"{said}: see influence({coarsest!r}) and tell results with and without it."
    )


def _collinearity(fit: Fitted) -> Finding:
    """Variance inflation of coefficients that aren't the intercept."""
    varies = np.ptp(fit.design.X, axis=0) > 0
    vcov = fit.vcov_values[np.ix_(varies, varies)]
    sd = np.sqrt(np.diag(vcov))
    inflation = np.diag(np.linalg.inv(vcov / np.outer(sd, sd)))
    worst = int(np.argmax(inflation))
    name = np.array(fit.design.coefs)[varies][worst]
    said = f"The largest variance inflation is {inflation[worst]:.1f}, of {name}"
    if inflation[worst] < COLLINEAR:
        return Finding("collinearity", True, f"{said}.")
    return Finding("collinearity", False, f"{said}: others nearly determine it; centre it, or leave one out.")


def _p_of_z(z: float) -> float:
    from scipy.special import ndtr

    return 2 * float(ndtr(-abs(z)))


def _p(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"
