"""What a run's checks and data replicated from its draws show, in sentences."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayeslmm.errors import OptionError, check_seed, check_whole
from bayeslmm.estimands.checkup import Checkup, Finding
from bayeslmm.posterior.predictive import replicates
from bayeslmm.posterior.summary.checks import Check
from bayeslmm.posterior.summary.tree import Draws
from bayeslmm.spec.design import Design

if TYPE_CHECKING:
    from xarray import DataTree

type Array = NDArray[np.float64]

N = 500  # replicated data sets
EXTREME = 0.005  # of a posterior predictive p, on either side


WHAT: Mapping[str, Callable[[Array], Array]] = {
    "mean": lambda y: y.mean(axis=1),
    "sd": lambda y: y.std(axis=1),
    "smallest": lambda y: y.min(axis=1),
    "largest": lambda y: y.max(axis=1),
    "skewness": lambda y: np.mean(
        ((y.T - y.mean(axis=1)) / np.maximum(y.std(axis=1), 1e-300)).T ** 3, axis=1
    ),
}


def checkup(design: Design, draws: Draws, checks: Iterable[Check], seed: int | None) -> Checkup:
    """The run's own checks, then the data beside replicated ones.

    Parameters
    ----------
    checks : of the run. seed : of the replicated data.
    """
    own = (Finding(check.name, check.passed, check.sentence) for check in checks)
    return Checkup((*own, *_predictive(design.y, replicated(design, draws, N, seed))))


def _predictive(y: Array, made: Array) -> Iterator[Finding]:
    """Where mean, sd, extremes and skewness of the data lie among those of replicated data (m, n)."""
    for name, measure in WHAT.items():
        own, others = float(measure(y[None])[0]), measure(made)
        p = float(np.mean(others >= own))
        said = f"The data's {name} is {own:.4g}; of replicated data sets {100 * p:.0f} % have as much or more"
        fine = EXTREME <= p <= 1 - EXTREME
        yield Finding(
            f"data's {name}", fine, f"{said}{'' if fine else ': the model makes other data, see plot_ppc()'}."
        )


def replicated(design: Design, draws: Draws, n: int, seed: int | None) -> Array:
    """(n, rows) new observations of the fitted rows, each at a draw of its own, spread evenly.

    Raises
    ------
    OptionError
        For fewer than one.
    """
    check_whole("n", n, 1)
    check_seed(seed)
    chosen = np.linspace(0, draws.n_draws - 1, min(n, draws.n_draws)).astype(np.intp)
    return replicates(design, draws.take(chosen), 0 if seed is None else seed)


def repeats(data: "DataTree", method: str) -> Array:
    """How long each proposal stayed in its chain.

    Raises
    ------
    OptionError
        When the run has no importance weights.
    """
    if "accepted" not in data["sample_stats"]:
        raise OptionError(f"a run by {method} has no importance weights; plot_trace() shows its draws")
    moved = np.asarray(data["sample_stats"]["accepted"])
    stays = [np.diff(np.append(np.flatnonzero(chain), len(chain))) for chain in moved]
    return np.concatenate(stays).astype(np.float64)
