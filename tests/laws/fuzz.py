"""``python -m tests.laws.fuzz 3000``: fit random designs by REML and ML, restart each, count what went wrong.

Columns come as booleans, categories, text and Decimals, too;
with ``3000 0 residual`` residuals have parameters;
with ``3000 0 extreme`` shapes and scales leave little to estimate, and types and tables are any that exist.

- foreign: an exception that isn't the package's;
- silent: a NaN or infinite number without a warning or a status;
- another prediction: of the rows fitted, but not the fitted values;
- beaten: a fit called converged whose criterion a restart lowers by more than 1e-6 of its size.
"""

import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import bayeslmm as bl
from bayeslmm.errors import BayesLMMError
from tests.laws.fuzz_designs import RandomDesign, dressed, random_design
from tests.laws.fuzz_extremes import extreme
from tests.laws.fuzz_residuals import with_residual

type Dress = Callable[[RandomDesign, int], RandomDesign]

RESTARTS = 3
DRESSES: dict[str, Dress] = {"dressed": dressed, "residual": with_residual, "extreme": extreme}


def faults(seed: int, dress: Dress = lambda made, _: made) -> Iterator[tuple[str, str]]:
    """What goes wrong with the design of a seed: kind and description; "fit" and "refused" are no faults."""
    made = dress(random_design(seed), seed)
    for criterion in ("REML", "ML"):
        try:
            with warnings.catch_warnings(record=True) as told:
                warnings.simplefilter("always")
                yield from of_fit(made, criterion, seed, told)
        except BayesLMMError:
            yield "refused", ""
        except Exception as error:  # noqa: BLE001 (that is what is looked for)
            yield "foreign", f"{seed} {made} {criterion}: {type(error).__name__}: {error}"


def of_fit(
    made: RandomDesign, criterion: str, seed: int, told: list[warnings.WarningMessage]
) -> Iterator[tuple[str, str]]:
    """The faults of one fit."""
    model = bl.LinearMixedModel(made.formula, made.data, **made.options)
    fit = model.fit(criterion)
    yield "fit", ""
    table = fit.coef_table()
    numbers = [fit.criterion_value, fit.sigma, *fit.beta, *fit.se, *table["df"], *fit.fitted, *fit.theta]
    quiet = fit.convergence.converged and not fit.is_singular and not told
    if not np.isfinite(numbers).all() and quiet:
        yield "silent", f"{seed} {made} {criterion}: {fit.criterion_value}, {fit.sigma}"
    str(fit.summary()), str(fit.varcorr), str(fit.ranef)
    if quiet and not model.design.n_missing and not agree(fit.predict(made.data), fit):
        yield "another prediction", f"{seed} {made} {criterion}"
    foreign = [each for each in told if not each.category.__module__.startswith("bayeslmm")]
    if foreign:
        yield "foreign warning", f"{seed} {made} {criterion}: {foreign[0].message}"
    if fit.convergence.converged:
        yield from of_restarts(model, fit, criterion, seed, made)


def agree(predicted: np.ndarray, fit: Any) -> bool:
    """Are predictions the fitted values, as far as the sums that make both have digits?"""
    largest = np.abs(fit.design.observed.X) @ np.abs(fit.beta) + np.abs(fit.fitted)
    return bool((np.abs(np.asarray(predicted) - np.asarray(fit.fitted)) <= 1e-8 * largest.max()).all())


def of_restarts(
    model: bl.LinearMixedModel, fit: Any, criterion: str, seed: int, made: RandomDesign
) -> Iterator[tuple[str, str]]:
    """Whether a restart finds a better point."""
    rng = np.random.default_rng(seed + 1)
    start = model.design.covariance.start()
    for _ in range(RESTARTS if len(start) else 0):
        other = model.fit(criterion, start=start * 10.0 ** rng.uniform(-2, 2, len(start)))
        gained = fit.criterion_value - other.criterion_value
        if gained > 1e-6 * max(1.0, abs(fit.criterion_value)):
            yield "beaten", f"{seed} {made} {criterion}: {fit.criterion_value} by {gained:.3g}"
            return


def main(n: str, first: str = "0", dress: str = "dressed") -> None:
    counts: Counter[str] = Counter()
    for seed in range(int(first), int(first) + int(n)):
        for kind, what in faults(seed, DRESSES[dress]):
            counts[kind] += 1
            if what:
                print(kind, "|", what, flush=True)
    print(dict(counts))


if __name__ == "__main__":
    main(*sys.argv[1:])
