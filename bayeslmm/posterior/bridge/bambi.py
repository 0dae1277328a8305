"""The bridge to Bambi: its Gaussian models as specifications with priors, and back where Bambi can say it.

Bambi's group-specific terms are independent, so its ``(x | g)`` is ``(x || g)`` here, and a correlated term
has no counterpart there.
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bayeslmm.errors import OptionError
from bayeslmm.posterior.bridge.foreign_priors import as_prior, to_bambi_prior
from bayeslmm.spec.design import Block, Design
from bayeslmm.spec.model_spec import ModelSpec
from bayeslmm.spec.priors import Normal, Prior, Priors

if TYPE_CHECKING:
    import bambi

_BAR = re.compile(r"(?<!\|)\|(?!\|)")
_COMMON_INTERCEPT = "Intercept"


@dataclass(frozen=True, slots=True)
class BambiModel:
    """What a Bambi model says.

    Attributes
    ----------
    formula : in lme4's language. data : its rows.
    common, group, sigma : Bambi's priors by its own names of terms.
    centred : whether its intercept is that of centred predictors.
    """

    formula: str
    data: Any
    common: dict[str, Any]
    group: dict[str, Any]
    sigma: Any
    centred: bool


def read(model: "bambi.Model") -> BambiModel:
    """Take a Bambi model apart.

    Raises
    ------
    OptionError
        When it isn't a plain Gaussian model of the mean.
    """
    _check_gaussian(model)
    if not model.built:
        model.build()
    parameters = model.parameters
    terms = parameters["mu"].terms
    return BambiModel(
        _BAR.sub("||", model.formula.main),
        model.data,
        {name: term.prior for name, term in terms.items() if "|" not in name},
        {name: term.prior for name, term in terms.items() if "|" in name},
        parameters["sigma"].prior,
        bool(model.center_predictors),
    )


def _check_gaussian(model: "bambi.Model") -> None:
    link = model.family.link["mu"].name
    if model.family.name != "gaussian" or link != "identity" or model.formula.additionals:
        raise OptionError(
            f"a linear mixed model is Gaussian with one formula; this Bambi model is {model.family.name} "
            f"({link} link) with {len(model.formula.additionals)} further formulas: stay with Bambi or brms"
        )


def translated_priors(found: BambiModel, design: Design) -> dict[str, Prior]:
    """Bambi's priors by the labels of a design of the same formula.

    Where Bambi centres predictors its intercept is that of the centred ones; the prior of the intercept here
    is the one this implies, N(m − Σ x̄ₖmₖ, s² + Σ x̄ₖ²sₖ²), its correlation with the slopes left out.

    Raises
    ------
    OptionError
        When the two read the formula differently.
    """
    out: dict[str, Prior] = {}
    seen: dict[str, int] = {}
    for coef in design.coefs:
        term = _term_of(coef)
        out[f"beta[{coef}]"] = as_prior(_find(found.common, term), seen.get(term, 0))
        seen[term] = seen.get(term, 0) + 1
    if found.centred and _COMMON_INTERCEPT in design.coefs and design.p > 1:
        label = f"beta[{_COMMON_INTERCEPT}]"
        out[label] = _uncentred(out, design, label)
    for block in design.blocks:
        out |= _group_priors(found, block)
    out["sigma"] = as_prior(found.sigma)
    return out


def _uncentred(priors: dict[str, Prior], design: Design, label: str) -> Prior:
    own = priors[label]
    slopes = [
        (priors[f"beta[{coef}]"], x.mean())
        for coef, x in zip(design.coefs, design.X.T, strict=True)
        if coef != _COMMON_INTERCEPT
    ]
    if not isinstance(own, Normal):
        return own
    normal = [(prior, mean) for prior, mean in slopes if isinstance(prior, Normal)]
    centre = own.mean - sum(mean * prior.mean for prior, mean in normal)
    return Normal(float(centre), float(np.hypot(own.sd, np.linalg.norm([m * p.sd for p, m in normal]))))


def _group_priors(found: BambiModel, block: Block) -> dict[str, Prior]:
    out: dict[str, Prior] = {}
    seen: dict[str, int] = {}
    for coef in block.coefs:
        term = "1" if coef == _COMMON_INTERCEPT else _term_of(coef)
        prior = _find(found.group, f"{term}|{block.group}").args["sigma"]
        out[f"sd[{block.group}: {coef}]"] = as_prior(prior, seen.get(term, 0))
        seen[term] = seen.get(term, 0) + 1
    return out


def _find(priors: dict[str, Any], term: str) -> Any:
    if term not in priors:
        raise OptionError(
            f"Bambi has no term {term!r} among {', '.join(priors)}: it reads the formula otherwise"
        )
    return priors[term]


def _term_of(coef: str) -> str:
    """The term a coefficient belongs to: ``"Machine[T.B]"`` is one of ``"Machine"``."""
    return re.sub(r"\[[^\]]*\]", "", coef)


def to_bambi(spec: ModelSpec, design: Design, priors: Priors, data: Any) -> "bambi.Model":
    """The same model in Bambi, built, its intercept uncentred.

    Raises
    ------
    OptionError
        When Bambi can't state it, with the reason.
    """
    import bambi

    _check_sayable(spec, design)
    given = _common_priors(design, priors) | _all_group_priors(design, priors)
    given["sigma"] = to_bambi_prior([priors.table["sigma"]])
    formula = spec.formula.replace("||", "|")
    model = bambi.Model(formula, data, priors=given, center_predictors=False, auto_scale=False, dropna=True)
    model.build()
    common = model.parameters["mu"].design.common
    columns = np.zeros((design.n, 0)) if common is None else np.asarray(common.design_matrix)
    if columns.shape != design.X.shape or not np.allclose(columns, design.X):
        raise OptionError(
            "Bambi codes the fixed effects of this formula otherwise (ordered factors or transforms); put "
            "the columns themselves into the data"
        )
    return model


def _check_sayable(spec: ModelSpec, design: Design) -> None:
    correlated = [block.group for b, block in enumerate(design.blocks) if design.covariance.block_pairs(b)]
    related = [block.group for block in design.blocks if block.known is not None]
    shared = [b.group for b in design.blocks if any(s.keyword not in ("us", "diag") for s in b.structures)]
    reasons = {
        f"its effects of {', '.join(correlated)} are correlated; write (x || g)": bool(correlated),
        f"the levels of {', '.join(related)} have a known covariance": bool(related),
        f"the covariance of {', '.join(shared)} has a structure": bool(shared),
        "weights divide the residual variance": not design.residual.is_identity,
        "sigma is known": not design.residual.sigma_free,
        "the offset isn't in the formula": spec.offset is not None,
        "contrasts are given": bool(spec.contrasts),
    }
    found = [reason for reason, holds in reasons.items() if holds]
    if found:
        raise OptionError(f"Bambi can't state this model: {'; '.join(found)}")


def _common_priors(design: Design, priors: Priors) -> dict[str, Any]:
    terms: dict[str, list[Prior]] = {}
    for coef, prior in zip(design.coefs, priors.beta, strict=True):
        terms.setdefault(_term_of(coef), []).append(prior)
    return {term: to_bambi_prior(own) for term, own in terms.items()}


def _all_group_priors(design: Design, priors: Priors) -> dict[str, Any]:
    import bambi

    terms: dict[str, list[Prior]] = {}
    for block in design.blocks:
        for coef, prior in zip(block.coefs, priors.sd[block.group], strict=True):
            term = "1" if coef == _COMMON_INTERCEPT else _term_of(coef)
            terms.setdefault(f"{term}|{block.group}", []).append(prior)
    return {name: bambi.Prior("Normal", mu=0, sigma=to_bambi_prior(own)) for name, own in terms.items()}
