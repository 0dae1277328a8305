"""Ten models on packaged data, between them every kind of design, whose numbers are frozen."""

import warnings
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

import bayeslmm as bl
from bayeslmm.errors import BayesLMMWarning


@dataclass(frozen=True)
class Golden:
    """A model whose numbers are frozen.

    Attributes
    ----------
    formula, dataset, options : of the model. hypothesis : tested with every ddf.
    slow : what takes seconds is left out: profiles, quadrature, the bootstrap's other kinds.
    """

    formula: str
    dataset: str
    options: dict[str, Any] = field(default_factory=dict)
    hypothesis: str = "Intercept = 0"
    slow: bool = False


MODELS = {
    "sleepstudy": Golden("Reaction ~ Days + (Days | Subject)", "sleepstudy", hypothesis="Days = 0"),
    "sleepstudy_weights": Golden(
        "Reaction ~ Days + offset(o) + (Days || Subject)",
        "sleepstudy",
        {"weights": "w"},
        hypothesis="Days - 0.1 * Intercept = 0",
    ),
    "dyestuff": Golden("Yield ~ 1 + (1 | Batch)", "Dyestuff"),
    "dyestuff2_singular": Golden("Yield ~ 1 + (1 | Batch)", "Dyestuff2"),
    "dyestuff_sigma": Golden("Yield ~ 1 + (1 | Batch)", "Dyestuff", {"sigma": 50.0}),
    "penicillin": Golden("diameter ~ 1 + (1 | plate) + (1 | sample)", "Penicillin"),
    "pastes": Golden("strength ~ 1 + (1 | batch / cask)", "Pastes"),
    "machines": Golden(
        "score ~ Machine + (0 + Machine | Worker)", "Machines", hypothesis="Machine[T.B] = 0", slow=True
    ),
    "oats": Golden(
        "`yield` ~ Variety * nitro + (1 | Block / Variety)",
        "Oats",
        {"contrasts": {"Variety": "sum"}},
        hypothesis="nitro = 0",
        slow=True,
    ),
    "orthodont_cs": Golden(
        "distance ~ age * Sex + cs(1 + age | Subject)", "Orthodont", hypothesis="age = 0", slow=True
    ),
}


@cache
def model_of(name: str) -> bl.LinearMixedModel:
    """The model, its data with weights w and offsets o beside."""
    golden = MODELS[name]
    return bl.LinearMixedModel(golden.formula, data_of(golden.dataset), **golden.options)


@cache
def data_of(dataset: str) -> pd.DataFrame:
    data = bl.load_dataset(dataset)
    place = np.arange(len(data))
    return data.assign(w=1.0 + place % 3, o=np.sin(place))


@cache
def fit_of(name: str, criterion: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesLMMWarning)
        return model_of(name).fit(criterion)
