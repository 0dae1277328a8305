"""How R's broom and broom.mixed name what is estimated: effect, group, level, term."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from bayeslmm.errors import check_choice
from bayeslmm.spec import labels
from bayeslmm.spec.design import Design
from bayeslmm.spec.recipe import Recipe

type EffectWord = Literal["fixed", "ran_pars", "ran_vals"]
type Effects = EffectWord | Iterable[EffectWord]

EFFECTS = FIXED, PARAMETERS, VALUES = get_args(EffectWord.__value__)
RESIDUAL = "Residual"


def wanted(effects: Effects) -> tuple[str, ...]:
    """The effects asked for, in the order of tables.

    Raises
    ------
    OptionError
        For one that there isn't.
    """
    several = isinstance(effects, Iterable) and not isinstance(effects, str)
    asked = tuple(effects) if several else (effects,)
    for each in asked:
        check_choice("effects", each, EFFECTS)
    return tuple(each for each in EFFECTS if each in asked)


def keys(design: Design, ranef: bool) -> pd.DataFrame:
    """effect, group, level and term by label: ``sd[Subject: Days]`` is ran_pars, Subject, "sd__Days".

    Parameters
    ----------
    ranef : random effects, too.
    """
    parts = chain(_fixed(design), _parameters(design), _values(design) if ranef else ())
    known = dict(parts)
    found = labels.parameter_labels(design) + (labels.ranef_labels(design) if ranef else ())
    rows = [known.get(label, (PARAMETERS, RESIDUAL, "", label)) for label in found]
    return pd.DataFrame(
        rows, columns=["effect", "group", "level", "term"], index=pd.Index(found, name="label")
    )


type Keyed = Iterator[tuple[str, tuple[str, str, object, str]]]


def _fixed(design: Design) -> Keyed:
    for label, coef in zip(labels.beta_labels(design), design.coefs, strict=True):
        yield label, (FIXED, "", "", coef)


def _parameters(design: Design) -> Keyed:
    for number, block in enumerate(design.blocks):
        sds = zip(labels.sd_labels_of(design, number), design.covariance.sd_names(number), strict=True)
        cors = zip(labels.cor_labels_of(design, number), design.covariance.cor_names(number), strict=True)
        for label, name in sds:
            yield label, (PARAMETERS, block.group, "", f"sd__{name}")
        for label, name in cors:
            yield label, (PARAMETERS, block.group, "", f"cor__{name.replace(', ', '.')}")
    yield labels.SIGMA, (PARAMETERS, RESIDUAL, "", "sd__Observation")


def _values(design: Design) -> Keyed:
    for block in design.blocks:
        for level in block.levels:
            for coef in block.coefs:
                yield labels.ranef_label(block.group, level, coef), (VALUES, block.group, level, coef)


def tidied(frame: pd.DataFrame, design: Design, effects: tuple[str, ...]) -> pd.DataFrame:
    """Rows by label under broom's keys, those of the effects asked for; keys that say nothing left out."""
    named = keys(design, VALUES in effects).join(frame)
    parts = [named[named["effect"] == effect] for effect in effects]
    kept = pd.concat([named.iloc[:0], *parts]).reset_index(drop=True)
    return kept.drop(columns=[] if VALUES in effects else "level")


def rows_of(design: Design, recipe: Recipe | None) -> pd.DataFrame:
    """The fitted rows: response, the formula's columns, grouping factors."""
    columns: dict[str, Any] = {design.response: design.y}
    for name, values in ({} if recipe is None else recipe.fitted).items():
        coding = None if recipe is None else recipe.codings.get(name)
        columns[name] = values if coding is None else np.asarray(coding.levels, dtype=object)[values]
    for block in design.blocks:
        columns[block.group] = np.asarray(block.levels, dtype=object)[block.codes]
    return pd.DataFrame(columns, index=design.index)
