"""How posteriors fall far out: the ranks against the kernel's own likelihood there, and what is improper."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bayeslmm.errors import PriorError
from bayeslmm.posterior.target import Target
from bayeslmm.spec.build import build
from bayeslmm.spec.model_spec import ModelSpec
from bayeslmm.spec.priors import Flat, HalfCauchy, HalfNormal, Normal, default_priors

FAR = 1e4  # times the response's sd: there the likelihood is a power, and still has its digits
FORMULAS = (
    "y ~ 1 + (1 | g)",
    "y ~ z + (1 | g)",
    "y ~ 1 + (1 | g) + (1 | h)",
    "y ~ z + (x || g)",
    "y ~ 1 + (1 | g/h)",
    "y ~ z + (1 | g) + (1 | h)",
    "y ~ f + (1 | g) + homdiag(0 + f | h)",
)


def design(formula, levels, seed=0, rows=30):
    rng = np.random.default_rng(seed)
    g, h = np.arange(rows) % levels[0], rng.permutation(np.arange(rows) % levels[1])
    data = {"y": rng.normal(size=rows), "x": rng.normal(size=rows), "z": g**2.0, "g": g.astype(str)}
    data |= {"h": h.astype(str), "f": rng.permutation(np.arange(rows) % 2).astype(str)}
    return build(ModelSpec(formula), pd.DataFrame(data)).design


@st.composite
def models(draw):
    levels = draw(st.tuples(st.integers(3, 5), st.integers(2, 4)))
    made = design(draw(st.sampled_from(FORMULAS)), levels, draw(st.integers(0, 10**6)))
    changes = {"beta": Normal(0.0, 1.0)} if draw(st.booleans()) else {}
    return made, default_priors(made).replace(changes)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(models(), st.data())
def test_the_likelihood_falls_by_the_rank(model, data):
    made, priors = model
    labels = [label for label in priors.falls() if label != "sigma"]
    chosen = data.draw(st.lists(st.sampled_from(labels), min_size=1, unique=True))
    falls = {label: 0.0 if label in chosen else np.inf for label in priors.falls()}
    target = Target(made, priors)
    phi = np.tile(target.start(), (2, 1))
    for place, label in zip(target.log_sds, labels, strict=True):
        if label in chosen:
            phi[:, place] = np.log(FAR) + np.log(2) * np.arange(2)
    near, far = target.log_likelihood(phi)
    tails = [priors.tail(label, falls) for label in chosen]
    whole = priors.tails.rank(tuple(chosen), priors.table)
    assert (near - far) / np.log(2) == pytest.approx(whole, abs=1e-3)
    assert min(tail.power for tail in tails) <= whole - (len(chosen) - 1)


@pytest.mark.parametrize(
    ("formula", "levels", "changes", "proper"),
    [
        ("y ~ 1 + (1 | g) + (1 | h)", (3, 2), {"sd": Flat()}, False),  # h alone has rank 1
        (
            "y ~ 1 + (1 | g) + (1 | h)",
            (3, 2),
            {"sd[h: Intercept]": HalfNormal(1.0), "sd[g: Intercept]": Flat()},
            True,
        ),
        ("y ~ 1 + (1 | g) + (1 | h)", (3, 3), {"sd": Flat()}, True),  # 2 + 2 > 2
        ("y ~ z + (1 | g)", (3, 2), {"sd": Flat()}, False),
        ("y ~ z + (1 | g)", (3, 2), {"sd": Flat(), "beta[z]": Normal(0.0, 1.0)}, True),
        ("y ~ 1 + (1 | g)", (2, 2), {"sd": HalfCauchy(1.0)}, True),
    ],
)
def test_what_is_improper(formula, levels, changes, proper):
    priors = default_priors(design(formula, levels))
    if proper:
        priors.replace(changes)
    else:
        with pytest.raises(PriorError, match="improper"):
            priors.replace(changes)


def test_two_flat_sds_of_nested_groups_share_their_levels():
    """g and h within g, 3 levels of g with one level of h each but for one: rank 2 alone, 3 together."""
    g = np.repeat([0, 1, 2], 6)
    h = np.where(g == 0, np.arange(18) % 2, 0)
    data = pd.DataFrame(
        {"y": np.sin(np.arange(18.0)), "g": g.astype(str), "h": h.astype(str), "w": (g == 1) * 1.0}
    )
    enough = default_priors(build(ModelSpec("y ~ 1 + (1 | g/h)"), data).design)
    assert enough.tails.rank(("sd[g: Intercept]", "sd[g:h: Intercept]"), enough.table) == 3
    enough.replace({"sd": Flat()})
    few = default_priors(build(ModelSpec("y ~ w + (1 | g/h)"), data).design)
    few.replace({"sd[g:h: Intercept]": Flat()})
    with pytest.raises(PriorError, match="improper"):
        few.replace({"sd": Flat()})


def test_sigma_counts_too():
    """Three rows and a mean: two dimensions, which hold one flat scale but not two."""
    data = pd.DataFrame({"y": [1.0, 2.0, 4.0], "row": list("abc")})
    priors = default_priors(build(ModelSpec("y ~ 1 + (1 | row)"), data).design)
    priors.replace({"sigma": Flat()})
    with pytest.raises(PriorError, match=r"'sd.row: Intercept.' and 'sigma' makes the posterior improper"):
        priors.replace({"sigma": Flat(), "sd": Flat()})
