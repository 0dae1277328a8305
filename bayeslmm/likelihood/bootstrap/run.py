"""The bootstrap of a fit: options in, a frozen result out."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayeslmm.errors import check_choice
from bayeslmm.estimands.labels import parameter_labels
from bayeslmm.likelihood.bootstrap.kind import BootstrapKind, Sampler
from bayeslmm.likelihood.bootstrap.parameters import natural_draws
from bayeslmm.likelihood.bootstrap.parametric import Parametric
from bayeslmm.likelihood.bootstrap.refits import Refits, Refitter, Responses
from bayeslmm.likelihood.bootstrap.result import Bootstrap
from bayeslmm.runs.replicates import Plan, fresh_seed, run

if TYPE_CHECKING:
    from bayeslmm.likelihood.fit import LikelihoodFit

type Array = NDArray[np.float64]

KINDS: dict[str, type[BootstrapKind]] = {kind.keyword: kind for kind in (Parametric,)}
DEAR = 2_000  # random effects beyond which a replicate is handed over alone


@dataclass(frozen=True, slots=True)
class BootstrapOptions:
    """How to bootstrap.

    Attributes
    ----------
    n : replicates. kind : of response. seed : the same seed gives the same numbers, however many jobs; None
        draws one, which the result records. n_jobs : threads. ranef : keep errors of BLUPs. progress : bar.
    """

    n: int = 2000
    kind: str = "parametric"
    seed: int | None = None
    n_jobs: int = 1
    ranef: bool = False
    progress: bool = True


def bootstrap(fit: "LikelihoodFit", options: BootstrapOptions) -> Bootstrap:
    """Simulate from a fit and refit.

    Raises
    ------
    OptionError
        When the kind isn't known, or a count isn't positive.
    """
    kind = KINDS[check_choice("bootstrap kind", options.kind, KINDS)]()
    seed = fresh_seed() if options.seed is None else options.seed
    plan = Plan(options.n, seed, chunk=1 if fit.design.q > DEAR else 100, n_jobs=options.n_jobs)
    task = RefitTask(kind.sampler(fit), Refitter.of(fit), fit.beta_values, options.ranef)
    rows = run(task, plan, f"{kind.keyword} bootstrap" if options.progress else None)
    return _result(fit, options, seed, rows)


@dataclass(frozen=True, slots=True)
class RefitTask:
    """One row a replicate: parameters, criterion, failed, singular, and b̂* − b* where asked for."""

    sampler: Sampler
    refitter: Refitter
    beta: Array
    ranef: bool

    def __call__(self, generators: list[np.random.Generator]) -> Array:
        """Rows (m, width) of some replicates."""
        responses = Responses.of([self.sampler(generator) for generator in generators])
        refits = self.refitter(responses)
        parts = [self._parameters(refits), _facts(refits)]
        if self.ranef:
            parts.append(self._errors(refits, responses))
        rows = np.hstack(parts)
        rows[refits.failed, : parts[0].shape[1]] = np.nan
        return rows

    def _parameters(self, refits: Refits) -> Array:
        objective = self.refitter.objective
        sd, cor = natural_draws(objective.design.covariance, refits.lam, refits.sigma)
        sigma = refits.sigma[:, None] if np.isnan(objective.sigma) else np.zeros((len(sd), 0))
        return np.hstack([self.beta + refits.beta, sd, cor, sigma])

    def _errors(self, refits: Refits, responses: Responses) -> Array:
        from bayeslmm.kernel.sufficient import write_response

        kernel = self.refitter.objective.design.kernel
        floats = kernel.floats.copy()
        errors = np.empty_like(responses.b)
        for i, b in enumerate(responses.b):
            write_response(kernel.ints, floats, responses.zr[i], responses.gamma[i], responses.rr[i])
            estimate = replace(kernel, floats=floats).conditional(refits.lam[i]).solution(refits.delta[i])
            errors[i] = estimate - b
        return errors


def _facts(refits: Refits) -> Array:
    return np.column_stack([refits.criterion, refits.failed, refits.singular])


def _result(fit: "LikelihoodFit", options: BootstrapOptions, seed: int, rows: Array) -> Bootstrap:
    design = fit.design
    labels = parameter_labels(design, fit.options.sigma is not None)
    m = len(labels)
    natural = natural_draws(design.covariance, fit.lam[None, :], np.array([fit.sigma]))
    sigma = [] if fit.options.sigma is not None else [fit.sigma]
    rows.setflags(write=False)
    return Bootstrap(
        design=design,
        kind=options.kind,
        criterion=fit.criterion,
        n=options.n,
        seed=seed,
        labels=labels,
        estimate=np.concatenate([fit.beta_values, natural[0][0], natural[1][0], sigma]),
        values=rows[:, :m],
        criterion_values=rows[:, m],
        failed=rows[:, m + 1].astype(bool),
        singular=rows[:, m + 2].astype(bool),
        ranef_estimate=fit.b,
        ranef_errors=rows[:, m + 3 :] if options.ranef else None,
    )
