"""The bootstrap of a fit: options in, a frozen result out."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayeslmm.arguments import check_arguments
from bayeslmm.errors import OptionError, check_choice
from bayeslmm.likelihood.bootstrap.kinds.base import BootstrapKind, ResponseKind
from bayeslmm.likelihood.bootstrap.parameters import parameters
from bayeslmm.likelihood.bootstrap.result import Bootstrap
from bayeslmm.likelihood.bootstrap.statistic import Statistic
from bayeslmm.likelihood.bootstrap.task import Columns, RefitTask
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.runs.manifest import Manifest, data_hash
from bayeslmm.runs.plan import Done, Plan, fresh_seed, generator
from bayeslmm.runs.replicates import collect, finished, watched
from bayeslmm.runs.store import Store, is_new
from bayeslmm.spec.design import Design
from bayeslmm.spec.labels import parameter_labels

type Array = NDArray[np.float64]

DEAR = 2_000  # random effects beyond which a replicate is handed over alone
LIGHT = 200  # up to which refits take less time than what is done once for all that are handed over


@dataclass(frozen=True, slots=True)
class BootstrapOptions:
    """How to bootstrap.

    Attributes
    ----------
    n : replicates. seed : the same seed gives the same numbers, however many workers; None draws one, or
        takes the store's, and the result records it.
    kind : "parametric", "residual", "cases", "wild" or "random-effects block", or one of their records.
    n_jobs : threads, -1 for all cores; processes inside ``joblib.parallel_config("loky")``.
    ranef : keep errors of BLUPs. se : keep standard errors, for studentized intervals. progress : bar.
    store : file that replicates are appended to as they come; the same call goes on where it was cut off.
    statistic : function of a refit, whose values take the place of the parameters.
    client : of a Dask cluster that does the work.
    statistic_name : by which a store knows the statistic; otherwise by its code.
    """

    n: int = 2000
    kind: str | BootstrapKind = "parametric"
    seed: int | None = None
    n_jobs: int = 1
    ranef: bool = False
    progress: bool = True
    se: bool = False
    store: str | Path | None = None
    statistic: Callable[[Any], Any] | None = None
    client: Any = None
    statistic_name: str | None = None


def bootstrap(fit: Fitted, options: BootstrapOptions, **of_kind: Any) -> Bootstrap:
    """Make replicates of a fit and refit them.

    Parameters
    ----------
    of_kind : options of the kind, the fields of its class.

    Raises
    ------
    OptionError
        For an unknown kind or option, a count that isn't positive, or a store of another run.
    OutputError
        When the store can't be written; what it holds stays.
    """
    kind = kind_of(options.kind, of_kind)
    if options.ranef and not kind.has_effects:
        raise OptionError(
            f"ranef=True needs responses made with known random effects; the "
            f"{kind.keyword} bootstrap has none"
        )
    statistic = _statistic(fit, options)
    _check_se(options)
    Plan(options.n, options.seed or 0, n_jobs=options.n_jobs)  # checked before any work
    labels = _labels(fit, statistic)
    store, seed = _open_store(fit, kind, options, statistic)
    _check_rows(store, len(labels), fit.design.q, options)
    task = RefitTask.of(fit, kind, statistic, se=options.se, ranef=options.ranef)
    done = 0 if store is None else min(store.n, options.n)
    plan = Plan(options.n, seed, _chunk(fit.design.q, kind, options), options.n_jobs, done)
    rows, interrupted = _collect(task, plan, store, options, f"{kind.keyword} bootstrap")
    return _result(fit, kind, seed, rows, labels, statistic, options, interrupted)


def _statistic(fit: Fitted, options: BootstrapOptions) -> Statistic | None:
    if options.statistic is None:
        return None
    return Statistic.of(options.statistic, fit, options.statistic_name)


def _labels(fit: Fitted, statistic: Statistic | None) -> tuple[str, ...]:
    if statistic is not None:
        return statistic.labels
    return parameter_labels(fit.design)


def _check_rows(store: Store | None, m: int, q: int, options: BootstrapOptions) -> None:
    """Whether what a store holds are rows of this run."""
    if store is None or store.rows is None:
        return
    if not Columns.are_rows(store.rows, m, q, options.se, options.ranef):
        raise OptionError(
            f"store {store.path} can't be trusted: its rows aren't those of its manifest. It is left as it "
            "is; choose another path"
        )


def _chunk(q: int, kind: BootstrapKind, options: BootstrapOptions) -> int:
    """Replicates handed over at once, some 20 ms of work where one takes microseconds."""
    if q > DEAR:
        return 1
    of_each_fit = options.se or options.ranef or options.statistic is not None
    return 500 if isinstance(kind, ResponseKind) and q < LIGHT and not of_each_fit else 100


def kind_of(asked: str | BootstrapKind, of_kind: dict[str, Any]) -> BootstrapKind:
    """The kind asked for, with its options.

    Raises
    ------
    OptionError
        For an unknown kind or option.
    """
    if isinstance(asked, BootstrapKind):
        return replace(asked, **of_kind)
    kinds = BootstrapKind.kinds()
    kind = kinds[check_choice("bootstrap kind", asked, kinds)]
    known = [each.name for each in fields(kind)]
    common = [each.name for each in fields(BootstrapOptions)]
    check_arguments("bootstrap", of_kind, [*known, *common])
    return kind(**of_kind)


def _check_se(options: BootstrapOptions) -> None:
    if options.se and options.statistic is not None:
        raise OptionError("se=True gives standard errors of the parameters; a statistic of your own has none")


def _collect(
    task: RefitTask, plan: Plan, store: Store | None, options: BootstrapOptions, what: str
) -> tuple[Array, bool]:
    """Rows of all replicates, those of the store first, and whether Ctrl-C cut the run short."""
    kept = [] if store is None or store.rows is None else [store.rows[: plan.n]]
    if plan.first >= plan.n:
        return kept[0], False
    chunks: Iterable[Done] = finished(task, plan, options.client)
    if task.statistic is not None:
        chunks = watched(chunks, first_error_of(task, plan))
    if store is not None:
        chunks = store.append(chunks)
    rows, interrupted = collect(chunks, plan, what if options.progress else None)
    return np.concatenate([*kept, *rows]), interrupted


def first_error_of(task: RefitTask, plan: Plan) -> Callable[[Done], None]:
    """What watches chunks for the first error of a statistic, and finds it again from its number."""
    statistic, shown = task.statistic, False

    def watch(done: Done) -> None:
        nonlocal shown
        if shown or statistic is None:
            return
        raised = done.rows[:, len(statistic.labels) + 3]
        if raised.any():
            shown = True
            replicate = done.first + int(raised.argmax())
            made = task.engine([generator(plan.seed, replicate)])
            statistic.show_error(made.fit(0), replicate)

    return watch


def _open_store(
    fit: Fitted, kind: BootstrapKind, options: BootstrapOptions, statistic: Statistic | None
) -> tuple[Store | None, int]:
    """The store, where one is asked for, and the seed: the one given, the store's, or a fresh one."""
    seed = options.seed
    if options.store is None:
        return None, fresh_seed() if seed is None else seed
    path = Path(options.store)
    if seed is None:
        seed = fresh_seed() if is_new(path) else Store.read(path).manifest.seeds.get("bootstrap")
    if seed is None:
        raise OptionError(f"store {path} isn't of a bootstrap; it is left as it is. Choose another path")
    return Store.open(path, manifest(fit, kind, seed, options, statistic)), seed


def design_columns(design: Design) -> dict[str, ArrayLike]:
    """What a design is known by."""
    columns: dict[str, ArrayLike] = {
        "y": design.y,
        "X": design.X,
        "offset": design.offset,
        **design.residual.shown,
    }
    for block in design.blocks:
        columns |= {f"codes {block.group}": block.codes, f"columns {block.group}": block.columns}
    return columns


def manifest(
    fit: Fitted,
    kind: BootstrapKind,
    seed: int,
    options: BootstrapOptions,
    statistic: Statistic | None,
) -> Manifest:
    """What makes the replicates what they are; their number isn't part of it."""
    design = fit.design
    return Manifest(
        formula=fit.formula,
        data_hash=data_hash(design_columns(design)),
        seeds={"bootstrap": seed},
        options={
            "kind": kind.keyword,
            "options of the kind": asdict(kind),
            "criterion": fit.criterion,
            "sigma known": design.residual.sigma,
            **({"residual": design.residual.labels} if design.residual.n_phi else {}),
            "estimate": [float(f"{value:.6g}") for value in (*fit.optimum.x, fit.sigma)],
            "statistic": None if statistic is None else statistic.labels,
            "function of the statistic": None if statistic is None else statistic.identity(),
            "functions": () if fit.recipe is None else fit.recipe.functions,
            "se": options.se,
            "ranef": options.ranef,
        },
    )


def _result(
    fit: Fitted,
    kind: BootstrapKind,
    seed: int,
    rows: Array,
    labels: tuple[str, ...],
    statistic: Statistic | None,
    options: BootstrapOptions,
    interrupted: bool,
) -> Bootstrap:
    return Bootstrap(
        fit=fit,
        maker=kind,
        n=len(rows),
        seed=seed,
        labels=labels,
        estimate=parameters(fit) if statistic is None else statistic.estimate,
        columns=Columns.of(rows, len(labels), options.se, options.ranef),
        statistic=statistic,
        stopped_before=options.n if interrupted else None,
    )
