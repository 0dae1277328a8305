"""Random designs, mostly awkward: any dtype, scale, shift; weights over six orders; few rows; no variance."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

FIXED = ("1", "x", "x + z", "f", "x * f", "x + I(x**2)", "0 + f", "0")
RANDOM = (
    "(1 | g)",
    "(x | g)",
    "(x || g)",
    "(0 + x | g)",
    "(1 | g) + (1 | h)",
    "(1 | g / h)",
    "(x | g) + (1 | h)",
    "cs(1 + x | g)",
)
DRESSES = {
    "x": (
        lambda x: x.astype(float) > np.median(x.astype(float)),
        lambda x: [Decimal(str(float(value))) for value in x],
    ),
    "f": (pd.Categorical, lambda f: f == "a", lambda f: pd.array(f, dtype="string")),
    "g": (pd.Categorical, lambda g: g.astype(str), lambda g: g.astype(float), lambda g: [f"{v}:" for v in g]),
    "h": (lambda h: h > 1, lambda h: pd.Categorical(h, categories=range(9)), lambda h: h.astype(object)),
    "w": (lambda w: [Decimal(str(float(value))) for value in w], lambda w: np.round(w) + 1),
}
TYPES = ("float64", "float32", "int64", "int8", "Float64", "Int32", "object")


@dataclass(frozen=True, eq=False)
class RandomDesign:
    """A model to be fitted: formula, table with weights w, whether they are used, what makes its residual.

    What it has worn on the way, shapes and types, is for those who look at a fault.
    """

    formula: str
    data: Any
    weighted: bool
    residual: Mapping[str, partial[Any]] = field(default_factory=dict)
    worn: tuple[str, ...] = ()

    @property
    def options(self) -> dict[str, Any]:
        made = {name: make() for name, make in self.residual.items()}
        return made | ({"weights": "w"} if self.weighted else {})

    def __str__(self) -> str:
        parts = [self.formula, *["weighted"] * self.weighted, *(self.worn or [f"n = {len(self.data)}"])]
        made = (f"{make.func.keyword} {make.args} {make.keywords}" for make in self.residual.values())
        return ", ".join([*parts, *made])


def random_design(seed: int) -> RandomDesign:
    """The design of a seed."""
    rng = np.random.default_rng(seed)
    n = int(rng.choice([6, 9, 15, 30, 80, 160]))
    g = rng.integers(0, max(2, n // int(rng.integers(2, 8))), n)
    h = rng.integers(0, int(rng.integers(2, 6)), n)
    f = rng.choice(list("abc"), n)
    x, z = rng.normal(size=n), rng.normal(size=n)
    sd = rng.choice([0.0, 0.1, 1.0, 30.0], 3)
    y = rng.normal() + x + sd[0] * rng.normal(size=n)[g] + sd[1] * rng.normal(size=n)[h] * x
    y = y + rng.choice([0.0, 1e-3, 1.0, 1.0, 1.0]) * rng.normal(size=n) + sd[2] * (f == "a")
    shift, scale = rng.choice([0.0, 0.0, 10.0, 2020.0]), 10.0 ** int(rng.integers(-4, 5))
    data = pd.DataFrame(
        {"y": 10.0 ** int(rng.integers(-3, 4)) * y + rng.choice([0.0, 0.0, 1e4]), "g": g, "h": h}
    )
    data["x"], data["z"], data["f"] = typed(rng, scale * x + shift), z, f
    data["w"] = 10.0 ** rng.uniform(-3, 3, n)
    return RandomDesign(f"y ~ {rng.choice(FIXED)} + {rng.choice(RANDOM)}", data, bool(rng.random() < 0.3))


def dressed(made: RandomDesign, seed: int) -> RandomDesign:
    """The same with some columns as booleans, categories, text, Decimals."""
    rng, data = np.random.default_rng([seed, 1]), made.data.copy()
    for name, dresses in DRESSES.items():
        worn = int(rng.integers(0, 2 * len(dresses)))
        if worn < len(dresses):
            data[name] = dresses[worn](data[name].to_numpy())
    return replace(made, data=data)


def typed(rng: np.random.Generator, values: np.ndarray) -> pd.Series:
    """Numbers as one of many types; whole ones where the type is."""
    kind = str(rng.choice(TYPES))
    if kind.lower().startswith("int"):
        values = np.round(np.clip(values, -100, 100))
    return pd.Series(values).astype(kind)
