"""Which singular term an estimand belongs to."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bayeslmm.spec.labels import cor_labels_of, icc_label, ranef_label, sd_labels_of

if TYPE_CHECKING:
    from bayeslmm.likelihood.boundary import Vanished
    from bayeslmm.likelihood.fitted import Fitted


def singular_terms(fit: "Fitted") -> dict[str, tuple[str, str]]:
    """By label of what is a singular term's: the term, and what has vanished.

    Its sds, correlations and random effects, and the intraclass correlation of a lone intercept.
    """
    out: dict[str, tuple[str, str]] = {}
    for vanished in fit.convergence.vanished:
        term = f"({' + '.join(vanished.coefs)} | {vanished.group})"
        for label in _labels(fit, vanished):
            what = [*filter(None, [out.get(label, ("", ""))[1]]), vanished.what]
            out[label] = (term, "; ".join(what))
    return out


def _labels(fit: "Fitted", vanished: "Vanished") -> Iterator[str]:
    """Of the term of one group whose coefs these are."""
    design = fit.design
    number = [block.group for block in design.blocks].index(vanished.group)
    sds, cors = iter(sd_labels_of(design, number)), iter(cor_labels_of(design, number))
    block = design.blocks[number]
    for slot in design.covariance.slots_of(number):
        own = [next(sds) for _ in slot.structure.sd_index] + [next(cors) for _ in slot.structure.pairs]
        coefs = block.coefs[slot.coefs]
        if coefs == tuple(vanished.coefs):
            yield from own
            yield icc_label(block.group)
            yield from (ranef_label(block.group, level, coef) for level in block.levels for coef in coefs)
