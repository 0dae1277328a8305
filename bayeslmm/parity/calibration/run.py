"""Calibration: what is asked, a plan of data sets, a frozen result."""

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayeslmm.arguments import in_our_words
from bayeslmm.errors import OptionError, check_choice, check_prob
from bayeslmm.likelihood.bootstrap.run import design_columns
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.likelihood.studies.truth import (
    Asked,
    beta_of,
    checked_values,
    simulator,
    theta_of,
    true_values,
)
from bayeslmm.parity.calibration.methods import Method, Study
from bayeslmm.parity.calibration.methods.base import MethodWord
from bayeslmm.parity.calibration.result import Calibration
from bayeslmm.parity.calibration.task import CalibrationTask, Truths
from bayeslmm.runs.manifest import Manifest, data_hash
from bayeslmm.runs.plan import Done, Plan, fresh_seed, generator
from bayeslmm.runs.replicates import collect, finished
from bayeslmm.runs.store import Store, is_new
from bayeslmm.spec.design import Design
from bayeslmm.spec.labels import parameter_labels
from bayeslmm.spec.model_spec import CriterionWord
from bayeslmm.spec.priors import default_priors

type Array = NDArray[np.float64]
type Values = "pd.Series[float]"

CHUNK = 10  # data sets handed over at once


@in_our_words
def calibrate(
    model: Any,
    *,
    truth: Any = None,
    n: int = 1000,
    methods: Iterable[MethodWord | Method] | None = None,
    prob: float = 0.95,
    criterion: CriterionWord = "REML",
    error: float | None = None,
    seed: int | None = None,
    n_jobs: int = 1,
    store: str | Path | None = None,
    client: Any = None,
    progress: bool = True,
) -> Calibration:
    """Which interval to trust for this design: simulate, refit, and ask every method for its intervals.

    Parameters
    ----------
    model : LinearMixedModel or fit
        Its design is simulated from. The priors are the model's, a fit's the default ones.
    truth : fit, mapping or posterior, optional
        Values by label, {"beta[Days]": 5}, what isn't named being as fitted to the data; a fit; or a
        posterior, of whose draws each data set takes one. None for the model's own fit.
    n : int
        Data sets.
    methods : iterable, optional
        By name or as records with options; None for z, satterthwaite, kenward-roger, deviance (tests of the
        truth in place of profiles), bootstrap (199 parametric replicates), eti and hdi. On request profile,
        nuts, and others such as ``Bootstrap(n=499, resampling="wild")``.
    prob : float
        Of the intervals.
    criterion : {"REML", "ML"}
        Of the refits, where `model` is a model.
    error : float, optional
        The Monte Carlo error that coverage may have at most.
    seed, n_jobs, store, client, progress
        As for `LikelihoodFit.bootstrap`. Each data set is made from the seed and its number alone. Much of
        the work is Python's: inside ``joblib.parallel_config("loky")`` processes do it.

    Raises
    ------
    OptionError
        For an unknown method, label or option, a truth of another model, or too few data sets for `error`.

    Examples
    --------
    >>> import bayeslmm as bl
    >>> model = bl.LinearMixedModel("Reaction ~ Days + (Days | Subject)", bl.load_dataset("sleepstudy"))
    >>> found = bl.calibrate(model, n=20, methods=["z", "kenward-roger"], seed=1, progress=False)
    >>> found.table.loc["beta[Days]", "coverage"].round(2).to_dict()
    {'z': 1.0, 'kenward-roger': 1.0}
    """
    check_prob(prob)
    Plan(n, seed or 0, n_jobs=n_jobs)
    _check_error(n, prob, error)
    asked = Asked.of(model, criterion)
    asked.design.residual.check_known(
        "bl.calibrate",
        "take fit.bootstrap() and bl.power, whose refits move it",
        "its methods work on many responses to one design at once",
    )
    priors = default_priors(asked.design) if isinstance(model, Fitted) else model.priors
    labels = parameter_labels(asked.design)
    values, draws = _truth(asked, truth)
    fit = asked.at(values)
    study = Study(fit, values, priors, prob, labels)
    chosen = _methods(methods, study)
    titles = tuple(method.title for method in chosen)
    held, seed = _store(store, seed, asked, study, titles, draws)
    engine = simulator(fit, values)
    task = CalibrationTask(
        truths_of(asked.design, draws), engine, tuple(each.maker(study) for each in chosen)
    )
    first = 0 if held is None else min(held.n, n)
    plan = Plan(n, seed, CHUNK, n_jobs, first)
    if progress and first < n and not all(each.usual for each in chosen):
        _say_cost(task, titles, plan)
    rows, interrupted = _collect(task, plan, held, client, "calibration" if progress else None)
    return Calibration(
        asked.formula,
        asked.criterion,
        labels,
        titles,
        tuple(each.paradigm for each in chosen),
        values,
        prob,
        rows,
        seed,
        n if interrupted else None,
    )


def _check_error(n: int, prob: float, error: float | None) -> None:
    if error is None:
        return
    if not error > 0:
        raise OptionError(f"error is {error}; a Monte Carlo error is positive")
    needed = int(np.ceil(prob * (1 - prob) / error**2 * (1 - 1e-9)))  # 0.95 · 0.05 has its own rounding
    if n < needed:
        raise OptionError(
            f"n={n} data sets give coverage a Monte Carlo error of {np.sqrt(prob * (1 - prob) / n):.2g}; "
            f"error={error:g} takes n={needed}"
        )


def _truth(asked: Asked, truth: Any) -> tuple[Values, pd.DataFrame]:
    """The truth that the study stands at, and all points that data come from, one a row."""
    if not hasattr(truth, "draws_frame"):
        values = true_values(asked.design, truth, asked.fit)
        return values, values.to_frame().T
    draws, labels = truth.draws_frame(), list(parameter_labels(asked.design))
    if list(draws.columns) != labels:
        raise OptionError(
            f"the truth is a posterior of {', '.join(draws.columns)}; this model has {', '.join(labels)}"
        )
    return checked_values(draws.mean()), draws


def truths_of(design: Design, draws: pd.DataFrame) -> Truths:
    """Points by label, one a row, as what data are made from."""
    points = [draws.iloc[i] for i in range(len(draws))]
    theta, sigma = zip(*(theta_of(design, point) for point in points), strict=True)
    beta = np.array([beta_of(design, point) for point in points])
    return Truths(draws.to_numpy(dtype=np.float64), beta, np.array(theta), np.array(sigma))


def _methods(asked: Iterable[str | Method] | None, study: Study) -> tuple[Method, ...]:
    """Records of the methods asked for, or of the usual ones that this study allows.

    Raises
    ------
    OptionError
        For an unknown one, one that isn't for this study, or none at all.
    """
    kinds = Method.kinds()
    if asked is None:
        usual = [kind() for kind in sorted(kinds.values(), key=lambda kind: kind.place) if kind.usual]
        return tuple(method for method in usual if not method.objection(study))
    several = (asked,) if isinstance(asked, str) else asked
    chosen = tuple(each if isinstance(each, Method) else _of_word(each) for each in several)
    for method in chosen:
        if said := method.objection(study):
            raise OptionError(said)
    if not chosen or len({method.title for method in chosen}) < len(chosen):
        raise OptionError(f"methods is empty or has one twice; name each once, of {', '.join(kinds)}")
    return chosen


def _of_word(word: str) -> Method:
    kinds = Method.kinds()
    return kinds[check_choice("method", word, kinds)]()


def _store(
    path: str | Path | None,
    seed: int | None,
    asked: Asked,
    study: Study,
    titles: tuple[str, ...],
    draws: pd.DataFrame,
) -> tuple[Store | None, int]:
    """The store, where one is asked for, and the seed: the one given, the store's, or a fresh one."""
    if path is None:
        return None, fresh_seed() if seed is None else seed
    path = Path(path)
    if seed is None:
        seed = fresh_seed() if is_new(path) else Store.read(path).manifest.seeds.get("calibration")
    if seed is None:
        raise OptionError(f"store {path} isn't of a calibration; it is left as it is. Choose another path")
    options = {
        "methods": titles,
        "prob": study.prob,
        "criterion": asked.criterion,
        "truth": [float(f"{value:.6g}") for value in draws.to_numpy().ravel()[: len(study.labels)]],
        "truths": data_hash({str(label): draws[label].to_numpy() for label in draws}),
        "priors": {label: str(prior) for label, prior in study.priors.table.items()},
    }
    columns = design_columns(asked.design)
    manifest = Manifest(asked.formula, data_hash(columns), {"calibration": seed}, options)
    return Store.open(path, manifest), seed


def _say_cost(task: CalibrationTask, titles: tuple[str, ...], plan: Plan) -> None:
    """What each method takes, from one data set that doesn't count."""
    from rich.console import Console

    case, failed, _ = task.case(generator(plan.seed, plan.n))
    if failed:
        return
    seconds = {}
    for title, maker in zip(titles, task.makers, strict=True):
        begun = time.perf_counter()
        maker(case)
        seconds[title] = time.perf_counter() - begun
    left = plan.n - plan.first
    said = ", ".join(f"{title} {left * each:.3g} s" for title, each in seconds.items())
    Console(stderr=True).print(f"{left} data sets by one worker take about: {said}", highlight=False)


def _collect(
    task: CalibrationTask, plan: Plan, store: Store | None, client: Any, what: str | None
) -> tuple[Array, bool]:
    """Rows of all data sets, those of the store first, and whether Ctrl-C cut the run short."""
    kept = [] if store is None or store.rows is None else [store.rows[: plan.n]]
    if plan.first >= plan.n:
        return kept[0], False
    chunks: Iterable[Done] = finished(task, plan, client)
    chunks = chunks if store is None else store.append(chunks)
    rows, interrupted = collect(chunks, plan, what)
    return np.concatenate([*kept, *rows]), interrupted
