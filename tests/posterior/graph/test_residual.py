"""Formulas of the explicit graph against the structures themselves, and variables against φ."""

import numpy as np
import pytest

from bayeslmm.posterior.graph.correlations import CORRELATIONS, SPREADS, Places
from bayeslmm.spec.residual import CorrelationStructure, Structured, VarianceFunction
from bayeslmm.spec.residual.examples import of

KINDS, SPREAD_KINDS = list(CorrelationStructure.kinds()), list(VarianceFunction.kinds())


def made(correlation: str, variance: str) -> tuple[Structured, np.ndarray]:
    rng = np.random.default_rng(5)
    residual = of(Structured, correlation, variance, 14, rng)
    return residual, residual.start + 0.3 * rng.standard_normal(residual.n_phi)


def evaluated(tensor: object, shape: tuple[int, ...]) -> np.ndarray:
    import pytensor

    value = (
        tensor.eval(mode=pytensor.compile.mode.Mode("py", "fast_compile"))
        if hasattr(tensor, "eval")
        else tensor
    )
    return np.broadcast_to(value, shape)


@pytest.mark.parametrize("kind", KINDS)
def test_every_correlation_has_a_formula_of_its_own(kind: str) -> None:
    residual, phi = made(kind, "Fixed")
    part = residual.parts[0]
    own = part.by_stratum(phi)[0]
    at = np.array([[0.0], [2.0], [1.0], [3.0]])
    coordinates = at + (0.3 if part.structure.counts.value == "distance" else 0.0)
    i, j = np.triu_indices(4, 1)
    places = part.structure.place(coordinates[i], coordinates[j], part.learnt)
    expected = part.structure.at(own, places, part.learnt)
    natural = [np.float64(value) for value in part.structure.natural(own, part.learnt)]
    found = CORRELATIONS[kind](part.structure, natural, Places(coordinates[None], len(part.learnt.levels)))
    C = evaluated(found, (1, 4, 4))[0]
    np.testing.assert_allclose(C[i, j], expected, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(C[j, i], expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("kind", SPREAD_KINDS)
def test_every_variance_has_a_formula_of_its_own(kind: str) -> None:
    residual, _ = made("AR1", kind)
    part, rng = residual.parts[1], np.random.default_rng(1)
    delta = 0.4 * rng.standard_normal(part.width)
    values = residual.data["values 0"]
    natural = [np.float64(value) for value in part.structure.natural(delta, part.learnt)]
    found = evaluated(SPREADS[kind](natural, values), values.shape)
    np.testing.assert_allclose(np.log(found), part.structure.log_sds(delta, values, part.learnt), atol=1e-12)
