"""Layouts and models that the tests of closed forms share."""

import warnings

import numpy as np

import bayeslmm as bl
from bayeslmm.errors import SingularFitWarning

UNEQUAL = [2, 5, 3, 1, 6]


def random_layout(sizes, seed=0, ratio=1.0, origin=10.0):
    """A one-way layout with rows in random order."""
    rng = np.random.default_rng(seed)
    group = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    effects = np.sqrt(ratio) * rng.normal(size=len(sizes))
    return bl.textbook.one_way(origin + effects[group] + rng.normal(size=len(group)), group)


def random_model(n=12, p=2, q=3, seed=0):
    """A mixed model with dense covariances."""
    rng = np.random.default_rng(seed)
    roots = (rng.normal(size=(size, size + 2)) for size in (q, n))
    G, R = (root @ root.T for root in roots)
    X, Z = rng.normal(size=(n, p)), rng.normal(size=(n, q))
    return bl.textbook.mixed_model(rng.normal(size=n), X, Z, G, R)


def fitted(formula, data, criterion="REML"):
    """The engine's fit, singular or not."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SingularFitWarning)
        return bl.LinearMixedModel(formula, data).fit(criterion)


def variances(fit):
    """Variances by group, the residual's as "Residual"."""
    table = fit.varcorr
    return table[table["kind"] == "var"].set_index("group")["value"].to_dict()


def simulated_sums(layout, n, ratio=1.0, seed=0):
    """(n,) SSA and (n,) SSE of new responses, σ²_E = 1, by their quadratic forms."""
    rng = np.random.default_rng(seed)
    effects = np.sqrt(ratio) * rng.normal(size=(n, layout.k))
    y = effects[:, layout.codes] + rng.normal(size=(n, layout.N))
    return tuple(np.sum(y @ form * y, axis=1) for form in bl.textbook.quadratic_forms(layout))
