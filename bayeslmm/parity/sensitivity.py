"""How far other priors would move the posterior."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayeslmm.errors import PriorError
from bayeslmm.parity.ladder.study import Study
from bayeslmm.posterior.bridge.foreign_priors import replaced
from bayeslmm.runs.progress import waited
from bayeslmm.spec.labels import kind_of
from bayeslmm.spec.priors import Flat, Prior, Priors, default_priors

if TYPE_CHECKING:
    from bayeslmm.posterior.methods.averages import Averages

type Alternatives = Mapping[str, Mapping[str, Any] | str]

COLUMNS = ("label", "priors", "mean", "sd", "moved", "moved_over_scale", "how")
AS_IS = "as sampled"
FACTORS = {"half as wide": 0.5, "twice as wide": 2.0}


@waited("Trying other priors")
def sensitivity(study: Study, alternatives: Alternatives | None = None) -> pd.DataFrame:
    """The posterior under other priors: one row an estimand and set of priors.

    Columns: `label`; `priors`, as sampled, flat, default, half and twice as wide, or as a user names theirs;
    `mean, sd`; `moved` from the mean as sampled, and in units of the scale; `how` it was computed: the same
    nodes reweighted, or afresh; or why it wasn't.

    Raises
    ------
    PriorError
        For a user's priors that aren't of this model.
    """
    sets = {AS_IS: study.priors} | _sets(study, alternatives)
    base = study.averages
    frames = [_under(study, name, priors, base) for name, priors in sets.items()]
    frame = pd.concat(frames, ignore_index=True)
    as_is = frame[frame["priors"] == AS_IS].set_index("label")["mean"]
    scale = pd.Series(study.scale, index=list(study.estimands.labels))
    frame["moved"] = frame["mean"] - frame["label"].map(as_is)
    frame["moved_over_scale"] = frame["moved"] / frame["label"].map(scale)
    return frame[list(COLUMNS)]


def _sets(study: Study, alternatives: Alternatives | None) -> dict[str, Priors]:
    if alternatives is not None:
        return {name: replaced(study.design, study.priors, given) for name, given in alternatives.items()}
    default = default_priors(study.design)
    scaled = {name: _scaled(study.priors, factor) for name, factor in FACTORS.items()}
    return {"flat": _flat(study.priors), "default": default, **scaled}


def _flat(priors: Priors) -> Priors:
    """Flat wherever the posterior stays proper."""
    for label, prior in priors.table.items():
        if kind_of(label) != "cor" and prior.proper:
            try:
                priors = priors.replace({label: Flat()})
            except PriorError:
                continue
    return replace(priors, table={label: _open(prior) for label, prior in priors.table.items()})


def _open(prior: Prior) -> Prior:
    from bayeslmm.spec.priors import LKJ

    return LKJ(1.0) if isinstance(prior, LKJ) else prior


def _scaled(priors: Priors, factor: float) -> Priors:
    """Standard deviations' priors with another scale."""
    of_sd = {
        label: prior.rescaled(factor) if kind_of(label) in ("sd", "sigma") else prior
        for label, prior in priors.table.items()
    }
    return replace(priors, table=of_sd)


def _under(study: Study, name: str, priors: Priors, base: "Averages | str") -> pd.DataFrame:
    from bayeslmm.posterior.methods.averages import averages
    from bayeslmm.posterior.target import Target

    found: Averages | str | None = base
    how = "as it is"
    if priors.table != study.priors.table:
        found, how = None if isinstance(base, str) else base.reweighted(priors), "reweighted"
    if found is None:
        found, how = averages(Target(study.design, priors), study.seed), "afresh"
    labels = list(study.estimands.labels)
    if isinstance(found, str):
        return pd.DataFrame({"label": labels, "priors": name, "mean": np.nan, "sd": np.nan, "how": found})
    sd = np.sqrt(sum(study.variance_parts(found.components)))
    return pd.DataFrame(
        {"label": labels, "priors": name, "mean": study.means(found.components), "sd": sd, "how": how}
    )
