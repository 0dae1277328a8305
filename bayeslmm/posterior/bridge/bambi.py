"""The bridge to Bambi: its Gaussian models as specifications with priors, and back where Bambi can say it.

Bambi's group-specific terms are independent, so its ``(x | g)`` is ``(x || g)`` here, and a correlated term
has no counterpart there. Each way both models are laid side by side, column by column.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bayeslmm.errors import BayesLMMError, OptionError
from bayeslmm.posterior.bridge.columns import Column, Matched, is_intercept
from bayeslmm.posterior.bridge.foreign_priors import as_prior, to_bambi_prior
from bayeslmm.spec.checks import as_frame
from bayeslmm.spec.design import Design
from bayeslmm.spec.model_spec import ModelSpec
from bayeslmm.spec.parsed import Formula
from bayeslmm.spec.priors import Prior, Priors

if TYPE_CHECKING:
    import bambi

_BAR = re.compile(r"(?<!\|)\|(?!\|)")
_RESPONSES = ("censored", "constrained", "truncated", "weighted")
_OFFSET = "offset_given_as_values"


@dataclass(frozen=True, slots=True)
class BambiModel:
    """What a Bambi model says of itself, before its columns are looked at.

    Attributes
    ----------
    formula : in lme4's language. data : its rows. sigma : the residual sd where it is a number, else None.
    """

    formula: str
    data: Any
    sigma: float | None


def read(model: "bambi.Model") -> BambiModel:
    """Take a Bambi model apart.

    Raises
    ------
    OptionError
        When it isn't a plain Gaussian model of the mean.
    """
    if not hasattr(model, "family"):
        raise OptionError(f"from_bambi() takes a bambi.Model, not a {type(model).__name__}")
    _check_gaussian(model)
    _check_plain(model)
    sigma = model.parameters["sigma"].prior
    known = float(sigma) if isinstance(sigma, int | float | np.number) else None
    return BambiModel(_BAR.sub("||", model.formula.main), model.data, known)


def _check_gaussian(model: "bambi.Model") -> None:
    family, link = model.family, model.family.link["mu"].name
    normal = family.likelihood.name == "Normal" and family.likelihood.dist is None
    if family.name != "gaussian" or not normal or link != "identity" or model.formula.additionals:
        raise OptionError(
            f"a linear mixed model is Gaussian with one formula; this Bambi model is {family.name} "
            f"({link} link) with {len(model.formula.additionals)} further formulas: stay with Bambi or brms"
        )


def _check_plain(model: "bambi.Model") -> None:
    response = model.response_term
    kinds = [kind for kind in _RESPONSES if getattr(response, f"is_{kind}")]
    reasons = {
        f"its response is {', '.join(kinds)}": bool(kinds),
        "it has potentials": bool(model.potentials),
        "it has Gaussian processes, hsgp()": bool(model.parameters["mu"].hsgp_terms),
    }
    found = [reason for reason, holds in reasons.items() if holds]
    if found:
        raise OptionError(f"this Bambi model isn't a linear mixed model: {'; '.join(found)}; stay with Bambi")


def translated_priors(model: "bambi.Model", design: Design) -> dict[str, Prior]:
    """Bambi's priors by the labels of a design of the same formula.

    Raises
    ------
    OptionError
        When the two read the formula differently, or a prior has no counterpart: effects of a group that
        aren't normal about 0, an intercept's that is meant for centred predictors.
    PriorError
        For a family there is no record for.
    """
    matched = Matched.of(design, model)
    _check_independent(design)
    _check_intercept(model, matched)
    out = {
        f"beta[{coef}]": _real(column, f"beta[{coef}]")
        for coef, column in zip(design.coefs, matched.fixed, strict=True)
    }
    for block, columns in zip(design.blocks, matched.random, strict=True):
        labels = [f"sd[{block.group}: {coef}]" for coef in block.coefs]
        out |= {label: _of_sd(column, label) for label, column in zip(labels, columns, strict=True)}
    sigma = model.parameters["sigma"].prior
    if not isinstance(sigma, int | float | np.number):
        out["sigma"] = _positive(sigma, 0, "sigma")
    return out


def _check_independent(design: Design) -> None:
    correlated = [block.group for b, block in enumerate(design.blocks) if design.covariance.block_pairs(b)]
    if correlated:
        raise OptionError(
            f"effects of {', '.join(correlated)} are independent in Bambi, correlated in the formula here; "
            "write the columns into the data and a term for each"
        )


def _check_intercept(model: "bambi.Model", matched: Matched) -> None:
    """Centring moves the origin; only a flat prior of the intercept doesn't see it."""
    intercept = next((column for column in matched.fixed if is_intercept(column)), None)
    if intercept is None or not model.center_predictors or np.all(np.abs(matched.means) < 1e-12):
        return
    if getattr(intercept.prior, "name", None) != "Flat":
        raise OptionError(
            f"Bambi's prior of the intercept, {intercept.prior}, is of the response at the mean of all "
            "predictors, and no prior of beta[Intercept], which is at 0, is the same. Build the model with "
            "center_predictors=False and a prior meant for 0, centre the predictors in the data, or give the "
            "intercept bambi.Prior('Flat')"
        )


def _real(column: Column, label: str) -> Prior:
    if getattr(column.prior, "name", None) == "HalfFlat":
        raise OptionError(f"Bambi's prior of {label} is HalfFlat, on positive values alone; here it is Flat")
    return as_prior(column.prior, column.element)


def _positive(prior: Any, element: int, label: str) -> Prior:
    if getattr(prior, "name", None) == "Flat":
        raise OptionError(f"Bambi's prior of {label} is Flat, on negative values too; give it HalfFlat")
    return as_prior(prior, element)


def _of_sd(column: Column, label: str) -> Prior:
    """The prior of a standard deviation, where a term's effects are normal about 0 given it."""
    import bambi

    prior = column.prior
    arguments = dict(prior.args)
    sd, mean = arguments.pop("sigma", None), arguments.pop("mu", 0.0)
    about_zero = not isinstance(mean, bambi.Prior) and not np.any(np.asarray(mean, dtype=float))
    normal = prior.name == "Normal" and prior.dist is None and not arguments
    if not (normal and about_zero and isinstance(sd, bambi.Prior)):
        raise OptionError(
            f"random effects are normal about 0 with a standard deviation that has a prior; Bambi's term "
            f"{column.term!r} is {prior}. A mean of its own is a fixed effect: write it into the formula"
        )
    return _positive(sd, column.element, label)


def to_bambi(spec: ModelSpec, design: Design, priors: Priors, data: Any) -> "bambi.Model":
    """The same model in Bambi, built, its intercept uncentred.

    Raises
    ------
    OptionError
        When Bambi can't state it, with the reason.
    """
    _check_sayable(spec, design)
    formula, rows = _said(spec, spec.parsed, as_frame(data))
    matched = Matched.of(design, _bambi(formula, rows, None))
    given = _common_priors(matched, priors.beta) | _group_priors(matched, design, priors)
    known = design.residual.sigma
    given["sigma"] = to_bambi_prior([priors.sigma], positive=True) if known is None else known
    model = _bambi(formula, rows, given)
    model.build()
    return model


def _bambi(formula: str, rows: Any, priors: dict[str, Any] | None) -> "bambi.Model":
    """Bambi's reading of a formula, before anything is compiled."""
    import bambi

    options = {"center_predictors": False, "auto_scale": False, "dropna": True}
    try:
        return bambi.Model(formula, rows, priors=priors, **options)
    except BayesLMMError:
        raise
    except Exception as error:  # its readers of formulas raise whatever they meet
        raise OptionError(
            f"Bambi can't read {formula!r} ({type(error).__name__}: {error}); put what it doesn't know into "
            "the data as columns"
        ) from error


def _said(spec: ModelSpec, formula: Formula, rows: Any) -> tuple[str, Any]:
    """The formula in Bambi's language, and the rows with what it needs beside them."""
    bars = [f"({bar.left} | {bar.group})" for bar in formula.bars]
    offsets = [f"offset({offset.code})" for offset in formula.offsets]
    if isinstance(spec.offset, str):
        offsets.append(f"offset(`{spec.offset}`)")
    elif spec.offset is not None:
        rows = rows.assign(**{_OFFSET: np.asarray(spec.offset, dtype=float)})
        offsets.append(f"offset({_OFFSET})")
    return f"{formula.response} ~ {' + '.join([formula.fixed.code, *offsets, *bars])}", rows


def _check_sayable(spec: ModelSpec, design: Design) -> None:
    related = [block.group for block in design.blocks if block.known is not None]
    correlated = [block.group for b, block in enumerate(design.blocks) if design.covariance.block_pairs(b)]
    shared = [
        block.group
        for b, block in enumerate(design.blocks)
        if len(set(design.covariance.sd_of_coef(b))) < block.k
    ]
    reasons = {
        f"its effects of {', '.join(correlated)} are correlated; write (x || g)": bool(correlated),
        f"the levels of {', '.join(related)} have a known covariance": bool(related),
        f"the effects of {', '.join(shared)} share a standard deviation": bool(shared),
        "it has no effects": not design.p and not design.blocks,
        "weights divide the residual variance": not (design.residual.is_identity or design.residual.n_phi),
        f"its residual has parameters: {', '.join(design.residual.labels)}": bool(design.residual.n_phi),
        "contrasts are given": bool(spec.contrasts),
    }
    found = [reason for reason, holds in reasons.items() if holds]
    if found:
        raise OptionError(f"Bambi can't state this model: {'; '.join(found)}")


def _common_priors(matched: Matched, priors: Sequence[Prior]) -> dict[str, Any]:
    own = _by_term(matched.fixed, priors)
    return {term: to_bambi_prior(each) for term, each in own.items()}


def _group_priors(matched: Matched, design: Design, priors: Priors) -> dict[str, Any]:
    import bambi

    out: dict[str, Any] = {}
    for block, columns in zip(design.blocks, matched.random, strict=True):
        for term, own in _by_term(columns, priors.sd[block.group]).items():
            out[term] = bambi.Prior("Normal", mu=0, sigma=to_bambi_prior(own, positive=True))
    return out


def _by_term(columns: Sequence[Column], priors: Sequence[Prior]) -> dict[str, list[Prior]]:
    """Priors of each term's columns, in Bambi's order."""
    terms: dict[str, list[tuple[int, Prior]]] = {}
    for column, prior in zip(columns, priors, strict=True):
        terms.setdefault(column.term, []).append((column.element, prior))
    in_order = {term: sorted(own, key=lambda each: each[0]) for term, own in terms.items()}
    return {term: [prior for _, prior in own] for term, own in in_order.items()}
