"""Models side by side by what their likelihoods tell: information criteria and cross-validation."""

from collections.abc import Iterable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from bayeslmm.errors import OptionError, check_choice, check_whole
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.likelihood.inference.comparison import as_fit, as_fitted_by, model_names, shared_criterion
from bayeslmm.likelihood.inference.nesting import check_comparable, same_fixed
from bayeslmm.likelihood.studies.scores import Folds, Score, Scored
from bayeslmm.likelihood.studies.scores.cv import check_folds
from bayeslmm.spec.design import Design

RANDOM_PARTS = (
    "{word} counts a variance as if it could have any sign: between different random parts it is too slow to "
    "take one in; see fit.ranova(), or rank_by='caic' or 'cv'"
)


class Scores(NamedTuple):
    """Models side by side, in the order given.

    Attributes
    ----------
    frame : a row a model: loglik, every score, and `k_...`, what it counts. fits : compared.
    notes : what a reader of a ranking must know.
    """

    frame: pd.DataFrame
    fits: list[Fitted]
    notes: tuple[str, ...]


def scores(
    models: Iterable[Any], rank_by: str | None, folds: int | str | None, criterion: str | None, seed: int
) -> Scores:
    """Every score of every model; for `rank_by` None none of them decides.

    Raises
    ------
    OptionError
        As `select` says.
    """
    kinds = Score.kinds()
    chosen = None if rank_by is None else kinds[rank_by]
    fits = _fits(models, criterion)
    left_out = _folds(fits, folds, seed, chosen is not None and chosen.needs_folds)
    asked = {word: kind() for word, kind in kinds.items() if left_out or not kind.needs_folds}
    found = [{word: score.of(fit, left_out) for word, score in asked.items()} for fit in fits]
    frame = pd.DataFrame(
        [_row(fit, each) for fit, each in zip(fits, found, strict=True)], index=model_names(fits)
    )
    return Scores(frame, fits, tuple(_cautions(fits, chosen)))


def ranked(frame: pd.DataFrame, by: str) -> pd.DataFrame:
    """The best first, with `delta`, how far the deciding column is from its best."""
    frame = frame.sort_values(by, kind="stable")
    return frame.assign(delta=frame[by] - frame[by].iloc[0])


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


def _row(fit: Fitted, found: dict[str, Scored]) -> dict[str, float]:
    row = {"loglik": fit.loglik}
    for word, scored in found.items():
        row[word] = scored.value
        row |= {f"k_{word}": scored.k} if np.isfinite(scored.k) else {}
        row |= {f"se_{word}": scored.se} if np.isfinite(scored.se) else {}
    return row


def _cautions(fits: list[Fitted], chosen: type[Score] | None) -> Iterable[str]:
    """What a reader of the ranking must know."""
    if not all(same_fixed(a.design, b.design) for a, b in pairwise(fits)):
        yield "fixed parts differ: all are ML fits, since REML likelihoods of them aren't of the same data"
    if chosen is None:
        return
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
    asked = 10 if folds is None else folds
    found = _of_group(fits, asked) if isinstance(asked, str) else _at_random(design.n, asked, seed)
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
