"""A part of a large design is one of its own, and small."""

import numpy as np
import pandas as pd
import pytest

import bayeslmm as bl
from bayeslmm.parity.certificate.part import MOST_EFFECTS, OF_PART, part_of
from bayeslmm.parity.witnesses import certificate_of


def crossed(n_levels=400, n=6000):
    rng = np.random.default_rng(2)
    a, b = rng.integers(0, n_levels, n), rng.integers(0, n_levels, n)
    x, f = rng.normal(size=n), rng.choice(list("pqr"), n)
    y = x + rng.normal(size=n_levels)[a] + rng.normal(size=n_levels)[b] + rng.normal(size=n)
    return pd.DataFrame({"y": y, "x": x, "f": f, "a": a, "b": b})


@pytest.fixture(scope="module")
def model():
    return bl.LinearMixedModel(
        "y ~ x + f + (1 | a) + (1 | b)", crossed(), priors={"beta[x]": bl.Normal(0, 3)}
    )


def test_a_small_design_is_its_own_part():
    small = bl.LinearMixedModel("Yield ~ 1 + (1 | Batch)", bl.load_dataset("Dyestuff"))
    part = part_of(small.design, small.priors)
    assert part == (small.design, small.priors, "")


def test_a_part_has_rows_of_the_whole(model):
    whole, part = model.design, part_of(model.design, model.priors)
    assert whole.p + whole.q > MOST_EFFECTS
    assert 20 < part.design.p + part.design.q <= OF_PART
    assert f"{part.design.n} of {whole.n} rows" in part.about
    places = np.searchsorted(whole.rows, part.design.rows)
    np.testing.assert_array_equal(part.design.y, whole.y[places])
    for own, block in zip(part.design.blocks, whole.blocks, strict=True):
        labels = np.array(own.levels)[own.codes]
        np.testing.assert_array_equal(labels, np.array(block.levels)[block.codes[places]])
    assert part.priors.table["beta[x]"] == bl.Normal(0, 3)
    assert np.linalg.matrix_rank(part.design.X) == part.design.p


def test_known_covariances_are_those_of_the_levels():
    data = crossed(n_levels=600, n=1500)
    levels = [str(level) for level in range(600)]
    K = pd.DataFrame(0.5 ** np.abs(np.subtract.outer(range(600), range(600))), index=levels, columns=levels)
    model = bl.LinearMixedModel("y ~ x + (1 | a)", data, covariance={"a": K})
    (block,) = part_of(model.design, model.priors).design.blocks
    own = list(block.levels)
    np.testing.assert_allclose(block.known @ block.known.T, K.loc[own, own], atol=1e-12)


@pytest.mark.slow
def test_a_large_model_is_certified_on_a_part(model):
    certificate = certificate_of(model.design, model.priors, origin=model.recipe.origin)
    assert all(line.ok for line in certificate.lines), certificate
    assert "on a part" in certificate.sentence
