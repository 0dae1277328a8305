import numpy as np
import pytest

from bayeslmm.datasets import load_dataset
from bayeslmm.parity.pooling import no_pooling
from bayeslmm.spec.build import build
from bayeslmm.spec.model_spec import ModelSpec


def test_own_least_squares_are_those_of_each_subject():
    data = load_dataset("sleepstudy")
    design = build(ModelSpec("Reaction ~ Days + (Days | Subject)"), data).design
    beta = np.array([250.0, 10.0])
    (own,) = no_pooling(design, beta, [np.ones((18, 2))])
    rows = data[data["Subject"].astype(str) == design.blocks[0].levels[3]]
    slope, intercept = np.polyfit(rows["Days"], rows["Reaction"], 1)
    assert own[3] == pytest.approx([intercept - 250, slope - 10])


def test_other_terms_are_taken_off_first():
    design = build(ModelSpec("diameter ~ 1 + (1 | plate) + (1 | sample)"), load_dataset("Penicillin")).design
    rng = np.random.default_rng(1)
    plate, sample = rng.normal(size=(24, 1)), rng.normal(size=(6, 1))
    own = no_pooling(design, np.array([23.0]), [plate, sample])
    rows = design.blocks[0].codes == 0
    residual = (design.y - 23.0 - sample[design.blocks[1].codes, 0])[rows]
    assert own[0][0, 0] == pytest.approx(residual.mean())


def test_levels_that_cannot_tell_are_missing():
    data = load_dataset("sleepstudy").query("Days == 0 or Subject != '308'")
    design = build(ModelSpec("Reaction ~ Days + (Days | Subject)"), data).design
    (own,) = no_pooling(design, np.zeros(2), [np.zeros((design.blocks[0].n_levels, 2))])
    lone = design.blocks[0].levels.index("308")
    assert np.isnan(own[lone]).all()
    assert np.isfinite(np.delete(own, lone, axis=0)).all()
