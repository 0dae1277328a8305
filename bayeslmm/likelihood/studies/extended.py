"""A design's rows extended: more levels of a factor, or whole repetitions; shorter ones come first."""

import pandas as pd

from bayeslmm.errors import OptionError, check_choice

ROWS = "rows"  # the word for repetitions of all rows


def extended(data: pd.DataFrame, groups: tuple[str, ...], along: str, size: int) -> pd.DataFrame:
    """Rows with `size` levels of one grouping factor, or all rows `size` times.

    Levels are those observed, in their order, then the same again under new names, with them those of factors
    nested in it. What a smaller size has are the first rows of a larger one.

    Parameters
    ----------
    groups : columns that group rows. along : one of them, or "rows".

    Raises
    ------
    OptionError
        For another word.
    """
    if check_choice("along", along, (*groups, ROWS)) == ROWS:
        return pd.concat([data] * size, ignore_index=True)
    rows = dict(list(data.groupby(along, sort=False, observed=True)))
    levels = list(rows)
    inner = [along, *(name for name in groups if name != along and _nested(data, name, along))]
    parts = [_renamed(rows[levels[i % len(levels)]], inner, i // len(levels)) for i in range(size)]
    return pd.concat(parts, ignore_index=True)


def _nested(data: pd.DataFrame, inner: str, outer: str) -> bool:
    """Whether each level of one factor occurs in one level of another."""
    return bool((data.groupby(inner, observed=True)[outer].nunique() == 1).all())


def _renamed(rows: pd.DataFrame, names: list[str], times: int) -> pd.DataFrame:
    """The rows as another level's."""
    return rows.assign(**{name: rows[name].astype(str) + f" ({times + 1})" * (times > 0) for name in names})


def frame_of(model: object) -> pd.DataFrame:
    """The data of a model, as a frame to be extended.

    Raises
    ------
    OptionError
        For data that are read in chunks.
    """
    data = getattr(model, "data", None)
    if not isinstance(data, pd.DataFrame):
        raise OptionError(
            "a design is extended from its rows: give a LinearMixedModel of a DataFrame in memory; a fit can "
            "be its truth"
        )
    return data
