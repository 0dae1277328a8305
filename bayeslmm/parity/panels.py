"""What the plots show: arrays and labels cut out of the results."""

from typing import Any

import numpy as np
import pandas as pd

from bayeslmm.errors import InputError, did_you_mean
from bayeslmm.estimands.table import EstimateTable
from bayeslmm.parity.ladder.ladder import Ladder
from bayeslmm.parity.ladder.way import rows_by_label
from bayeslmm.parity.pooling import no_pooling
from bayeslmm.parity.sides import Sides
from bayeslmm.render import style
from bayeslmm.render.densities import DensityPanel
from bayeslmm.render.ladder import RungMark
from bayeslmm.render.shrinkage import ShrinkagePanel
from bayeslmm.spec.labels import ranef_label

MARKED = ("rung", "cause", "reason", "value", "step", "step_over_scale")


def density_panels(sides: Sides, posterior: pd.DataFrame, bootstrap: pd.DataFrame) -> list[DensityPanel]:
    """One panel a parameter that was sampled."""
    fit = sides.fit or sides.bootstrap
    source = fit.table.source if fit else ""
    return [
        DensityPanel(
            label,
            posterior[label].to_numpy(float),
            _finite(bootstrap, label),
            float(fit.table.row(label)["estimate"]) if fit and label in fit.table else np.nan,
            source,
        )
        for label in posterior.columns
    ]


def ladder_marks(ladder: Ladder, label: str) -> tuple[list[RungMark], float]:
    """The rungs of one estimand, and its scale.

    Raises
    ------
    InputError
        If there is no such estimand.
    """
    labels = ladder.study.estimands.labels
    if label not in labels:
        raise InputError(f"there is no estimand {label!r}{did_you_mean(label, labels)}")
    rows = rows_by_label(ladder.frame[ladder.frame["label"] == label])[label]
    marks = [RungMark(colour=_colour(row["rung"]), **{name: row[name] for name in MARKED}) for row in rows]
    return marks, float(ladder.study.scale[labels.index(label)])


def _colour(rung: str) -> str:
    """The likelihood's and the posterior's own rungs in their colours, priors between them."""
    if rung in ("ML", "REML", "flat mode"):
        return style.LIKELIHOOD
    return style.POSTERIOR if rung in ("mean", "sampled") else style.NEUTRAL


def shrinkage_panels(sides: Sides) -> list[ShrinkagePanel]:
    """One panel a coef of a grouping factor; none where a side lacks random effects."""
    design = sides.find("design")
    if design is None or sides.fit is None or sides.posterior is None:
        return []
    fit, posterior = sides.fit.table, sides.posterior.table
    blocks = [block for block in design.blocks if _has(fit, block) and _has(posterior, block)]
    own = _own_least_squares(design, fit) if len(blocks) == len(design.blocks) else None
    return [
        _panel(block, i, fit, posterior, own[number][:, i] if own else None)
        for number, block in enumerate(blocks)
        for i in range(block.k)
    ]


def _panel(
    block: Any, i: int, fit: EstimateTable, posterior: EstimateTable, own: np.ndarray | None
) -> ShrinkagePanel:
    labels = [ranef_label(block.group, level, block.coefs[i]) for level in block.levels]
    blup = fit.frame.loc[labels, ["estimate", "lower", "upper"]].to_numpy(float).T
    post = posterior.frame.loc[labels, ["mean", "lower", "upper"]].to_numpy(float).T
    return ShrinkagePanel(
        title=f"{block.group}: {block.coefs[i]}",
        levels=block.levels,
        blup=blup[0],
        blup_lower=blup[1],
        blup_upper=blup[2],
        mean=post[0],
        post_lower=post[1],
        post_upper=post[2],
        no_pooling=own,
    )


def _own_least_squares(design: Any, fit: EstimateTable) -> list[np.ndarray]:
    beta = fit.select("beta").frame["estimate"].to_numpy(float)
    return no_pooling(design, beta, [_effects(block, fit) for block in design.blocks])


def _effects(block: Any, table: EstimateTable) -> np.ndarray:
    return table.frame.loc[_labels(block), "estimate"].to_numpy(float).reshape(block.n_levels, block.k)


def _labels(block: Any) -> list[str]:
    return [ranef_label(block.group, level, coef) for level in block.levels for coef in block.coefs]


def _has(table: EstimateTable, block: Any) -> bool:
    return bool(pd.Index(_labels(block)).isin(table.frame.index).all())


def _finite(draws: pd.DataFrame, label: str) -> np.ndarray | None:
    if label not in draws:
        return None
    values = draws[label].to_numpy(float)
    return values[np.isfinite(values)]
