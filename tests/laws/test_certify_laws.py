"""A density written out by hand is certified for any design, and each fault in it has its own name."""

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import bayeslmm as bl
from bayeslmm.spec.labels import cor_labels_of, sd_labels_of

FORMULAS = (
    "y ~ x + f + offset(o) + (x | g)",
    "y ~ x + f + offset(o) + (1 | g) + (1 | h)",
    "y ~ f * x + offset(o) + (x || g) + (1 | h)",
    "y ~ x + f + offset(o) + (1 + x + z | g)",
)
SEVERAL = settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))


def model_of(formula, seed):
    rng = np.random.default_rng(seed)
    g, h = np.repeat(np.arange(5), 9), rng.permutation(np.arange(45) % 4)
    x, z = rng.normal(rng.normal(), 1, 45), rng.normal(size=45)
    y = 3 + x + rng.normal(size=5)[g] * (1 + x) + rng.normal(size=4)[h] + rng.normal(size=45)
    columns = {"y": y, "x": x, "z": z, "f": rng.permutation(np.arange(45) % 3).astype(str)}
    given = {"o": rng.normal(size=45), "w": rng.uniform(0.5, 2, 45), "g": g, "h": h}
    return bl.LinearMixedModel(formula, pd.DataFrame(columns | given), weights="w")


def names_of(design):
    names = {"s": "sigma", "beta": [f"beta[{coef}]" for coef in design.coefs]}
    for b, block in enumerate(design.blocks):
        names[f"sd{b}"] = list(sd_labels_of(design, b))
        names[f"b{b}"] = f"ranef[{block.group}]"
        if cor := cor_labels_of(design, b):
            names[f"cor{b}"] = list(cor)
    return names


def covariance(design, values, number):
    """T (k, k) of a block: correlations of all pairs, or none."""
    sd = np.asarray(values[f"sd{number}"])
    R = np.eye(len(sd))
    for (i, j), r in zip(design.covariance.block_pairs(number), values.get(f"cor{number}", ()), strict=True):
        R[i, j] = R[j, i] = r
    return sd[:, None] * R * sd


def density(design, X=None, weights=None, offset=None, codes=None, T=covariance, constant=0.0):
    """log p(y, b | β, ω) and its gradient by β and b, with what is given in place of the design's."""
    X = design.X if X is None else X
    w = design.residual.shown["weights"] if weights is None else weights
    offset = design.offset if offset is None else offset
    places = [block.codes for block in design.blocks] if codes is None else codes

    def logp(values):
        s = values["s"]
        shapes = [(block.n_levels, block.k) for block in design.blocks]
        effects = [np.reshape(values[f"b{b}"], shape) for b, shape in enumerate(shapes)]
        r = design.y - offset - X @ values["beta"]
        for block, own, b in zip(design.blocks, places, effects, strict=True):
            r = r - (block.columns * b[own]).sum(axis=1)
        value = constant - 0.5 * np.sum(w * r**2) / s**2 - 0.5 * np.sum(np.log(2 * np.pi * s**2 / w))
        gradient = {"beta": X.T @ (w * r) / s**2}
        for number, (block, own, b) in enumerate(zip(design.blocks, places, effects, strict=True)):
            precision = np.linalg.inv(T(design, values, number))
            value += 0.5 * block.n_levels * np.linalg.slogdet(precision / (2 * np.pi))[1]
            value -= 0.5 * np.einsum("ji,ik,jk->", b, precision, b)
            sums = np.zeros_like(b)
            np.add.at(sums, own, (w * r)[:, None] * block.columns)
            gradient[f"b{number}"] = sums / s**2 - b @ precision
        return value, gradient

    return logp


def changed(X, name, coefs, change):
    out = X.copy()
    out[:, coefs.index(name)] = change(out[:, coefs.index(name)])
    return out


def mixed(design):
    out, (i, j) = design.X.copy(), (design.coefs.index("f[T.1]"), design.coefs.index("f[T.2]"))
    out[:, i], out[:, j] = design.X[:, i] - design.X[:, j], design.X[:, i] + 2 * design.X[:, j]
    return out


def first_two_swapped(design):
    codes = [block.codes for block in design.blocks]
    own = codes[0]
    return [np.where(own == 0, 1, np.where(own == 1, 0, own)), *codes[1:]]


FAULTS = {
    "weights": lambda d: {"weights": d.residual.shown["weights"] ** 2},
    "offset": lambda d: {"offset": -d.offset},
    "scale": lambda d: {"X": changed(d.X, "x", d.coefs, lambda x: 7 * x)},
    "centring": lambda d: {"X": changed(d.X, "x", d.coefs, lambda x: x - x.mean() - 0.5)},
    "contrasts": lambda d: {"X": mixed(d)},
    "levels": lambda d: {"codes": first_two_swapped(d)},
    "standard deviation": lambda d: {"T": lambda *given: covariance(*given) * 4},
    "constant": lambda d: {"constant": 1.5},
}


@SEVERAL
@given(st.sampled_from(FORMULAS), st.integers(0, 1000))
def test_a_density_by_hand_is_certified(formula, seed):
    model = model_of(formula, seed)
    found = bl.certify(density(model.design), model, names=names_of(model.design))
    assert found.certified, found


@SEVERAL
@given(st.sampled_from(FORMULAS[:2]), st.integers(0, 1000), st.sampled_from(sorted(FAULTS)))
def test_a_fault_has_its_own_name(formula, seed, kind):
    model = model_of(formula, seed)
    theirs = density(model.design, **FAULTS[kind](model.design))
    found = bl.certify(theirs, model, names=names_of(model.design))
    assert found.kinds == (kind,), found


@SEVERAL
@given(st.integers(0, 1000))
def test_effects_without_their_correlation(seed):
    model = model_of(FORMULAS[0], seed)

    def diagonal(*given):
        return np.diag(np.diag(covariance(*given)))

    found = bl.certify(density(model.design, T=diagonal), model, names=names_of(model.design))
    assert found.kinds == ("correlation",), found
