"""BLUPs of realized means: Henderson's and the engine's."""

import numpy as np
import pytest

import bayeslmm as bl
from bayeslmm.errors import OptionError
from tests.textbook.layouts import UNEQUAL, fitted, random_layout


@pytest.mark.parametrize("sizes", [[4, 4, 4], UNEQUAL])
def test_predictions_and_their_errors_are_hendersons(sizes):
    layout = random_layout(sizes)
    found = bl.textbook.realized_means(layout, 2.0, 3.0)
    X, Z, _ = layout.matrices(2.0, 3.0)
    k = layout.k
    effects = bl.textbook.henderson(
        bl.textbook.mixed_model(layout.y, X, Z, 2.0 * np.eye(k), 3.0 * np.eye(layout.N))
    )
    sums = np.column_stack([np.ones(k), np.eye(k)])
    np.testing.assert_allclose(found.effect, effects.b, atol=1e-12)
    assert (found.mu, found.se_mu**2) == pytest.approx((effects.beta[0], effects.vcov[0, 0]), rel=1e-12)
    np.testing.assert_allclose(found.se_prediction**2, np.diag(sums @ effects.vcov @ sums.T), rtol=1e-12)


@pytest.mark.parametrize("name", ["Dyestuff", "Dyestuff_unbal"])
def test_shrinkage_is_the_engines(name):
    dyes = bl.load_dataset(name)
    layout = bl.textbook.one_way(dyes["Yield"], dyes["Batch"])
    components = bl.textbook.reml_estimates(layout)
    found = bl.textbook.realized_means(layout, components.var_A, components.var_E)
    fit = fitted("Yield ~ 1 + (1 | Batch)", dyes)
    np.testing.assert_allclose(fit.ranef()["Batch"]["Intercept"], found.effect, rtol=1e-7, atol=1e-9)
    assert fit.se.iloc[0] == pytest.approx(found.se_mu, rel=1e-8)
    np.testing.assert_allclose(fit.fitted, found.blup[layout.codes], rtol=1e-10)


def test_weights_lie_between_no_pooling_and_complete_pooling():
    layout = random_layout(UNEQUAL)
    none, some, all_ = (bl.textbook.realized_means(layout, var, 1.0) for var in (1e12, 1.0, 0.0))
    np.testing.assert_allclose(none.blup, layout.means, rtol=1e-9)
    np.testing.assert_allclose(all_.blup, layout.grand_mean, rtol=1e-12)
    assert np.all((some.weight > 0) & (some.weight < 1))
    assert list(np.argsort(some.weight)) == list(np.argsort(UNEQUAL))
    with pytest.raises(OptionError, match="var_A is -1"):
        bl.textbook.realized_means(layout, -1.0, 1.0)
