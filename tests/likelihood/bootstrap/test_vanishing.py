"""Refits without variance are settled together: what a whole fit finds for each alone."""

import numpy as np
import pandas as pd
import pytest

import bayeslmm as bl
from bayeslmm.likelihood.bootstrap.reduction import RowReduction
from bayeslmm.likelihood.bootstrap.refits import Refitter
from bayeslmm.likelihood.bootstrap.vanishing import Nothing
from bayeslmm.likelihood.optimum import optimize

N = 36
ROWS = pd.DataFrame(
    {
        "y": np.random.default_rng(0).normal(size=N),
        "x": np.random.default_rng(1).normal(size=N),
        "g": np.repeat(list("abcdef"), 6),
        "h": np.tile(list("pqrs"), 9),
    }
)
BARS = {
    "one": "(1 | g)",
    "a slope": "(0 + x | g)",
    "independent": "(1 | g) + (0 + x | g)",
    "crossed": "(1 | g) + (1 | h)",
}


@pytest.mark.filterwarnings("ignore::bayeslmm.errors.SingularFitWarning")
@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("bars", BARS.values(), ids=BARS)
def test_settled_together_is_settled_alone(bars, reml):
    fit = bl.LinearMixedModel(f"y ~ x + {bars}", ROWS).fit("REML" if reml else "ML")
    refitter = Refitter.of(fit)
    responses = RowReduction(fit.design, fit.design.kernel).many(
        np.random.default_rng(2).normal(size=(25, N))
    )
    found = refitter(responses)
    gone = np.flatnonzero((found.x == 0).all(axis=1)).tolist()
    assert Nothing(refitter.objective).told and len(gone) > 3
    for i in gone:
        alone = optimize(refitter.criterion_of(responses, i), refitter.start)
        np.testing.assert_array_equal(alone.x, 0)
        assert found.criterion[i] == pytest.approx(alone.value, abs=1e-10)
        ours, theirs = found.evidence[i], alone.convergence
        assert ours.converged and found.singular[i] and not found.failed[i]
        np.testing.assert_allclose(ours.eigenvalues, theirs.eigenvalues, rtol=1e-4)
        for one, other in zip(ours.vanished, theirs.vanished, strict=True):
            assert (one.group, one.coefs, one.what) == (other.group, other.coefs, other.what)
            assert one.slope == pytest.approx(other.slope, rel=1e-6)


def test_bars_that_can_lose_one_direction_of_several_go_alone():
    model = bl.LinearMixedModel("y ~ x + (x | g)", ROWS.assign(y=ROWS["y"] + ROWS["g"].map(ord)))
    with pytest.warns(bl.BayesLMMWarning):
        fit = model.fit()
    assert not Nothing(Refitter.of(fit).objective).told
