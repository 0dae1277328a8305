"""Intervals from simulated errors of prediction."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from bayeslmm.errors import OptionError

NEW = pd.DataFrame({"Days": [0.0, 5.0, 9.0], "Subject": ["308", "335", "new"]})


@pytest.mark.parametrize("interval", ["confidence", "prediction"])
def test_errors_are_near_what_algebra_says_and_no_smaller(sleep, interval):
    asked = {"newdata": NEW, "new_levels": "population", "interval": interval, "prob": 0.9}
    plain = sleep.predict(**asked)
    found = sleep.predict(**asked, interval_method="bootstrap", n=400, seed=3)
    assert_allclose(found["prediction"], plain["prediction"])
    assert_allclose(found["se"] / plain["se"], 1.03, atol=0.13)
    assert (found["lower"] < found["prediction"]).all() and (found["upper"] > found["prediction"]).all()


def test_same_seed_same_interval(sleep):
    def once(seed):
        return sleep.predict(NEW[:2], interval="confidence", interval_method="bootstrap", n=20, seed=seed)

    pd.testing.assert_frame_equal(once(1), once(1))
    assert not once(1).equals(once(2))


def test_without_random_effects_it_is_known(fitter):
    """Errors of β̂ are normal with Var(β̂), and the residual's are added."""
    fit = fitter("Reaction ~ Days", "sleepstudy")
    asked = {"newdata": {"Days": 4}, "interval": "prediction"}
    found = fit.predict(**asked, interval_method="bootstrap", n=4000)
    assert_allclose(found["se"], fit.predict(**asked)["se"], rtol=0.04)


def test_options(sleep):
    with pytest.raises(OptionError, match="interval_method 'boot' isn't known"):
        sleep.predict(NEW, interval_method="boot")
    with pytest.raises(OptionError, match="n is a whole number of at least 2"):
        sleep.predict(NEW[:1], interval="confidence", interval_method="bootstrap", n=1)
    assert np.isfinite(sleep.predict(NEW[:1], interval_method="bootstrap")).all()
