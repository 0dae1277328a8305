"""Eight schools against the published reference posterior."""

import numpy as np
import pandas as pd
import pytest

import bayeslmm as bl

# Gelman et al. 2013, section 5.5; posteriordb, eight_schools (mu ~ N(0, 5), tau ~ half-Cauchy(0, 5)):
# means and their Monte Carlo standard errors
SCHOOLS = pd.DataFrame(
    {
        "school": list("ABCDEFGH"),
        "effect": [28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0],
        "se": [15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0],
    }
)
MU, TAU = (4.4105183, 0.0330375), (3.6020595, 0.0318615)
THETA = [6.1505023, 4.9395811, 3.9059061, 4.7960168, 3.6144364, 4.0511476, 6.3171698, 4.8839969]
THETA_MCSE = [0.0557375, 0.0462294, 0.0542314, 0.0474936, 0.0461451, 0.0485195, 0.0498767, 0.0542512]


@pytest.fixture(scope="module")
def model():
    return bl.LinearMixedModel(
        "effect ~ 1 + (1 | school)",
        SCHOOLS,
        weights=1 / SCHOOLS["se"] ** 2,
        sigma=1.0,
        priors={"beta": bl.Normal(0, 5), "sd": bl.HalfStudentT(1, 5)},
    )


@pytest.mark.parametrize(
    "method", ["importance", "quadrature", pytest.param("marginal", marks=pytest.mark.slow)]
)
def test_means_are_those_of_the_reference(model, method):
    post = model.sample(draws=2500, seed=8, method=method, progress=False)
    assert post.method == method
    assert all(check.passed for check in post.checks)
    frame = post.estimates(ranef=True).frame
    for label, (mean, mcse) in {"beta[Intercept]": MU, "sd[school: Intercept]": TAU}.items():
        row = frame.loc[label]
        assert abs(row["mean"] - mean) < 4 * np.hypot(row["mcse"], mcse)
    mu = frame.loc["beta[Intercept]"]
    for school, mean, mcse in zip(SCHOOLS["school"], THETA, THETA_MCSE, strict=True):
        b = frame.loc[f"ranef[school={school}: Intercept]"]
        assert abs(mu["mean"] + b["mean"] - mean) < 4 * np.hypot(mcse, mu["mcse"] + b["mcse"])
