"""What differs between a density and the model, by name: from the precision and mean of (β, b) given ω."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayeslmm.parity.anybody.evidence import SAME, SAME_DENSITY, Evidence, relative
from bayeslmm.parity.anybody.quadratic import Array, Quadratic

type Places = NDArray[np.intp]

SWAPPED = "the levels of {} stand at other rows in theirs: in another order, or swapped"
TOLD = 1e-3  # share of the prior in a precision that tells what it is
CONSTANT = 1e-3  # by which what is constant may vary
CLOSE = 1e-5  # of what is estimated of their columns


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference.

    Attributes
    ----------
    kind : ``term``, ``weights``, ``centring``, ``scale``, ``contrasts``, ``levels``, ``correlation``,
        ``standard deviation``, ``residual sd``, ``offset``, ``response``, ``columns``, ``constant`` or
        ``prior``.
    sentence : what theirs has in place of the model's.
    """

    kind: str
    sentence: str


def differences(e: Evidence) -> list[Difference]:
    """Everything that differs in the Gaussian part, the remainder only where nothing else does."""
    named = [*_of_terms(e), *_of_correlations_left_out(e)]
    if e.precision_off >= SAME:
        if not e.is_whole():
            named.append(Difference("term", _unnamed(e)))
        else:
            named += _of_data(e) if e.differs_in_data else _of_variances(e)
    elif e.mean_off >= SAME:
        named += _of_response(e)
    return named or list(_of_remainder(e))


def _unnamed(e: Evidence) -> str:
    return (
        f"given the variances the fixed effects aren't distributed alike; their variables "
        f"{', '.join(e.unnamed)} mean nothing here: a term that the model lacks, or to be named, names="
    )


def _of_terms(e: Evidence) -> Iterator[Difference]:
    for label in e.missing:
        if label.startswith("beta["):
            yield Difference("term", f"theirs has no {label}")
        if label.startswith("sd["):
            yield Difference("term", f"theirs has no {label}, and no effects that vary by it")


def _of_correlations_left_out(e: Evidence) -> Iterator[Difference]:
    gone = [label for label in e.missing if label.startswith("cor[")]
    dropped = [label for label in e.missing if label.startswith("sd[")]
    if gone and not dropped and (e.precision_off < SAME or (e.is_whole() and e.differs_in_data)):
        yield Difference(
            "correlation", f"theirs has no {', '.join(gone)}: those effects are independent there"
        )


# the data's part: C and W


def _of_data(e: Evidence) -> list[Difference]:
    found = e.data_grams[0]
    return list(_of_weights(e, found)) or list(_of_levels(e, found)) or list(_of_columns(e, found))


def _of_weights(e: Evidence, found: Array) -> Iterator[Difference]:
    w = e.ours.row_precisions
    others = {
        "are left out": np.ones_like(w),
        "are squared": w**2,
        "are inverted": 1 / w,
        "are rooted": w**0.5,
    }
    for what, weights in others.items():
        if np.any(weights != w) and relative(found, e.within(e.ours.gram(weights))) < CLOSE:
            yield Difference("weights", f"in theirs the weights {what}")
            return


def _of_levels(e: Evidence, found: Array) -> Iterator[Difference]:
    """Levels of one factor in another order: the same counts, at other places."""
    for block in e.ours.design.blocks:
        own = [i for i, label in enumerate(e.labels) if label.startswith(f"ranef[{block.group}=")]
        rest = np.setdiff1d(np.arange(len(e.labels)), own)
        same = relative(found[np.ix_(rest, rest)], e.data_gram[np.ix_(rest, rest)]) < CLOSE
        theirs, ours = (np.sort(np.diag(each)[own]) for each in (found, e.data_gram))
        if own and same and np.allclose(theirs, ours, rtol=CLOSE) and not _same(found, e.data_gram):
            yield Difference("levels", SWAPPED.format(block.group))
            return


def _of_columns(e: Evidence, found: Array) -> Iterator[Difference]:
    beta, other = np.flatnonzero(e.is_beta), np.flatnonzero(~e.is_beta)
    if not _same(found[np.ix_(other, other)], e.data_gram[np.ix_(other, other)]):
        yield Difference("columns", _columns_of_effects(e, found, other))
        return
    C = _change(e, found, beta, other)
    yield _of_change(e, C, beta) if C is not None else Difference("columns", _columns_of_beta(e, found, beta))


def _change(e: Evidence, found: Array, beta: Places, other: Places) -> Array | None:
    """C with X_theirs = X C, as far as cross-products tell; None where theirs are no combinations of ours."""
    ours, theirs = e.data_gram[np.ix_(beta, beta)], found[np.ix_(beta, beta)]
    across_ours, across = e.data_gram[np.ix_(other, beta)], found[np.ix_(other, beta)]
    by_effects = np.linalg.lstsq(across_ours, across)[0]
    for C in (by_effects, _centring(e, ours, theirs, beta), _scaling(ours, theirs)):
        if C is not None and _same(C.T @ ours @ C, theirs) and _near(across_ours @ C, across):
            return C
    return None


def _centring(e: Evidence, ours: Array, theirs: Array, beta: Places) -> Array | None:
    """X C with the intercept taken from the other columns so that cross-products with it are theirs."""
    place = next((i for i, j in enumerate(beta) if e.labels[j] == "beta[Intercept]"), None)
    if place is None:
        return None
    C = np.eye(len(beta))
    C[place] = (theirs[place] - ours[place]) / ours[place, place] + np.eye(len(beta))[place]
    return C


def _scaling(ours: Array, theirs: Array) -> Array:
    return np.diag(np.sqrt(np.abs(np.diag(theirs) / np.diag(ours))))


def _of_change(e: Evidence, C: Array, beta: Places) -> Difference:
    names = [e.labels[j] for j in beta]
    rest = C - np.diag(np.diag(C))
    place = names.index("beta[Intercept]") if "beta[Intercept]" in names else None
    if _near(rest, 0.0 * rest):
        changed = [f"{name} is of {C[i, i]:.6g} times the model's column" for i, name in enumerate(names)]
        return Difference(
            "scale", "in theirs " + ", ".join(c for i, c in enumerate(changed) if abs(C[i, i] - 1) > CLOSE)
        )
    if place is not None and _near(np.delete(rest, place, axis=0), 0.0 * np.delete(rest, place, axis=0)):
        at = {
            name: -C[place, i] / C[i, i]
            for i, name in enumerate(names)
            if i != place and abs(C[place, i]) > CLOSE
        }
        where = ", ".join(f"{name} counts from {value:.6g}" for name, value in at.items())
        scaled = [name for i, name in enumerate(names) if abs(C[i, i] - 1) > CLOSE]
        more = f"; scaled, too: {', '.join(scaled)}" if scaled else ""
        return Difference("centring", f"in theirs {where}, and the intercept is the response there{more}")
    moved = [name for i, name in enumerate(names) if np.max(np.abs(C[:, i] - np.eye(len(C))[:, i])) > CLOSE]
    return Difference(
        "contrasts",
        f"theirs has the same space of fixed effects in other columns, by contrasts: {', '.join(moved)}",
    )


def _columns_of_beta(e: Evidence, found: Array, beta: Places) -> str:
    off = np.abs(found - e.data_gram) > CLOSE * np.sqrt(np.outer(np.diag(e.data_gram), np.diag(e.data_gram)))
    names = [e.labels[j] for j in beta if off[j, j] or off[j].sum() > len(beta)]
    return f"the columns of {', '.join(names) or 'the fixed effects'} are no combinations of the model's"


def _columns_of_effects(e: Evidence, found: Array, other: Places) -> str:
    off = np.abs(np.diag(found) - np.diag(e.data_gram)) > CLOSE * np.diag(e.data_gram)
    names = [e.labels[j] for j in other if off[j]] or [e.labels[j] for j in other]
    return f"other rows, weights or columns of Z: precisions differ for {', '.join(names[:3])}, ..."


# the prior of b: T and σ


def _of_variances(e: Evidence) -> list[Difference]:
    named = list(_of_beta_prior(e)) or list(_of_sigma(e))
    if named:
        return named
    for number, block in enumerate(e.ours.design.blocks):
        named += _of_block(e, number, block.group)
    unclear = "given the variance parameters, the effects aren't distributed alike"
    return named or [Difference("standard deviation", unclear)]


def _of_beta_prior(e: Evidence) -> Iterator[Difference]:
    """A precision of β that is higher by the same everywhere."""
    beta = np.ix_(e.is_beta, e.is_beta)
    more = np.array([a.precision[beta] - b.precision[beta] for a, b in zip(e.theirs, e.own, strict=True)])
    rest = [
        np.where(np.outer(e.is_beta, e.is_beta), b.precision, a.precision)
        for a, b in zip(e.theirs, e.own, strict=True)
    ]
    elsewhere = max(relative(a, b.precision) for a, b in zip(rest, e.own, strict=True))
    spread = np.max(np.abs(more - more[0]), initial=0.0)
    if elsewhere < SAME and spread < CONSTANT * np.max(np.abs(more[0]), initial=0.0):
        labels = np.array(e.labels)[e.is_beta]
        sds = (f"{x} with sd {w**-0.5:.6g}" for x, w in zip(labels, np.diag(more[0]), strict=True) if w > 0)
        yield Difference("prior", f"theirs has a normal prior that isn't declared: {', '.join(sds)}")


def _of_block(e: Evidence, number: int, group: str) -> Iterator[Difference]:
    block = e.ours.design.blocks[number]
    first = f"ranef[{group}={block.levels[0]}: "
    own = [i for i, label in enumerate(e.labels) if label.startswith(first)]
    if len(own) < block.k:
        return
    told = [each for each in e.theirs if _tells(e, each, own)] or e.theirs
    pairs = [(_covariance(e, each, own), e.ours.covariances(each.natural)[number]) for each in told]
    sds = [(np.sqrt(np.abs(np.diag(a))), np.sqrt(np.diag(b))) for a, b in pairs]
    if any(not _near(a, b) for a, b in sds):
        yield Difference("standard deviation", _sd_sentence(sds, group))
    elif any(not _near(a, b) for a, b in pairs):
        how = "theirs has another one than it is named for"
        if all(_is_diagonal(a) for a, _ in pairs):
            how = "theirs has none"
        elif all(_is_diagonal(b) for _, b in pairs):
            how = "theirs has one, and the model none"
        yield Difference("correlation", f"of the effects of {group}: {how}")


def _is_diagonal(T: Array) -> bool:
    return _near(T, np.diag(np.diag(T)))


def _covariance(e: Evidence, theirs: Quadratic, own: list[int]) -> Array:
    """T of a block as their precision has it, if the data's part is ours."""
    return np.asarray(np.linalg.inv(_of_prior(e, theirs, own)))


def _of_prior(e: Evidence, theirs: Quadratic, own: list[int]) -> Array:
    """What their precision of one level has beyond the data's."""
    K = theirs.precision - e.data_gram / theirs.natural["sigma"] ** 2
    return np.asarray(K[np.ix_(own, own)])


def _tells(e: Evidence, theirs: Quadratic, own: list[int]) -> bool:
    """Whether that is no small difference of large numbers."""
    ratio = np.diag(_of_prior(e, theirs, own)) / np.diag(theirs.precision)[own]
    return bool(np.all(ratio > TOLD))


def _sd_sentence(sds: list[tuple[Array, Array]], group: str) -> str:
    if all(_near(a, b**2) for a, b in sds):
        return f"what is named an sd of {group} is a variance: theirs has its square for the effects' sd"
    if all(_near(a, b**0.5) for a, b in sds):
        return f"what is named an sd of {group} is its square, a variance"
    ratios = np.array([np.max(np.abs(a / b)) for a, b in sds])
    if np.ptp(ratios) < CLOSE * ratios[0]:
        return f"the effects of {group} have {ratios[0]:.6g} times the sd that is named so"
    return f"the effects of {group} have another sd than it is named for"


def _of_sigma(e: Evidence) -> Iterator[Difference]:
    beta = np.flatnonzero(e.is_beta)
    if not len(beta):
        return
    sigmas = np.array([each.natural["sigma"] for each in e.theirs])
    found = np.sqrt(
        [e.data_gram[beta[0], beta[0]] / abs(each.precision[beta[0], beta[0]]) for each in e.theirs]
    )
    if not _near(found, sigmas):
        what = "its root: what is named sigma is a variance" if _near(found, sigmas**0.5) else "another one"
        yield Difference("residual sd", f"the residual of theirs has not the sd named sigma but {what}")


# the response's part


def _of_response(e: Evidence) -> Iterator[Difference]:
    design, places = e.ours.design, e.ours.places(e.labels)
    shifts = np.array([each.natural["sigma"] ** 2 * each.precision @ each.mean for each in e.theirs])
    yield from _of_swapped_levels(e, shifts) if e.is_whole() else ()
    others = {
        ("offset", "theirs adds the offset with the wrong sign"): design.y + design.offset,
        ("offset", "theirs has no offset"): design.y,
    }
    for (kind, sentence), values in others.items():
        if np.any(design.offset) and _near(shifts, np.tile(e.ours.shift(values)[places], (len(shifts), 1))):
            yield Difference(kind, sentence)
            return
    if not list(_of_swapped_levels(e, shifts)):
        yield Difference("response", "theirs has another response, other rows or another offset")


def _of_swapped_levels(e: Evidence, shifts: Array) -> Iterator[Difference]:
    """The sums by level are there, at other levels."""
    own = e.ours.shift(e.ours.design.y - e.ours.design.offset)[e.ours.places(e.labels)]
    for block in e.ours.design.blocks:
        of_it = np.array([label.startswith(f"ranef[{block.group}=") for label in e.labels])
        rest = _near(shifts[:, ~of_it], np.tile(own[~of_it], (len(shifts), 1)))
        if rest and _near(np.sort(shifts[0][of_it]), np.sort(own[of_it])):
            yield Difference("levels", SWAPPED.format(block.group))
            return


# what is left: a constant, or what looks like a prior


def _of_remainder(e: Evidence) -> Iterator[Difference]:
    if e.density_off < SAME_DENSITY:
        return
    left = e.remainders
    if np.ptp(left) < SAME_DENSITY * max(1.0, max(abs(each.logp) for each in e.own)):
        yield Difference(
            "constant",
            f"theirs has {left[0]:+.10g} of log density more everywhere: the same posterior, another "
            "marginal likelihood",
        )
    else:
        yield Difference(
            "prior",
            f"beyond what is declared theirs depends on the variance parameters, by {left.min():.6g} to "
            f"{left.max():.6g} at the points looked at: an implied prior, or a potential",
        )


def _same(one: Array, other: Array) -> bool:
    return one.shape == other.shape and relative(one, other) < CLOSE


def _near(one: ArrayLike, other: ArrayLike, size: float = 0.0) -> bool:
    """Whether arrays are alike, relative to their largest value or a size of at least 1."""
    a, b = np.asarray(one, dtype=float), np.asarray(other, dtype=float)
    scale = max(float(np.max(np.abs(b), initial=0.0)), size) or 1.0
    return bool(np.max(np.abs(a - b), initial=0.0) < CLOSE * scale)
