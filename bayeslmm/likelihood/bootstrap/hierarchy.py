"""Which grouping factors contain which, and the rows of their levels."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bayeslmm.errors import OptionError, check_choice
from bayeslmm.spec.block import Block
from bayeslmm.spec.design import Design

type Codes = NDArray[np.int64]


def chain(design: Design) -> tuple[Block, ...]:
    """The blocks from the coarsest to the finest, each nested in the one before.

    Raises
    ------
    OptionError
        For crossed factors.
    """
    blocks = tuple(sorted(design.blocks, key=lambda block: block.n_levels))
    for coarse, fine in pairwise(blocks):
        if not is_nested(fine.codes, coarse.codes):
            raise OptionError(
                f"{fine.group} and {coarse.group} are crossed: their levels can't be resampled independently "
                "of each other; resample rows, name one group where the kind takes one, or use "
                "kind='parametric' or 'residual'"
            )
    return blocks


def is_nested(fine: Codes, coarse: Codes) -> bool:
    """Does each level of `fine` lie in one level of `coarse`?"""
    pairs = np.unique(np.column_stack([fine, coarse]), axis=0)
    return len(np.unique(pairs[:, 0])) == len(pairs)


def independent_levels(design: Design, group: str | None) -> Codes:
    """(n,) codes of the levels of a group, by default of the coarsest; without groups every row is its own.

    Raises
    ------
    OptionError
        For a group that isn't there, or none named where factors are crossed.
    """
    if group is not None:
        by_name = {block.group: block for block in design.blocks}
        return by_name[check_choice("group", group, by_name)].codes
    check_exchangeable(design.blocks)
    return chain(design)[0].codes if design.blocks else np.arange(design.n)


def check_exchangeable(blocks: tuple[Block, ...]) -> None:
    """One clear error for levels that aren't independent.

    Raises
    ------
    OptionError
        Where levels have a known covariance.
    """
    for block in blocks:
        if block.known is not None:
            raise OptionError(
                f"the levels of {block.group} have a known covariance, so they can't be resampled; "
                "use kind='parametric'"
            )


def rows_by_level(codes: Codes) -> list[Codes]:
    """The rows of each level that has any, levels in order."""
    order = np.argsort(codes, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(codes[order])) + 1)
