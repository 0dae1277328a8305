"""REML and ML fits are lme4's: all numbers of the reference files, to the digits two optimizers share."""

import json
import re
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

from bayeslmm.datasets import load_dataset
from bayeslmm.errors import BayesLMMWarning
from bayeslmm.likelihood.fit import LikelihoodFit, fit
from bayeslmm.likelihood.fitted import FitOptions
from bayeslmm.likelihood.random_effects import conditional_covariances, prediction_covariances, split
from bayeslmm.spec.block import Block
from bayeslmm.spec.build import build
from bayeslmm.spec.model_spec import ModelSpec

FOLDER = Path(__file__).parent / "lmer"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))

# lme4's `||` leaves a factor whole; written out it is the same model here
WRITTEN_OUT = {
    "score ~ Machine + (Machine || Worker)": "score ~ Machine + (1 | Worker) + (0 + Machine | Worker)"
}
# there an intercept beside all cell means: only the sum of the two terms' covariances is determined
NOT_IDENTIFIED = {"machines_double_bar_factor"}

TOLERANCES = {
    "criterion": 1e-8,
    "loglik": 1e-8,
    "AIC, BIC": 1e-8,
    "n_params": 0,
    "se": 1e-6,
    "vcov (over se)": 1e-6,
    "theta": 1e-6,
    "vcov of theta, sigma": 1e-4,
}
OTHERS = 1e-7

LARGE = [name for name in NAMES if name.startswith("insteval")]
MODELS = [pytest.param(name, marks=pytest.mark.slow) if name in LARGE else name for name in NAMES]


class Deviation(NamedTuple):
    """Some numbers of one kind: how many, and the largest difference over the kind's scale."""

    kind: str
    count: int
    worst: float


@cache
def reference(name: str) -> dict[str, Any]:
    return json.loads((FOLDER / f"{name}.json").read_text())


@cache
def data_of(name: str) -> pd.DataFrame:
    """The data with the columns the reference adds; R expressions are Python's but for `%%`."""
    data = load_dataset(reference(name)["dataset"])
    for step in reference(name)["transforms"]:
        data[step["column"]] = data.eval(step["r_expression"].replace("%%", "%"))
    return data


@cache
def fitted_model(name: str, criterion: str) -> LikelihoodFit:
    model = reference(name)
    formula = WRITTEN_OUT.get(model["formula"], model["formula"])
    spec = ModelSpec(formula, contrasts=model["contrasts"] or {}, weights=model["weights_column"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesLMMWarning)
        design, recipe = build(spec, data_of(name))
        return fit(design, FitOptions(criterion), formula, recipe)


def deviations(name: str, criterion: str) -> Iterator[Deviation]:
    """Every number of one reference fit that this package has."""
    model, ours = reference(name), fitted_model(name, criterion)
    theirs = model["fits"][criterion]
    yield from _criterion(ours, theirs)
    yield from _fixed(ours, theirs)
    yield from _rows(ours, theirs)
    if name not in NOT_IDENTIFIED:
        yield from _covariance(ours, theirs)
        yield from _ranef(ours, theirs, model)
    if theirs.get("predictions"):
        predictions = dict(theirs["predictions"])
        if name in NOT_IDENTIFIED:
            predictions.pop("partial")
        yield from _predictions(ours, predictions, data_of(name))


def _deviation(kind: str, ours: Any, theirs: Any, scale: Any) -> Deviation:
    a, b = np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float)
    assert a.shape == b.shape, (kind, a.shape, b.shape)
    worst = np.max(np.abs(a - b) / scale, initial=0.0)
    return Deviation(kind, a.size, float(worst))


def _criterion(ours: LikelihoodFit, theirs: dict[str, Any]) -> Iterator[Deviation]:
    yield _deviation("criterion", ours.criterion_value, theirs["criterion"]["value"], 1.0)
    yield _deviation("loglik", ours.loglik, theirs["logLik"], 1.0)
    yield _deviation("AIC, BIC", [ours.aic, ours.bic], [theirs["AIC"], theirs["BIC"]], 1.0)
    yield _deviation("n_params", ours.n_params, theirs["logLik_df"], 1.0)


def _fixed(ours: LikelihoodFit, theirs: dict[str, Any]) -> Iterator[Deviation]:
    se = np.array(list(theirs["se"].values()))
    yield _deviation("beta (over se)", ours.beta, list(theirs["beta"].values()), se)
    yield _deviation("se", ours.se, se, se)
    yield _deviation("vcov (over se)", ours.vcov, theirs["vcov"]["values"], np.outer(se, se))


def _covariance(ours: LikelihoodFit, theirs: dict[str, Any]) -> Iterator[Deviation]:
    yield _deviation("sigma", ours.sigma, theirs["sigma"], theirs["sigma"])
    theta = np.array([value or 0.0 for value in theirs["theta"].values()])
    if not theirs["is_singular"]:  # else T is identified, θ isn't
        yield _deviation("theta", ours.theta, theta, np.maximum(np.abs(theta), 0.2 * ours.objective.scale))
        if "satterthwaite" in theirs:
            yield _asymptotic(ours, theirs)
    used = dict.fromkeys(_blocks(ours), 0)
    factors = ours.design.covariance.factors(ours.theta_values)
    for term in theirs["varcor"]["terms"]:
        group, k = _key(term["group"]), len(term["names"])
        number = list(used).index(group)
        block = slice(used[group], used[group] + k)
        used[group] += k
        root = ours.sigma * factors[number][block, block]
        contribution = 0.2 * ours.sigma / np.sqrt(_mean_squares(ours, number)[block])
        scale = np.maximum(np.array(term["sd"]), contribution)
        yield _deviation("cov of ranef", root @ root.T, term["cov"], np.outer(scale, scale))
        yield _deviation("sd of ranef", np.sqrt(np.diag(root @ root.T)), term["sd"], scale)


def _asymptotic(ours: LikelihoodFit, theirs: dict[str, Any]) -> Deviation:
    """lmerTest differentiates numerically, in (theta, sigma)."""
    expected = np.array(theirs["satterthwaite"]["vcov_theta_sigma"], dtype=float)
    units = np.append(np.ones(len(expected) - 1), ours.sigma)
    sd = np.sqrt(np.diag(expected))
    return _deviation(
        "vcov of theta, sigma", ours.theta_sigma_vcov * np.outer(units, units), expected, np.outer(sd, sd)
    )


def _mean_squares(ours: LikelihoodFit, number: int) -> np.ndarray:
    return np.mean(ours.design.blocks[number].columns ** 2, axis=0)


def _key(group: str) -> frozenset[str]:
    return frozenset(group.split(":"))


def _blocks(ours: LikelihoodFit) -> dict[frozenset[str], int]:
    return {_key(block.group): number for number, block in enumerate(ours.design.blocks)}


def _ranef(ours: LikelihoodFit, theirs: dict[str, Any], model: dict[str, Any]) -> Iterator[Deviation]:
    numbers = _blocks(ours)
    values = split(ours.design, ours.b)
    given = [
        np.sqrt(np.einsum("jkk->jk", part)) for part in conditional_covariances(ours.conditional, ours.sigma)
    ]
    for group, effects in theirs["ranef"].items():
        number = numbers[_key(group)]
        places = _places(ours, number, group, effects["levels"])
        b, sd = np.array(effects["values"], dtype=float), np.array(effects["cond_sd"], dtype=float)
        scale = ours.sigma / np.sqrt(_mean_squares(ours, number))
        yield _deviation("BLUP (over sigma)", values[number][places], b, scale)
        yield _deviation("conditional sd (over sigma)", given[number][places], sd, scale)
        yield _deviation(
            "BLUP, sum of squares",
            np.sum(values[number] ** 2, axis=0),
            effects["sum_sq"],
            scale**2 * len(values[number]),
        )
    if "pev_sd" in theirs:
        yield _prediction_sd(ours, theirs, model)


def _places(ours: LikelihoodFit, number: int, group: str, levels: list[str]) -> list[int]:
    """Where lme4's levels are among ours; an interaction may name its columns in another order."""
    block = ours.design.blocks[number]
    place = {_cell(block.group, level): j for j, level in enumerate(block.levels)}
    return [place[_cell(group, level)] for level in levels]


def _cell(group: str, level: str) -> frozenset[tuple[str, str]]:
    return frozenset(zip(group.split(":"), level.split(":"), strict=True))


def _prediction_sd(ours: LikelihoodFit, theirs: dict[str, Any], model: dict[str, Any]) -> Deviation:
    numbers = _blocks(ours)
    covariances = prediction_covariances(ours.design, ours.conditional, ours.sigma)
    used = dict.fromkeys(numbers, 0)
    expected, scales = [], []
    for term in model["design"]["re_terms_in_lme4_order"]:
        group, k = _key(term["group"]), len(term["columns"])
        name = next(name for name in theirs["ranef"] if _key(name) == group)
        places = _places(ours, numbers[group], name, theirs["ranef"][name]["levels"])
        sd = np.sqrt(np.einsum("jkk->jk", covariances[numbers[group]]))
        expected.append(sd[places, used[group] : used[group] + k].ravel())
        scale = ours.sigma / np.sqrt(_mean_squares(ours, numbers[group]))[used[group] : used[group] + k]
        scales.append(np.tile(scale, len(places)))
        used[group] += k
    return _deviation(
        "prediction sd (over sigma)",
        np.concatenate(expected),
        theirs["pev_sd"]["values"],
        np.concatenate(scales),
    )


def _rows(ours: LikelihoodFit, theirs: dict[str, Any]) -> Iterator[Deviation]:
    kinds = {
        "fitted (over sigma)": (ours.fitted, theirs["fitted"], ours.sigma),
        "residuals (over sigma)": (ours.residuals, theirs["residuals"], ours.sigma),
        "Pearson residuals": (ours.pearson_residuals, theirs["residuals_pearson_scaled"], 1.0),
    }
    if theirs.get("hat_values"):
        kinds["hat values"] = (ours.hat_values, theirs["hat_values"], 1.0)
    for kind, (values, expected, scale) in kinds.items():
        head, tail = expected["head"], expected["tail"]
        picked = [*values.iloc[: len(head)], *values.iloc[-len(tail) :], values.min(), values.max()]
        yield _deviation(kind, picked, [*head, *tail, expected["min"], expected["max"]], scale)
        size = np.abs(values).max()
        sums = [values.sum() / size, (values**2).sum() / size**2]
        yield _deviation(kind, sums, [expected["sum"] / size, expected["sum_sq"] / size**2], len(values))


def _predictions(ours: LikelihoodFit, theirs: dict[str, Any], data: pd.DataFrame) -> Iterator[Deviation]:
    rows = data.iloc[np.array(theirs["csv_rows"]) - 1]
    fixed = ours.predict(rows, random="none", interval="confidence")
    yield _deviation("prediction, fixed", fixed["prediction"], theirs["fixed_only"], ours.sigma)
    yield _deviation("prediction, fixed: se", fixed["se"], theirs["fixed_only_se"], theirs["fixed_only_se"])
    yield _deviation("prediction, all", ours.predict(rows), theirs["conditional"], ours.sigma)
    if "new_level" in theirs:
        new = theirs["new_level"]
        unseen = rows.assign(**{new["variable_set_to_unseen_level"]: "never seen"})
        predicted = ours.predict(unseen, new_levels="population")
        yield _deviation("prediction, new level", predicted, new["conditional_allow_new_levels"], ours.sigma)
    for random, values in _partial(ours, theirs.get("partial", [])):
        yield _deviation("prediction, one term", ours.predict(rows, random=random), values, ours.sigma)
    if "new_data" in theirs:
        new = theirs["new_data"]
        frame = pd.DataFrame(new["data"])
        yield _deviation(
            "prediction, new data", ours.predict(frame, random="none"), new["fixed_only"], ours.sigma
        )
        predicted = ours.predict(frame, new_levels="population")
        yield _deviation("prediction, new data", predicted, new["conditional_allow_new_levels"], ours.sigma)


def _partial(ours: LikelihoodFit, partial: list[dict[str, Any]]) -> Iterator[tuple[list[str], list[float]]]:
    """lme4's `re.form` as names of effects: the n-th of a group is the n-th of its independent parts."""
    numbers = _blocks(ours)
    used = dict.fromkeys(numbers, 0)
    for each in partial:
        group = _key(re.search(r"\|\s*(.+?)\)", each["re_form"]).group(1).replace(" ", ""))
        block = ours.design.blocks[numbers[group]]
        coefs = _independent_parts(block)[used[group]]
        yield [f"{block.group}: {coef}" for coef in coefs], each["values"]
        used[group] += 1


def _independent_parts(block: Block) -> list[tuple[str, ...]]:
    parts, first = [], 0
    for structure in block.structures:
        coefs = block.coefs[first : first + structure.k]
        parts += [coefs] if structure.pairs else [(coef,) for coef in coefs]
        first += structure.k
    return parts


@pytest.mark.parametrize("criterion", ["REML", "ML"])
@pytest.mark.parametrize("name", MODELS)
def test_fit_is_lme4s(name: str, criterion: str) -> None:
    found = list(deviations(name, criterion))
    too_far = [each for each in found if not each.worst <= TOLERANCES.get(each.kind, OTHERS)]
    assert not too_far
    assert sum(each.count for each in found) > 50


def summary() -> pd.DataFrame:
    """How many numbers of each kind, and the worst deviation, over all 88 fits."""
    found = [each for name in NAMES for criterion in ("REML", "ML") for each in deviations(name, criterion)]
    return pd.DataFrame(found).groupby("kind").agg(numbers=("count", "sum"), worst=("worst", "max"))


if __name__ == "__main__":
    print(summary().to_string())
