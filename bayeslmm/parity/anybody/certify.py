"""``bl.certify(theirs, model)``: anybody's posterior density against the kernel."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayeslmm.errors import InputError
from bayeslmm.parity.anybody.callables import CallableDensity
from bayeslmm.parity.anybody.differences import Difference, differences
from bayeslmm.parity.anybody.evidence import Evidence
from bayeslmm.parity.anybody.naming import Names, Naming
from bayeslmm.parity.anybody.priors import DeclaredPriors
from bayeslmm.parity.anybody.quadratic import Ours, Quadratic
from bayeslmm.parity.anybody.record import CertificateForAnybody
from bayeslmm.parity.certificate.line import deviation
from bayeslmm.parity.certificate.points import draw_points
from bayeslmm.spec.labels import cor_labels_of, kind_of, sd_labels_of

if TYPE_CHECKING:
    from bayeslmm.posterior.bridge.gaussian import Mode
    from bayeslmm.posterior.bridge.other_graphs import OtherGraph
    from bayeslmm.spec.design import Design
    from bayeslmm.spec.priors import Prior

SAME_PRIOR = 1e-6  # of a log density: PyMC keeps the log of a small whole number in single precision
N_POINTS = 8
SEED = 6
MOST_EFFECTS = 500

type Declared = Mapping[str, "Prior"]


def certify(
    theirs: Any, model: Any, *, names: Names | None = None, priors: Mapping[str, Any] | None = None
) -> CertificateForAnybody:
    """Say whether a posterior density that somebody wrote is the model's, or what differs.

    Given the variance parameters, the mean and precision of (β, b) are compared first: terms, weights,
    origins and units of columns, contrasts, correlations. Then what is left of the log density, constant
    included, against the priors declared. No posterior draw is needed.

    Parameters
    ----------
    theirs : pm.Model, bambi.Model or callable
        A graph; or a function ``{name: value} -> (logp, {name: gradient})`` of natural parameters (standard
        deviations, correlations, β and b), for which `names` lists every name.
    model : LinearMixedModel
        What it should be.
    names : mapping, optional
        What each variable of theirs, or an element of it, is here: a label, or a list of labels for a vector.
        ``"ranef[Subject: Days]"`` stands for that of every level, ``"ranef[Subject]"`` for all effects level
        by level. Usual names are known.
    priors : mapping, optional
        Priors by label. A function's are declared by them; what isn't declared is an implied prior, shown and
        never certified. A graph declares its own, which are compared with those given here.

    Returns
    -------
    CertificateForAnybody

    Raises
    ------
    InputError
        When theirs isn't Gaussian given its variance parameters, with the evidence; when it is none of the
        three; when a variance parameter has no name; with more than 500 effects.

    Examples
    --------
    >>> import bayeslmm as bl
    >>> model = bl.LinearMixedModel("Yield ~ 1 + (1 | Batch)", bl.load_dataset("Dyestuff"))
    >>> bl.certify(model.graph("explicit"), model).certified
    True
    """
    design = model.design
    design.residual.check_known(
        "bl.certify", "certify the model without the structure, or look at the model's own certificate"
    )
    if design.p + design.q > MOST_EFFECTS:
        raise InputError(
            f"the model has {design.p + design.q} effects, and what is compared is dense: certify the same "
            f"code on a part of the data, with at most {MOST_EFFECTS}"
        )
    declared = _records(priors or {})
    graph = _graph_of(theirs)
    if graph is not None:
        return certify_graph(graph, design, names, declared)
    if not callable(theirs) or not names:
        raise InputError(
            "certify() takes a pm.Model, a bambi.Model, or a function with names= for all that it takes; "
            f"not a {type(theirs).__name__}{'' if names else ' without names'}"
        )
    return _certify_function(CallableDensity(theirs, names, design), declared)


def certify_graph(
    graph: Any, design: "Design", names: Names | None, declared: Declared
) -> CertificateForAnybody:
    """The same of a PyMC graph."""
    from bayeslmm.posterior.bridge.other_graphs import OtherGraph

    plain = OtherGraph(graph)
    naming = Naming.of(design, plain.labels, names)
    owners = {label: plain.owner(element) for label, element in naming.theirs.items()}
    flat = (owners[label] for label in owners if kind_of(label) == "beta")
    other = OtherGraph(graph, tuple(dict.fromkeys(name for name in flat if name)))
    if not other.effects:
        raise InputError(
            "this graph has integrated out every fixed and random effect, so nothing is left to compare "
            "given the variance parameters; certify the graph that has them, as model.graph('explicit')"
        )
    _check_named(design, naming, other, set(owners.values()))
    quadratics = list(_of_graph(other, naming, design))
    evidence = Evidence(Ours(design), quadratics, naming.missing, _unnamed(other, naming, quadratics))
    found = [*differences(evidence), *_of_priors(other, naming, quadratics, declared)]
    stated = {name: other.stated(name) for name in quadratics[0].log_priors}
    seen = {label for labels in _compared(other, naming, quadratics, declared).values() for label in labels}
    return _record(evidence, found, stated, tuple(label for label in declared if label not in seen))


def _of_graph(other: "OtherGraph", naming: Naming, design: "Design") -> Iterator[Quadratic]:
    from bayeslmm.posterior.bridge.gaussian import modes

    ours = Ours(design)
    labels = tuple(label for label in ours.labels if label in naming.theirs)
    places = [other.labels.index(naming.theirs[label]) for label in labels]
    points = list(other.points(N_POINTS))
    what = f"the graph, whose response is {other.response},"
    for mode, point in zip(modes(other, other.size, points, what), points, strict=True):
        values = dict(zip(other.labels, mode.at.elements.tolist(), strict=True))
        natural = {label: values[element] for label, element in naming.theirs.items()}
        yield Quadratic(
            _completed(design, natural),
            labels,
            _precision(mode, places),
            mode.at.elements[places],
            mode.logp,
            other.log_priors(mode.mean, point),
        )


def _precision(mode: "Mode", places: list[int]) -> Any:
    """Of some elements: M⁻ᵀ P M⁻¹ where they are all of the effects, else the inverse of M P⁻¹ Mᵀ."""
    M = mode.map[places]
    if M.shape[0] == M.shape[1]:
        inverse = np.linalg.inv(M)
        return inverse.T @ mode.precision @ inverse
    return np.linalg.inv(M @ np.linalg.solve(mode.precision, M.T))


def _completed(design: "Design", natural: Mapping[str, float]) -> dict[str, float]:
    """Variance parameters of ours: what theirs lacks is 0, a known σ itself."""
    labels = [
        label
        for b in range(len(design.blocks))
        for label in (*sd_labels_of(design, b), *cor_labels_of(design, b))
    ]
    sigma = natural["sigma"] if design.residual.sigma is None else design.residual.sigma
    return {"sigma": sigma, **{label: natural.get(label, 0.0) for label in labels}}


def _check_named(design: "Design", naming: Naming, other: "OtherGraph", owners: set[str | None]) -> None:
    """What has no name may not be there at all; but not where theirs has variables that mean nothing."""
    left = [
        name for name in other.others if name not in owners and not other.makes(name, naming.theirs.values())
    ]
    wanted = [label for label in naming.missing if kind_of(label) in ("sd", "cor", "sigma")]
    if wanted and (left or "sigma" in wanted):
        raise InputError(
            f"nothing of theirs is known to be {', '.join(wanted)}; it has "
            f"{', '.join(left) or 'nothing else'}: say which is which, "
            f"names={{{(left or ['sd_e'])[0]!r}: {wanted[0]!r}}}"
        )


def _unnamed(other: "OtherGraph", naming: Naming, quadratics: list[Quadratic]) -> tuple[str, ...]:
    """Their effects that mean nothing here, where there are more than are named."""
    if other.size == len(quadratics[0].labels):
        return ()
    meant = set(naming.theirs.values())
    return tuple(name for name in other.effects if not other.makes(name, meant))


def _of_priors(
    other: "OtherGraph", naming: Naming, quadratics: list[Quadratic], declared: Declared
) -> Iterator[Difference]:
    """Priors given here that aren't those of the graph's variables."""
    for name, labels in _compared(other, naming, quadratics, declared).items():
        off = max(
            deviation(each.log_priors[name], sum(float(declared[x].logpdf(_value(each, x))) for x in labels))
            for each in quadratics
        )
        if not off < SAME_PRIOR:
            asked = ", ".join(f"{label} ~ {declared[label]}" for label in labels)
            yield Difference("prior", f"declared is {asked}; theirs has {name} ~ {other.stated(name)}")


def _compared(
    other: "OtherGraph", naming: Naming, quadratics: list[Quadratic], declared: Declared
) -> dict[str, list[str]]:
    """Their free variables all of whose elements are parameters with a prior given here, with these."""
    meant = {
        name: [label for label, element in naming.theirs.items() if other.owner(element) == name]
        for name in quadratics[0].log_priors
    }
    return {name: labels for name, labels in meant.items() if labels and set(labels) <= set(declared)}


def _value(each: Quadratic, label: str) -> float:
    return each.natural[label] if label in each.natural else float(each.mean[each.labels.index(label)])


def _certify_function(theirs: CallableDensity, declared: Declared) -> CertificateForAnybody:
    from bayeslmm.posterior.bridge.gaussian import modes

    design, ours = theirs.design, Ours(theirs.design)
    labels = tuple(label for label in ours.labels if label in theirs.effects)
    points = [_completed(design, each) for each in _natural_points(theirs)]
    found = modes(theirs, len(theirs.effects), points, "the function")
    places = np.array([theirs.effects.index(label) for label in labels], dtype=np.intp)
    priors = DeclaredPriors(design, declared)
    quadratics = [
        priors.taken_off(
            natural, labels, mode.precision[np.ix_(places, places)], mode.mean[places], mode.logp
        )
        for mode, natural in zip(found, points, strict=True)
    ]
    evidence = Evidence(ours, quadratics, theirs.missing, ())
    stated = {label: str(prior) for label, prior in declared.items()}
    return _record(evidence, differences(evidence), stated)


def _natural_points(theirs: CallableDensity) -> Iterator[dict[str, float]]:
    n_edges = 1 + sum(len(sd_labels_of(theirs.design, b)) for b in range(len(theirs.design.blocks)))
    for at in islice(draw_points(theirs.design, n_edges + N_POINTS, SEED), n_edges, None):
        values = {"sigma": at.sigma}
        for b, block in enumerate(theirs.design.blocks):
            values |= dict(zip(sd_labels_of(theirs.design, b), at.sd[block.group].tolist(), strict=True))
            values |= dict(zip(cor_labels_of(theirs.design, b), at.cor[block.group].tolist(), strict=True))
        yield {label: value for label, value in values.items() if label not in theirs.missing}


def _record(
    evidence: Evidence, found: list[Difference], stated: Mapping[str, str], uncompared: tuple[str, ...] = ()
) -> CertificateForAnybody:
    rows = [
        {**a.natural, "theirs": a.logp, "ours": b.logp, "remainder": a.logp - b.logp}
        for a, b in zip(evidence.theirs, evidence.own, strict=True)
    ]
    measures = evidence.precision_off, evidence.mean_off, evidence.density_off
    return CertificateForAnybody(tuple(found), pd.DataFrame(rows), *measures, stated, uncompared)


def _records(priors: Mapping[str, Any]) -> Declared:
    from bayeslmm.posterior.bridge.foreign_priors import as_prior

    return {label: as_prior(prior) for label, prior in priors.items()}


def _graph_of(theirs: Any) -> Any:
    """The PyMC graph of a model of PyMC or Bambi; None for anything else."""
    kinds = {f"{each.__module__.partition('.')[0]}.{each.__name__}" for each in type(theirs).__mro__}
    if "bambi.Model" in kinds:
        if not theirs.built:
            theirs.build()
        return theirs.backend.model
    return theirs if "pymc.Model" in kinds else None
