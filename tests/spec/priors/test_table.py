import math
import pickle

import numpy as np
import pandas as pd
import pytest

from bayeslmm.datasets import load_dataset
from bayeslmm.errors import PriorError
from bayeslmm.spec.build import build
from bayeslmm.spec.design import Design
from bayeslmm.spec.model_spec import ModelSpec
from bayeslmm.spec.priors import (
    LKJ,
    Exponential,
    Flat,
    HalfNormal,
    HalfStudentT,
    Normal,
    Priors,
    TruncatedNormal,
    Uniform,
    default_priors,
)


def design(
    formula: str = "Reaction ~ Days + (Days | Subject)",
    dataset: str = "sleepstudy",
    sigma: float | None = None,
) -> Design:
    return build(ModelSpec(formula, sigma=sigma), load_dataset(dataset)).design


@pytest.fixture
def priors() -> Priors:
    return default_priors(design())


def test_defaults_are_bambis(priors: Priors) -> None:
    # Bambi's documentation of sleepstudy: HalfNormal(261.0), HalfNormal(48.9), HalfStudentT(4, 56.2)
    intercept, slope = priors.sd["Subject"]
    assert isinstance(intercept, HalfNormal)
    assert isinstance(slope, HalfNormal)
    assert isinstance(priors.sigma, HalfStudentT)
    assert round(intercept.scale, 1) == 261.0
    assert round(slope.scale, 1) == 48.9
    assert (priors.sigma.df, round(priors.sigma.scale, 1)) == (4.0, 56.2)
    assert priors.beta == (Flat(), Flat())
    assert priors.cor == {"Subject": LKJ(2.0)}


def test_no_correlation_no_prior() -> None:
    priors = default_priors(design("Reaction ~ Days + (Days || Subject)"))
    assert priors.cor == {"Subject": None}
    assert len(priors.sd["Subject"]) == 2


def test_known_sigma_has_no_prior() -> None:
    assert "sigma" not in default_priors(design(sigma=25.0)).table


def test_default_scales_follow_the_units() -> None:
    data = load_dataset("sleepstudy").assign(
        Reaction=lambda d: d["Reaction"] * 1e-3, Days=lambda d: d["Days"] * 24
    )
    hours = default_priors(build(ModelSpec("Reaction ~ Days + (Days | Subject)"), data).design)
    days = default_priors(design())
    for new, old, factor in zip(hours.sd["Subject"], days.sd["Subject"], (1e-3, 1e-3 / 24), strict=True):
        assert isinstance(new, HalfNormal)
        assert isinstance(old, HalfNormal)
        assert new.scale == pytest.approx(old.scale * factor)


def test_random_slope_without_the_fixed_one() -> None:
    priors = default_priors(design("Reaction ~ 1 + (0 + Days | Subject)"))
    (slope,) = priors.sd["Subject"]
    assert isinstance(slope, HalfNormal)
    assert round(slope.scale, 1) == 48.9


def test_the_narrower_name_wins_in_any_order(priors: Priors) -> None:
    for changes in (
        {"sd": Exponential(1), "sd[Subject]": Exponential(2), "sd[Subject: Days]": Exponential(3)},
        {"sd[Subject: Days]": Exponential(3), "sd[Subject]": Exponential(2), "sd": Exponential(1)},
    ):
        assert priors.replace(changes).sd["Subject"] == (Exponential(2), Exponential(3))


def test_replace_by_kind_and_label(priors: Priors) -> None:
    new = priors.replace(
        {"beta": Normal(0, 10), "beta[Days]": Normal(5, 1), "cor": LKJ(1), "sigma": Exponential(9)}
    )
    assert new.beta == (Normal(0, 10), Normal(5, 1))
    assert new.cor == {"Subject": LKJ(1)}
    assert new.sigma == Exponential(9)
    assert priors.sigma == default_priors(design()).sigma  # untouched


def test_groups_with_alike_names_arent_mixed_up() -> None:
    priors = default_priors(design("yield ~ 1 + (1 | Block/Variety)", "Oats"))
    new = priors.replace({"sd[Block]": Exponential(1.0)})
    assert new.sd["Block"] == (Exponential(1.0),)
    assert new.sd["Block:Variety"] == priors.sd["Block:Variety"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sd[Sbject]": Exponential(1)}, r"'sd\[Sbject\]'.*did you mean 'sd\[Subject\]'"),
        ({"tau": Exponential(1)}, r"there are beta\[Intercept\]"),
        ({"beta": HalfNormal(1)}, "HalfNormal doesn't fit.*Normal"),
        ({"sd": Normal(0, 1)}, "Normal doesn't fit.*HalfNormal"),
        ({"sigma": LKJ(1)}, "LKJ doesn't fit"),
        ({"cor[Subject]": Flat()}, "what does: LKJ"),
        ({"sigma": 3.0}, "is a float"),
        ({"sd": Uniform(-1, 5)}, r"Uniform\(lower=-1, upper=5\) reaches below 0.*truncate it"),
        ({"sigma": TruncatedNormal(1, 1, -math.inf)}, "reaches below 0"),
    ],
)
def test_bad_changes(priors: Priors, changes: dict, message: str) -> None:
    with pytest.raises(PriorError, match=message):
        priors.replace(changes)


@pytest.mark.parametrize(
    ("formula", "changes", "message"),
    [
        ("Reaction ~ Days + (1 | Subject)", {"cor": LKJ(2)}, "'cor' to give a prior: .* no correlations"),
        ("Reaction ~ Days + (1 | Subject)", {"cor[Subject]": LKJ(2)}, "no correlations"),
        ("Reaction ~ Days + (1 | Subject)", {"sigma": Exponential(1)}, "sigma is known, given as sigma="),
        ("Reaction ~ Days + (1 | Subject)", {"sigme": Exponential(1)}, r"there are beta\[Intercept\]"),
        ("Reaction ~ Days", {"sd": Exponential(1)}, "no random effects"),
        ("Reaction ~ Days", {"sd[Subject: Days]": Exponential(1)}, "no random effects"),
        ("Reaction ~ 0 + (1 | Subject)", {"beta": Flat()}, "no fixed effects"),
    ],
)
def test_what_the_model_lacks(formula: str, changes: dict, message: str) -> None:
    with pytest.raises(PriorError, match=message) as caught:
        default_priors(design(formula, sigma=25.0)).replace(changes)
    assert f"mean {next(iter(changes))!r}" not in str(caught.value)


def test_flat_sd_needs_three_levels(priors: Priors) -> None:
    assert priors.replace({"sd": Flat()}).sd["Subject"] == (Flat(), Flat())
    few = default_priors(design("logDens ~ 1 + (1 | Block)", "Assay"))
    with pytest.raises(PriorError, match="improper: the fixed part leaves 1 independent levels"):
        few.replace({"sd[Block]": Flat()})


def test_shown_whole(priors: Priors) -> None:
    frame = priors.to_frame()
    assert list(frame.index) == [
        "beta[Intercept]",
        "beta[Days]",
        "sd[Subject: Intercept]",
        "sd[Subject: Days]",
        "cor[Subject]",
        "sigma",
    ]
    assert frame.loc["sd[Subject: Days]", "prior"] == "HalfNormal(scale=48.89)"
    assert all(label in repr(priors) and label in priors._repr_html_() for label in frame.index)


def test_pickles(priors: Priors) -> None:
    assert pickle.loads(pickle.dumps(priors)).table == priors.table


def test_constant_response_with_known_sigma() -> None:
    data = load_dataset("sleepstudy").assign(Reaction=1.0)
    built = build(ModelSpec("Reaction ~ 1 + (1 | Subject)", sigma=2.0), data).design
    (prior,) = default_priors(built).sd["Subject"]
    assert np.isfinite(prior.logpdf(1.0))


@pytest.mark.parametrize("shift", [0.0, 2015.0])
def test_an_intercept_s_scale_is_the_response_s_wherever_covariates_are(shift: float) -> None:
    data = load_dataset("sleepstudy").assign(Days=lambda d: d["Days"] + shift)
    priors = default_priors(build(ModelSpec("Reaction ~ Days + (1 | Subject)"), data).design)
    (intercept,) = priors.sd["Subject"]
    assert isinstance(intercept, HalfNormal)
    assert intercept.scale == pytest.approx(2.5 * data["Reaction"].std(ddof=0))


def test_an_intercept_beside_a_slope_lies_at_its_origin() -> None:
    data = load_dataset("sleepstudy")
    centred = data.assign(Days=data["Days"] - data["Days"].mean())
    scales = [
        default_priors(build(ModelSpec("Reaction ~ Days + (Days | Subject)"), d).design)
        .sd["Subject"][0]
        .scale
        for d in (data, centred)
    ]
    assert scales[0] == pytest.approx(scales[1] * np.hypot(1, 4.5 / data["Days"].std(ddof=0)))


def test_a_flat_prior_is_refused_by_rank_not_by_levels() -> None:
    """Three levels and a covariate that is constant within them: one is left."""
    g = np.repeat(np.arange(3), 5)
    data = pd.DataFrame({"y": np.arange(15) % 4 + g, "g": g.astype(str), "z": g**2 + 0.0})
    plain = default_priors(build(ModelSpec("y ~ 1 + (1 | g)"), data).design)
    assert plain.replace({"sd": Flat()}).sd["g"] == (Flat(),)
    with pytest.raises(PriorError, match="improper: the fixed part leaves 1 independent levels"):
        default_priors(build(ModelSpec("y ~ z + (1 | g)"), data).design).replace({"sd": Flat()})
