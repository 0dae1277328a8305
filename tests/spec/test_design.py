import pickle
import warnings
from dataclasses import replace

import numpy as np
import pytest

from bayeslmm.datasets import load_dataset
from bayeslmm.spec.block import block_matrix
from bayeslmm.spec.build import build
from bayeslmm.spec.design import Design
from bayeslmm.spec.model_spec import ModelSpec


@pytest.fixture
def design() -> Design:
    return build(ModelSpec("strength ~ 1 + (1 | batch/cask)"), load_dataset("Pastes")).design


def test_block_matrix() -> None:
    Z = block_matrix(np.array([1, 0, -1]), np.array([[1.0, 2.0], [1.0, 0.0], [1.0, 5.0]]), 2)
    np.testing.assert_array_equal(Z.toarray(), [[0, 0, 1, 2], [1, 0, 0, 0], [0, 0, 0, 0]])
    assert Z.nnz == 3  # zeros aren't stored


def test_z_goes_block_by_block_level_by_level(design: Design) -> None:
    batch, cask = design.blocks
    dense = design.Z.toarray()
    assert dense.shape == (60, 40) == (design.n, design.q)
    np.testing.assert_array_equal(dense[:, :10].argmax(axis=1), batch.codes)
    np.testing.assert_array_equal(dense[:, 10:].argmax(axis=1), cask.codes)
    np.testing.assert_array_equal(dense.sum(axis=1), 2)


def test_terms_show_z_by_group(design: Design) -> None:
    terms = design.terms()
    assert list(terms) == ["batch", "batch:cask"]
    np.testing.assert_array_equal(np.hstack([Z.toarray() for Z in terms.values()]), design.Z.toarray())


def test_arrays_are_read_only(design: Design) -> None:
    for array in (design.y, design.X, design.offset, design.rows, design.blocks[0].columns):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_sizes(design: Design) -> None:
    assert (design.n, design.p, design.q, design.n_theta) == (60, 1, 40, 2)
    assert [block.q for block in design.blocks] == [10, 30]


def test_no_bars() -> None:
    design = build(ModelSpec("strength ~ batch"), load_dataset("Pastes")).design
    assert (design.q, design.n_theta, design.blocks) == (0, 0, ())
    assert design.Z.shape == (60, 0)
    assert design.terms() == {}


def test_pickles_without_what_is_cached(design: Design) -> None:
    assert design.covariance.n_theta == 2
    again = pickle.loads(pickle.dumps(design))
    assert "covariance" not in vars(again)
    np.testing.assert_array_equal(again.Z.toarray(), design.Z.toarray())


def test_kernel_sees_the_response_without_its_offset() -> None:
    data = load_dataset("sleepstudy")
    spec = ModelSpec("Reaction ~ Days + offset(5 * Days) + (1 | Subject)")
    plain = ModelSpec("I(Reaction - 5 * Days) ~ Days + (1 | Subject)")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        kernels = [build(each, data).design.kernel for each in (spec, plain)]
    lam = np.array([0.7])
    moments = [kernel.moments(lam) for kernel in kernels]
    np.testing.assert_allclose(moments[0].A, moments[1].A, rtol=1e-10, atol=1e-8)


def test_another_response_shares_the_random_part(design: Design) -> None:
    other = design.with_response(2 * design.y)
    assert other.random is design.random
    assert other.Z is design.Z
    lam = design.covariance.flat(np.ones(2))
    np.testing.assert_allclose(
        other.kernel.criterion(lam, True)[0],
        build(ModelSpec("I(2 * strength) ~ 1 + (1 | batch/cask)"), load_dataset("Pastes"))
        .design.kernel.criterion(lam, True)[0],
        rtol=1e-12,
    )  # fmt: skip


def test_products_that_are_known_belong_to_one_response(design: Design) -> None:
    y = design.y[::-1].copy()
    kernel = design.with_response(y).kernel
    known = design.with_response(y, kernel)
    assert known.kernel is kernel
    assert known.with_response(design.y).kernel is not kernel
    assert replace(known, response="other").kernel is not kernel
    copied = pickle.loads(pickle.dumps(known)).kernel.problem
    np.testing.assert_array_equal(copied.floats, kernel.problem.floats)
