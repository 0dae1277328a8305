"""All paths to the posterior have one log density, up to the stated transformation.

Random designs, priors and points; every graph is evaluated by PyTensor's Python linker.
"""

import numpy as np
import pytensor
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymc.model.transform.conditioning import remove_value_transforms
from pytensor.compile.mode import Mode

from bayeslmm.posterior import names
from bayeslmm.posterior.graph.graphs import build_graph
from bayeslmm.posterior.graph.integrated import GraphDensity
from bayeslmm.posterior.parameters import correlations
from bayeslmm.posterior.target import Target
from bayeslmm.spec.block import Block, RowsOfBlock
from bayeslmm.spec.covariance import (
    Autoregression,
    CompoundSymmetry,
    Diagonal,
    HomogeneousCompoundSymmetry,
    ScaledIdentity,
    Unstructured,
)
from bayeslmm.spec.design import Design, RandomPart, RowsInMemory
from bayeslmm.spec.priors import (
    LKJ,
    Exponential,
    Flat,
    Gamma,
    HalfNormal,
    HalfStudentT,
    Laplace,
    Normal,
    PenalizedComplexity,
    StudentT,
    default_priors,
)
from bayeslmm.spec.residual import PriorWeights

PYTHON = Mode(linker="py", optimizer="fast_compile")
OF_BETA = (Flat(), Normal(0.5, 2.0), StudentT(4.0, 0.0, 2.0), Laplace(0.0, 1.5))
OF_SD = (
    Flat(),
    HalfNormal(2.0),
    HalfStudentT(3.0, 1.5),
    Exponential(1.2),
    Gamma(2.5, 1.1),
    PenalizedComplexity(3.0, 0.05),
)
STRUCTURES = (
    (Unstructured(1),),
    (Unstructured(2),),
    (Unstructured(3),),
    (Diagonal(2),),
    (Unstructured(2), Unstructured(1)),
    (Unstructured(1), Unstructured(1)),
    (CompoundSymmetry(3),),
    (HomogeneousCompoundSymmetry(3), Unstructured(1)),
    (Autoregression(3),),
    (ScaledIdentity(2),),
)


@st.composite
def designs(draw):
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    n, p = draw(st.integers(20, 40)), draw(st.integers(1, 3))
    blocks, term = [], 0
    for group in ("g", "g:h")[: draw(st.integers(1, 2))]:
        structures = draw(st.sampled_from(STRUCTURES))
        k = sum(structure.k for structure in structures)
        coefs = tuple(f"c{i}" for i in range(k))
        terms = tuple(range(term, term + len(structures)))
        term += len(structures)
        levels = draw(st.integers(3, 6))
        codes = np.r_[np.arange(levels), rng.integers(0, levels, n - levels)]
        columns = np.column_stack([np.ones(n), *rng.normal(size=(k - 1, n))])
        blocks.append(
            Block(
                group,
                tuple(f"l{j}" for j in range(levels)),
                coefs,
                structures,
                terms,
                RowsOfBlock(codes, columns),
            )
        )
    weighted, shifted = draw(st.booleans()), draw(st.booleans())
    weights = rng.uniform(0.3, 3, n) if weighted else np.ones(n)
    residual = PriorWeights.of(weights, draw(st.sampled_from([None, 1.7])))
    return Design(
        observed=RowsInMemory(
            y=rng.normal(2, 3, n),
            offset=rng.normal(size=n) if shifted else np.zeros(n),
            X=np.column_stack([np.ones(n), *rng.normal(size=(p - 1, n))]),
            rows=np.arange(n),
        ),
        random=RandomPart.of(blocks, residual),
        residual=residual,
        coefs=tuple(f"x{i}" for i in range(p)),
        dropped=(),
        n_missing=0,
        response="y",
    )


@st.composite
def targets(draw, of_beta):
    design = draw(designs())
    priors = default_priors(design)
    changes = {f"beta[{coef}]": draw(st.sampled_from(of_beta)) for coef in design.coefs}
    changes |= {name: draw(st.sampled_from(OF_SD)) for name in priors.table if name.startswith("sd")}
    changes |= {name: LKJ(draw(st.floats(0.6, 5))) for name in priors.table if name.startswith("cor")}
    changes |= {"sigma": draw(st.sampled_from(OF_SD[1:]))} if design.residual.sigma_free else {}
    return Target(design, priors.replace(changes))


def point(target, seed):
    return target.start() + 0.7 * np.random.default_rng(seed).standard_normal(target.size)


def natural_values(target, phi):
    """Values of the graph's variables at φ, and the log Jacobian from them to φ."""
    parameters = target.parameters(phi[None])
    values, log_jacobian = {}, 0.0
    if target.design.residual.sigma_free:
        values[names.SIGMA] = parameters.sigma[0]
        log_jacobian += np.log(parameters.sigma[0])
    for number, block in enumerate(target.design.blocks):
        sd, z = parameters.sd[block.group][0], parameters.z[block.group][0]
        values[names.sd_name(block.group)] = sd
        values |= {
            f"sd_{block.group}[{coef}]": x
            for coef, x in zip(names.sd_names(target.design, number), sd, strict=True)
        }
        values[names.unit_name(block.group)] = (1 + z) / 2
        log_jacobian += np.log(sd).sum() + np.log((1 - z**2) / 2).sum()
    if parameters.beta is not None:
        values[names.BETA] = parameters.beta[0]
        further = target.parameters(phi[None] + 1.0).beta[0]  # its coordinates are linear
        log_jacobian += np.log(further - parameters.beta[0]).sum()
        pairs = zip(target.design.coefs, parameters.beta[0], strict=True)
        values |= {f"beta[{coef}]": x for coef, x in pairs}
    return values, log_jacobian


def natural_point(target, phi):
    """(σ, sd, cor, β or None) at φ."""
    parameters = target.parameters(phi[None])
    sd = {group: values[0] for group, values in parameters.sd.items()}
    cor = {group: values[0] for group, values in correlations(target.design, parameters).items()}
    return parameters.sigma[0], sd, cor, None if parameters.beta is None else parameters.beta[0]


SLOW = settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))


@SLOW
@given(targets(OF_BETA), st.integers(0, 100))
def test_marginal_graph_is_the_target(target, seed):
    phi = point(target, seed)
    graph = build_graph(target.design, target.priors, "marginal")
    model = remove_value_transforms(graph)
    f = pytensor.function(model.value_vars, model.logp(), mode=PYTHON)
    values, log_jacobian = natural_values(target, phi)
    found = f(**{var.name: values[var.name] for var in model.value_vars})
    assert float(found) + log_jacobian == pytest.approx(target(phi[None])[0], rel=1e-9, abs=1e-8)


@SLOW
@given(targets(OF_BETA[:2]), st.integers(0, 100))
def test_explicit_graph_integrated_over_beta_is_the_target(target, seed):
    phi = point(target, seed)
    model = build_graph(target.design, target.priors, "explicit")
    sigma, sd, cor, _ = natural_point(target, phi)
    found = GraphDensity(model, target.design)(sigma, sd, cor) + target.log_prior(phi[None])[0]
    assert found == pytest.approx(target(phi[None])[0], rel=1e-9, abs=1e-8)


@SLOW
@given(targets(OF_BETA[2:]), st.integers(0, 100))
def test_explicit_graph_at_beta_is_the_target(target, seed):
    phi = point(target, seed)
    model = build_graph(target.design, target.priors, "explicit")
    found = GraphDensity(model, target.design)(*natural_point(target, phi)) + target.log_prior(phi[None])[0]
    assert found == pytest.approx(target(phi[None])[0], rel=1e-9, abs=1e-8)
