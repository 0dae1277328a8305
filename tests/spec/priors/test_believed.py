"""The density of every structure's parameters: volumes, joint priors, draws."""

import numpy as np
import pytest
from scipy import stats

from bayeslmm.spec.priors import LKJ, Believed, Prior
from bayeslmm.spec.residual import CorrelationStructure, Structured, VarianceFunction
from bayeslmm.spec.residual.examples import of

CORRELATIONS, VARIANCES = list(CorrelationStructure.kinds()), list(VarianceFunction.kinds())
PAIRS = [(each, "Ident") for each in CORRELATIONS] + [("AR1", each) for each in VARIANCES]


def made(correlation: str, variance: str) -> tuple[Structured, Believed]:
    residual = of(Structured, correlation, variance, 14, np.random.default_rng(5))
    families = Prior.kinds()
    slots = [slot for part in residual.parts for own in part.slots(2.0) for slot in own]
    table = {slot.label: families[slot.usual.family](*slot.usual.numbers) for slot in slots}
    return residual, Believed(residual.parts, table)


def points(residual: Structured, m: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    return residual.start + 0.4 * rng.standard_normal((m, residual.n_phi)), rng.uniform(0.5, 2.0, m)


@pytest.mark.parametrize("correlation, variance", PAIRS)
def test_the_volume_is_that_of_the_derivatives(correlation: str, variance: str) -> None:
    residual, believed = made(correlation, variance)
    phi, sigma = points(residual, 4)
    absolute = sum(part.n for part in residual.parts if part.structure.absolute)
    expected = [np.linalg.slogdet(residual.ratio_slopes(each))[1] for each in phi] + absolute * np.log(sigma)
    np.testing.assert_allclose(believed.log_volume(phi, sigma), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("correlation", CORRELATIONS)
def test_far_out_there_is_no_volume(correlation: str) -> None:
    residual, believed = made(correlation, "Fixed")
    with np.errstate(divide="raise", invalid="raise"):
        found = believed.log_volume(np.full((1, residual.n_phi), -200.0), np.ones(1))
    assert found[0] < -20


@pytest.mark.parametrize("correlation, variance", PAIRS)
def test_natural_values_and_back(correlation: str, variance: str) -> None:
    residual, believed = made(correlation, variance)
    sigma = np.full(50, 1.7)
    phi = believed.draw(np.random.default_rng(2), sigma)
    natural = residual.natural(phi, sigma)
    np.testing.assert_allclose(natural[0], residual.parameters(phi[0], 1.7).values)
    np.testing.assert_allclose(residual.free(natural, sigma), phi, rtol=1e-6, atol=1e-6)
    assert np.isfinite(believed.log_density(phi, sigma)).all()


JOINT = [each for each in CORRELATIONS if made(each, "Fixed")[0].parts[0].joint]


@pytest.mark.parametrize("correlation", JOINT)
@pytest.mark.parametrize("eta", [1.0, 2.5])
def test_a_joint_prior_is_that_of_its_elements(correlation: str, eta: float) -> None:
    """Elements are independent betas; what φ adds is the derivative of elements by φ."""
    part = made(correlation, "Fixed")[0].parts[0]
    joint, rng = part.joint, np.random.default_rng(3)
    phi = 0.5 * rng.standard_normal(part.width)

    def elements(phi: np.ndarray) -> np.ndarray:
        return joint.elements(part.structure.natural(phi, part.learnt))

    z, steps = elements(phi), 1e-6 * np.eye(len(phi))
    slopes = np.array([(elements(phi + e) - elements(phi - e)) / 2e-6 for e in steps])
    shapes = joint.shapes(eta)
    expected = stats.beta.logpdf(z, shapes, shapes, -1, 2).sum() + np.linalg.slogdet(slopes)[1]
    np.testing.assert_allclose(joint.log_density(eta, phi[None])[0], expected, atol=1e-7)
    np.testing.assert_allclose(joint.natural(list(z)), part.structure.natural(phi, part.learnt), atol=1e-12)


@pytest.mark.parametrize("correlation", ["Unstructured", "Toeplitz", "AnteDependence"])
def test_correlations_of_visits_have_density_in_their_determinant(correlation: str) -> None:
    """Under LKJ(η) log density − (η − 1) log |C| is the same everywhere; of any matrix it is LKJ's own."""
    part = made(correlation, "Fixed")[0].parts[0]
    k, rng = len(part.learnt.levels), np.random.default_rng(4)
    places = np.triu_indices(k, 1)
    rest = []
    for phi in 0.5 * rng.standard_normal((5, part.width)):
        C = np.eye(k)
        C[places] = part.structure.at(phi, places[0] * k + places[1], part.learnt)
        C = C + C.T - np.eye(k)
        density = part.joint.log_density(3.0, phi[None])[0] - part.joint.log_volume(phi[None])[0]
        rest.append(density - 2 * np.linalg.slogdet(C)[1])
        if correlation == "Unstructured":
            np.testing.assert_allclose(density, LKJ(3.0).logpdf(C), rtol=1e-9)
    assert np.ptp(rest) < 1e-9
