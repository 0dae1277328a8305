"""Every public number of a model, by section and name, as plain lists of floats.

``python -m tests.golden.collect`` freezes them anew in `values.json`: only where a number is meant to change,
and the commit says which, with the old and the new value.
"""

import json
import warnings
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import bayeslmm as bl
from bayeslmm.errors import BayesLMMError, BayesLMMWarning
from tests.golden.models import MODELS, data_of, fit_of, model_of

FROZEN = Path(__file__).parent / "values.json"
KINDS = ("parametric", "residual", "cases", "wild", "random-effects block")
DDF = ("satterthwaite", "kenward-roger", "residual", "normal")

type Numbers = dict[str, list[float]]


def numbers(prefix: str, value: Any) -> Iterator[tuple[str, list[float]]]:
    """A result's numbers: a frame's by column, a mapping's by key, anything else as one list."""
    if isinstance(value, pd.DataFrame):
        for column in value.select_dtypes(["number", "bool"]):
            yield f"{prefix}.{column}", np.asarray(value[column], dtype=float).tolist()
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from numbers(f"{prefix}.{key}", each)
    else:
        yield prefix, np.asarray(value, dtype=float).ravel().tolist()


def collected(parts: dict[str, Callable[[], Any]]) -> Numbers:
    """The numbers of each part; one that the model doesn't have is known by the error's name."""
    out: Numbers = {}
    for name, part in parts.items():
        try:
            out.update(numbers(name, part()))
        except BayesLMMError as error:
            out[f"{name}: {type(error).__name__}"] = []
    return out


def kernel(name: str) -> Numbers:
    """(log|V0|, A) and the criterion with its gradient at a fixed θ, and V itself."""
    fit, model = fit_of(name, "REML"), model_of(name)
    design = model.design
    theta = design.covariance.start() * np.linspace(0.7, 1.2, design.n_theta)
    moments = design.kernel.moments(design.covariance.flat(theta))
    return collected(
        {
            "logdet": lambda: moments.logdet,
            "A": lambda: np.abs(moments.A),  # an orthonormal basis is known up to signs
            "criterion": lambda: fit.objective(theta)[0],
            "gradient": lambda: fit.objective(theta)[1],
            "V": lambda: model.V(theta, 2.0)[0],
        }
    )


def fitted(name: str, criterion: str) -> Numbers:
    """What a fit says of itself."""
    fit = fit_of(name, criterion)
    return collected(
        {
            "theta": lambda: fit.theta,
            "beta": lambda: fit.beta,
            "se": lambda: fit.se,
            "vcov": lambda: fit.vcov,
            "sigma": lambda: fit.sigma,
            "n_params": lambda: fit.n_params,
            "varcorr": lambda: fit.varcorr,
            "ranef": lambda: fit.ranef_table(),
            "fitted": lambda: fit.fitted,
            "residuals": lambda: fit.residuals,
            "pearson": lambda: fit.pearson_residuals,
            "hat": lambda: fit.hat_values,
            "theta_sigma_vcov": lambda: fit.theta_sigma_vcov,
            "estimates": lambda: fit.estimates(ranef=True).frame,
            "simulate": lambda: fit.simulate(2, seed=3),
        }
    )


def criteria(name: str) -> Numbers:
    """The criterion at the optimum and what follows from it alone."""
    fits = {criterion: fit_of(name, criterion) for criterion in ("REML", "ML")}
    return collected(
        {
            f"{criterion}.{what}": lambda fit=fit, what=what: getattr(fit, what)
            for criterion, fit in fits.items()
            for what in ("criterion_value", "loglik", "aic", "bic")
        }
    )


def inference(name: str) -> Numbers:
    """Tests and intervals."""
    fit, golden = fit_of(name, "REML"), MODELS[name]
    parts: dict[str, Callable[[], Any]] = {}
    for ddf in DDF:
        parts[f"coef_table.{ddf}"] = lambda ddf=ddf: fit.coef_table(ddf)
        parts[f"test.{ddf}"] = lambda ddf=ddf: fit.test(golden.hypothesis, ddf=ddf).rows
        parts[f"anova.{ddf}"] = lambda ddf=ddf: {kind: fit.anova(kind, ddf) for kind in (1, 2, 3)}
    parts["vcov_kenward_roger"] = lambda: fit.vcov_kenward_roger
    parts["ranova"] = lambda: fit.ranova()
    if not golden.slow:
        parts["profile"] = lambda: fit_of(name, "ML").confint("profile")
    return collected(parts)


def predictions(name: str) -> Numbers:
    """For the fitted rows and for some of them as new ones; the last one's levels are unseen."""
    fit = fit_of(name, "REML")
    new = data_of(MODELS[name].dataset).iloc[[0, 7, 11]].copy()
    groups = list(dict.fromkeys(block.group.split(":")[0] for block in model_of(name).design.blocks))
    new[groups] = new[groups].astype(object)
    new.iloc[-1, new.columns.get_indexer(groups)] = "somebody new"
    population = {"new_levels": "population"}
    return collected(
        {
            "fitted rows": lambda: fit.predict(interval="confidence"),
            "no effects": lambda: fit.predict(random="none", interval="prediction"),
            "new": lambda: fit.predict(new, **population, interval="confidence"),
            "one group": lambda: fit.predict(new, random=groups[:1], **population),
            "draw": lambda: fit.predict(new, new_levels="draw", seed=5),
        }
    )


def replicates(name: str) -> Numbers:
    """Bootstrap replicates of a seed, by every kind, and their intervals."""
    fit = fit_of(name, "REML")
    kinds = ("parametric",) if MODELS[name].slow else KINDS
    runs = {kind: lambda kind=kind: fit.bootstrap(8, kind, seed=4, progress=False).draws for kind in kinds}
    runs["intervals"] = lambda: fit.bootstrap(40, seed=4, progress=False, se=True).confint("studentized")
    return collected(runs)


def posterior(name: str) -> Numbers:
    """The graph's priors, by their scales, and the quadrature's numbers, which hang on no seed."""
    model = model_of(name)
    scales = {label: list(asdict(prior).values()) for label, prior in model.priors.table.items()}
    parts: dict[str, Callable[[], Any]] = {"priors": lambda: scales}
    if not MODELS[name].slow:
        run = model.sample(method="quadrature", seed=1, draws=50, chains=2, progress=False)
        columns = ["mean", "median", "sd", "lower", "upper"]
        parts["quadrature"] = lambda: run.estimates(ranef=True).frame[columns]
        parts["parity"] = lambda: bl.compare(fit_of(name, "REML"), run).table
    return collected(parts)


SECTIONS: dict[str, Callable[[str], Numbers]] = {
    "kernel": kernel,
    "criteria": criteria,
    "REML": lambda name: fitted(name, "REML"),
    "ML": lambda name: fitted(name, "ML"),
    "inference": inference,
    "predictions": predictions,
    "replicates": replicates,
    "posterior": posterior,
}


def section(name: str, what: str) -> Numbers:
    """One section of a model's numbers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesLMMWarning)
        return SECTIONS[what](name)


def main() -> None:
    found = {name: {what: section(name, what) for what in SECTIONS} for name in MODELS}
    FROZEN.write_text(json.dumps(found, indent=0) + "\n")


if __name__ == "__main__":
    main()
