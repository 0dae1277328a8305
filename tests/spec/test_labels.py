from types import SimpleNamespace

from bayeslmm.spec import labels


def small_design(sigma_free=True):
    subject = SimpleNamespace(group="Subject", levels=("308", "309"), coefs=("Intercept", "Days"))
    item = SimpleNamespace(group="batch:cask", levels=("A:a",), coefs=("Intercept",))
    sds = {0: ("Intercept", "Days"), 1: ("Intercept",)}
    cors = {0: ("Intercept, Days",), 1: ()}
    return SimpleNamespace(
        coefs=("Intercept", "Days"),
        blocks=(subject, item),
        covariance=SimpleNamespace(sd_names=sds.__getitem__, cor_names=cors.__getitem__),
        residual=SimpleNamespace(sigma_free=sigma_free, labels=()),
    )


def test_parameters_come_as_beta_sd_cor_sigma():
    assert labels.parameter_labels(small_design()) == (
        "beta[Intercept]",
        "beta[Days]",
        "sd[Subject: Intercept]",
        "sd[Subject: Days]",
        "sd[batch:cask: Intercept]",
        "cor[Subject: Intercept, Days]",
        "sigma",
    )


def test_known_sigma_has_no_label():
    assert "sigma" not in labels.parameter_labels(small_design(sigma_free=False))


def test_random_effects_run_block_level_coef_with_coef_fastest():
    assert labels.ranef_labels(small_design()) == (
        "ranef[Subject=308: Intercept]",
        "ranef[Subject=308: Days]",
        "ranef[Subject=309: Intercept]",
        "ranef[Subject=309: Days]",
        "ranef[batch:cask=A:a: Intercept]",
    )


def test_a_label_tells_its_kind():
    design = small_design()
    design.residual.labels = ("phi[AR1]", "delta[Power: age]", "nugget")
    made = (*labels.parameter_labels(design), *labels.ranef_labels(design))
    assert [labels.kind_of(label) for label in made] == (
        ["beta"] * 2 + ["sd"] * 3 + ["cor", "phi", "delta", "nugget", "sigma"] + ["ranef"] * 5
    )
    assert set(map(labels.kind_of, made)) == set(labels.KINDS)


def test_what_all_coefs_share_bears_the_groups_name_alone():
    design = SimpleNamespace(
        blocks=(SimpleNamespace(group="Worker"),),
        covariance=SimpleNamespace(sd_names=lambda number: ("",), cor_names=lambda number: ("",)),
    )
    assert labels.sd_labels(design) == ("sd[Worker]",)
    assert labels.cor_labels(design) == ("cor[Worker]",)
