"""Models side by side by information criteria and cross-validation, with cautions about their ranking."""

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from bayeslmm.arguments import in_our_words
from bayeslmm.errors import OptionError, check_choice, check_whole
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.likelihood.inference.comparison import as_fit, as_fitted_by, shared_criterion
from bayeslmm.likelihood.inference.nesting import check_comparable, same_fixed
from bayeslmm.likelihood.inference.table import InferenceTable, headed
from bayeslmm.likelihood.studies.scores import Folds, Score, Scored
from bayeslmm.likelihood.studies.scores.cv import check_folds
from bayeslmm.spec.design import Design

RANDOM_PARTS = (
    "{word} counts a variance as if it could have any sign: between different random parts it is too slow to "
    "take one in; see fit.ranova(), or rank_by='caic' or 'cv'"
)


@in_our_words
def select(
    models: Iterable[Any],
    *,
    rank_by: str = "aic",
    folds: int | str | None = None,
    criterion: str | None = None,
    seed: int = 0,
) -> InferenceTable:
    """Compare models, the best first.

    Parameters
    ----------
    models : iterable of LinearMixedModel or fit
        Of the same rows and response; a model is fitted by REML first.
    rank_by : {"aic", "aicc", "bic", "caic", "cv"}
        What decides the order; lower is better.
    folds : int or str, optional
        For cross-validation, which is then in the table, too: random folds of rows, their number, or a
        grouping factor, each of whose levels is left out in turn. 10 where `rank_by` is "cv".
    criterion : {None, "ML", "REML"}
        None compares REML fits as they are where their fixed parts agree, and refits by ML otherwise.
    seed : int
        Of random folds.

    Returns
    -------
    DataFrame, a row a model
        loglik; every score with `k_...`, the number of parameters it counts; `delta`, how far the deciding
        score is from the best, and `weight`, exp(−delta/2) as a share (information criteria). Cautions stand
        below the table.

    Raises
    ------
    OptionError
        For different rows or responses, REML across fixed parts, or a fold without which a coefficient can't
        be estimated.

    Examples
    --------
    >>> import bayeslmm as bl
    >>> data = bl.load_dataset("sleepstudy")
    >>> models = [bl.LinearMixedModel(f"Reaction ~ Days + ({bar} | Subject)", data) for bar in ("1", "Days")]
    >>> table = bl.select(models)
    >>> table["delta"].round(1).tolist()
    [0.0, 38.8]
    """
    kinds = Score.kinds()
    chosen = kinds[check_choice("rank_by", rank_by, kinds)]
    fits = _fits(models, criterion)
    left_out = _folds(fits, folds, seed, chosen.needs_folds)
    scores = {word: kind() for word, kind in kinds.items() if left_out or not kind.needs_folds}
    found = [{word: score.of(fit, left_out) for word, score in scores.items()} for fit in fits]
    frame = pd.DataFrame([_row(fit, each) for fit, each in zip(fits, found, strict=True)], index=_names(fits))
    frame = frame.sort_values(rank_by, kind="stable")
    frame["delta"] = frame[rank_by] - frame[rank_by].iloc[0]
    if not chosen.needs_folds:
        likely = np.exp(-0.5 * frame["delta"])
        frame["weight"] = likely / likely.sum()
    heading = f"{len(fits)} models by {rank_by}, {fits[0].criterion} fits"
    return headed(
        frame, heading, tuple(_cautions(fits, chosen)), criterion=fits[0].criterion, rank_by=rank_by
    )


def _fits(models: Iterable[Any], criterion: str | None) -> list[Fitted]:
    """Fits that may be compared.

    Raises
    ------
    OptionError
        Where they may not.
    """
    fits = [as_fit(model) for model in models]
    if len(fits) < 2:
        raise OptionError(f"comparing models needs at least two; got {len(fits)}")
    check_comparable(fits)
    word = shared_criterion(fits, criterion)
    return [as_fitted_by(fit, word) for fit in fits]


def _names(fits: list[Fitted]) -> pd.Index:
    return pd.Index([fit.formula or f"model {i}" for i, fit in enumerate(fits, 1)], name="model")


def _row(fit: Fitted, found: dict[str, Scored]) -> dict[str, float]:
    row = {"loglik": fit.loglik}
    for word, scored in found.items():
        row[word] = scored.value
        row |= {f"k_{word}": scored.k} if np.isfinite(scored.k) else {}
        row |= {f"se_{word}": scored.se} if np.isfinite(scored.se) else {}
    return row


def _cautions(fits: list[Fitted], chosen: type[Score]) -> Iterable[str]:
    """What a reader of the ranking must know."""
    if not all(same_fixed(a.design, b.design) for a, b in pairwise(fits)):
        yield "fixed parts differ: all are ML fits, since REML likelihoods of them aren't of the same data"
    if not chosen.random_counts and not all(_same_random(a.design, b.design) for a, b in pairwise(fits)):
        yield RANDOM_PARTS.format(word=chosen.keyword)
    if chosen.caution:
        yield chosen.caution


def _same_random(one: Design, other: Design) -> bool:
    """Have the two the same bars?"""
    return [(block.group, block.coefs, block.structures) for block in one.blocks] == [
        (block.group, block.coefs, block.structures) for block in other.blocks
    ]


def _folds(fits: list[Fitted], folds: int | str | None, seed: int, needed: bool) -> Folds:
    """Rows left out together, by name; none where nobody asks."""
    if folds is None and not needed:
        return {}
    design = fits[0].design
    found = _of_group(fits, folds) if isinstance(folds, str) else _at_random(design.n, folds or 10, seed)
    for fit in fits:
        check_folds(fit, found)
    return found


def _of_group(fits: list[Fitted], group: str) -> Folds:
    blocks = {block.group: block for fit in fits for block in fit.design.blocks}
    block = blocks[check_choice("folds", group, blocks)]
    return {f"{group}={level}": np.flatnonzero(block.codes == j) for j, level in enumerate(block.levels)}


def _at_random(n: int, folds: int, seed: int) -> Folds:
    check_whole("folds", folds, 2)
    order = np.random.default_rng(seed).permutation(n)
    return {str(i + 1): np.sort(rows) for i, rows in enumerate(np.array_split(order, min(folds, n)))}
