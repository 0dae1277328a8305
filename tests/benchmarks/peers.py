"""The others: lme4 through Rscript, statsmodels here; None where one of them isn't installed or can't."""

import importlib.util
import os
import shutil
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

HERE = Path(__file__).parent
DATA = HERE.parents[1] / "bayeslmm" / "datasets" / "data"


class Timed(NamedTuple):
    """Median seconds of a call, its criterion, and the peak memory (MB) of the process that made it."""

    seconds: float
    criterion: float
    peak_mb: float


def seconds(call: Callable[[], object], repeats: int) -> float:
    """Median wall time of a call after one to warm up."""
    call()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return median(times)


def run(command: list[str], **options: object) -> tuple[str, float, float]:
    """What a process printed, its wall time in seconds, and its peak memory in MB."""
    start = time.perf_counter()
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen(command, stdout=out, **options)  # type: ignore[call-overload]
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        took = time.perf_counter() - start
        if process.returncode:
            raise RuntimeError(f"{' '.join(command)} ended with code {process.returncode}")
        out.seek(0)
        return out.read(), took, usage.ru_maxrss / 1024


def _script(case: str, repeats: int, *more: str) -> list[str] | None:
    rscript = shutil.which("Rscript")
    if rscript is None:
        return None
    return [rscript, str(HERE / "lme4_times.R"), str(DATA), case, str(repeats), *more]


def lme4_versions() -> str | None:
    """R, lme4 and R's BLAS; None without them."""
    command = _script("versions", 1)
    try:
        return run(command)[0].strip() if command else None
    except RuntimeError:
        return None


def lme4(case: str, repeats: int, *more: str) -> Timed | None:
    """One case of lme4_times.R; memory is what the fit adds to a process with the data."""
    command = _script(case, repeats, *more)
    if command is None or lme4_versions() is None:
        return None
    printed, _, peak = run(command)
    load = _script(f"load_{case.split('_')[0]}", 1)
    before = 0.0 if load is None or case.startswith("refit") else run(load)[2]
    taken, criterion = printed.split()
    return Timed(float(taken), float(criterion), peak - before)


def lme4_process() -> float | None:
    """Seconds from a new process to lme4's first fit."""
    command = _script("sleepstudy", 1)
    return None if command is None or lme4_versions() is None else median(run(command)[1] for _ in range(3))


def lme4_refits(responses: pd.DataFrame, repeats: int) -> Timed | None:
    """lme4's refit() of the sleepstudy fit, over the same responses; the criterion is lmer()'s, last."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "responses.csv"
        responses.to_csv(path, index=False)
        return lme4("refit_sleepstudy", repeats, str(path))


def statsmodels(case: str, data: pd.DataFrame, criterion: float, repeats: int) -> float | None:
    """Median seconds of MixedLM from formula to fit, where it has the model; to the same criterion."""
    if importlib.util.find_spec("statsmodels") is None or case not in _STATSMODELS:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = -2 * _STATSMODELS[case](data).llf
        if abs(found / criterion - 1) > 1e-6:
            raise AssertionError(f"statsmodels reached {found!r} in {case}, not {criterion!r}")
        return seconds(lambda: _STATSMODELS[case](data), repeats)


def _slopes(data: pd.DataFrame) -> Any:
    from statsmodels.formula.api import mixedlm

    return mixedlm("Reaction ~ Days", data, groups="Subject", re_formula="~Days").fit(reml=True)


def _nested(data: pd.DataFrame) -> Any:
    from statsmodels.formula.api import mixedlm

    inner = {"cask": "0 + C(cask)"}
    return mixedlm("strength ~ 1", data, groups="batch", re_formula="1", vc_formula=inner).fit(reml=True)


def _crossed(data: pd.DataFrame) -> Any:
    from statsmodels.formula.api import mixedlm

    parts = {"plate": "0 + C(plate)", "sample": "0 + C(sample)"}
    return mixedlm("diameter ~ 1", data, groups=np.ones(len(data)), vc_formula=parts).fit(reml=True)


_STATSMODELS: dict[str, Callable[[pd.DataFrame], Any]] = {
    "sleepstudy": _slopes,
    "Pastes": _nested,
    "Penicillin": _crossed,
}
