"""Draws that others made, by the names that others give."""

import numpy as np
import pytest

import bayeslmm as bl
from bayeslmm.errors import InputError
from bayeslmm.parity.usual_names import usual_names

OURS = [
    "beta[Intercept]",
    "beta[Days]",
    "beta[f[T.b]]",
    "beta[Days:x]",
    "sd[Subject: Intercept]",
    "sd[Subject: Days]",
    "cor[Subject: Intercept, Days]",
    "sigma",
    "ranef[Subject=308: Intercept]",
    "ranef[Subject=308: Days]",
]
BAMBI = ["Intercept", "Days", "f[b]", "Days:x", "1|Subject_sigma", "Days|Subject_sigma", None, "sigma"]
BAMBI += ["1|Subject[308]", "Days|Subject[308]"]
BRMS = ["b_Intercept", "b_Days", "b_fb", "b_Days:x", "sd_Subject__Intercept", "sd_Subject__Days"]
BRMS += ["cor_Subject__Intercept__Days", "sigma", "r_Subject[308,Intercept]", "r_Subject[308,Days]"]
PYMC = ["beta[Intercept]", "beta[Days]", "beta[f[T.b]]", "beta[Days:x]", "sd_Subject[Intercept]"]
PYMC += ["sd_Subject[Days]", "cor_Subject[Intercept, Days]", "sigma"]
PYMC += ["ranef_Subject[308, Intercept]", "ranef_Subject[308, Days]"]


@pytest.mark.parametrize("theirs", [BAMBI, BRMS, PYMC], ids=["Bambi", "brms", "PyMC"])
def test_usual_names_are_known(theirs):
    expected = {name: label for name, label in zip(theirs, OURS, strict=True) if name}
    assert usual_names(expected, OURS) == expected


def test_what_could_mean_two_things_means_none():
    assert usual_names(["sigma_g", "b_fb"], ["sd[g: Intercept]", "beta[f[T.b]]", "beta[fb]"]) == {
        "sigma_g": "sd[g: Intercept]"
    }


def tree(**variables):
    import arviz as az

    return az.from_dict({"posterior": variables})


def test_a_tree_of_unusual_names_is_told_to_give_names():
    fit = bl.LinearMixedModel("Yield ~ (1 | Batch)", bl.load_dataset("Dyestuff")).fit()
    rng = np.random.default_rng(1)
    draws = {"zeta": rng.normal(size=(2, 50)), "omega": rng.normal(size=(2, 50))}
    with pytest.raises(InputError, match=r"names=\{'zeta': 'beta\[Intercept\]'\}"):
        bl.compare(fit, tree(**draws))
    par = bl.compare(fit, tree(**draws), names={"zeta": "beta[Intercept]"})
    assert "beta[Intercept]" in set(par.table["label"])


def test_brms_draws_are_compared_as_they_are():
    fit = bl.LinearMixedModel("Yield ~ (1 | Batch)", bl.load_dataset("Dyestuff")).fit()
    rng = np.random.default_rng(1)
    names = ("b_Intercept", "sd_Batch__Intercept", "sigma")
    par = bl.compare(fit, tree(**{name: 5 + rng.normal(size=(2, 50)) for name in names}))
    table = par.table.set_index("label")
    assert table.loc[["beta[Intercept]", "sd[Batch: Intercept]", "sigma"], "mean"].notna().all()
