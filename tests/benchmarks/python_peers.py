"""One case of another Python package: ``python python_peers.py PACKAGE DATA FORMULA GROUPS REPEATS``.

It runs in an environment of its own, with that package and pandas, and needs nothing of bayeslmm. Prints
version, median seconds of a call after one to warm up, and −2 log restricted likelihood, as JSON. GROUPS are
columns read as text, with commas between.
"""

import json
import sys
import time
import warnings
from importlib.metadata import version
from statistics import median

import pandas as pd


def glmm(formula, data):
    import glmm

    return lambda: glmm.fit(data, formula), lambda fit: -2 * fit.loglik


def mixedlm(formula, data):
    import mixedlm

    return lambda: mixedlm.lmer(formula, data), mixedlm.REMLcrit


def lme_python(formula, data):
    import lme_python
    import polars as pl

    table = pl.DataFrame({name: data[name].tolist() for name in data})
    return lambda: lme_python.lmer(formula, data=table, reml=True), lambda fit: fit.reml_criterion


def statsmodels(formula, data):
    """Its formulas have no bars: one factor is its groups; several are variance components of one group."""
    from statsmodels.formula.api import mixedlm

    fixed, *bars = [part.strip(" ()") for part in formula.replace("+ (", "|+").split("|+")]
    parts = [[side.strip() for side in bar.split("|")] for bar in bars]
    if len(parts) == 1:
        of = {"groups": parts[0][1], "re_formula": f"~{parts[0][0]}"}
    else:
        one = pd.Series(1.0, index=data.index)
        of = {"groups": one, "vc_formula": {group: f"0 + C({group})" for _, group in parts}}
    return lambda: mixedlm(fixed, data, **of).fit(reml=True), lambda fit: -2 * fit.llf


PACKAGES = {
    "glmm": (glmm, "glmm"),
    "mixedlm": (mixedlm, "mixedlm"),
    "lme-python": (lme_python, "lme-python"),
    "statsmodels": (statsmodels, "statsmodels"),
}


def main(package: str, path: str, formula: str, groups: str, repeats: str) -> None:
    """Measure one case."""
    warnings.simplefilter("ignore")
    prepare, distribution = PACKAGES[package]
    data = pd.read_csv(path, dtype=dict.fromkeys(groups.split(","), str))
    call, criterion = prepare(formula, data)
    last, times = call(), []
    for _ in range(int(repeats)):
        start = time.perf_counter()
        last = call()
        times.append(time.perf_counter() - start)
    print(json.dumps([version(distribution), median(times), float(criterion(last))]))


if __name__ == "__main__":
    main(*sys.argv[1:])
