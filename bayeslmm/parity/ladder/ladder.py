"""The ladder of location as a long frame, and what stands beside it."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayeslmm.parity.ladder import rungs as all_rungs  # noqa: F401  (its files register themselves)
from bayeslmm.parity.ladder.rungs.base import Place, Rung, rungs
from bayeslmm.parity.ladder.rungs.prior_rung import PriorRung
from bayeslmm.parity.ladder.study import Kinds, Study
from bayeslmm.runs.progress import waited

type Array = NDArray[np.float64]

COLUMNS = (
    "label",
    "rung",
    "value",
    "step",
    "step_over_scale",
    "error",
    "cause",
    "alone",
    "away",
    "median",
    "reason",
)
WITHIN = "within the mode"
JUMP = "jump to another mode"


@dataclass(frozen=True, eq=False)
class Ladder:
    """Every estimand's way from the estimate over modes (eq. 15) to the posterior mean (eq. 16).

    Attributes
    ----------
    study : the model and what was found of it.
    """

    study: Study

    @cached_property
    def places(self) -> dict[Rung, Place | str]:
        """Where every rung that the model has stands, or why it doesn't."""
        with waited("Climbing the ladder"):
            return {rung: rung.stand(self.study) for rung in rungs() if rung.applies(self.study)}

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One row an estimand and rung, in the order of `labels`; steps of one estimand add up.

        Columns: `label, rung, value`; `step` from the rung before that has a value, `step_over_scale` in
        units of the larger of standard error and posterior sd, `error` of the value; `cause` of the step,
        those of missing rungs included; `alone`, what this kind of prior does added alone to the flat mode,
        and `away`, what is lost where it is taken away from all of them; the posterior's `median` beside the
        mean; `reason`, why a rung has no value.
        """
        rows = [row for rung, place in self.places.items() for row in self._rows(rung, place)]
        frame = pd.concat(rows, ignore_index=True)
        order = pd.Index(self.study.estimands.labels).get_indexer(pd.Index(frame["label"]))
        frame = frame.iloc[np.argsort(order, kind="stable")].reset_index(drop=True)
        return _with_steps(frame, dict(zip(self.study.estimands.labels, self.study.scale, strict=True)))[
            list(COLUMNS)
        ]

    @property
    def pull(self) -> dict[str, float]:
        """By label, what all priors together do to the flat mode, where both modes exist."""
        study = self.study
        both = self._between((), study.kinds)
        return {
            label: float(x) for label, x in zip(study.estimands.labels, both, strict=True) if np.isfinite(x)
        }

    def alone(self, kind: str) -> Array:
        """(L,) what the priors of a kind do to the flat mode by themselves; NaN where that isn't known."""
        return self._between((), (kind,))

    def away(self, kind: str) -> Array:
        """(L,) what the priors of a kind do where all the others are there."""
        return self._between(tuple(each for each in self.study.kinds if each != kind), self.study.kinds)

    def _between(self, before: Kinds, after: Kinds) -> Array:
        study = self.study
        if not study.design.kernel.small or study.no_mode(before) or study.no_mode(after):
            return np.full(len(study.estimands.labels), np.nan)
        (first, _), (last, _) = (study.at(study.mode(kinds), kinds) for kinds in (before, after))
        return last - first

    def _rows(self, rung: Rung, place: Place | str) -> Iterator[pd.DataFrame]:
        labels = list(self.study.estimands.labels)
        causes = [rung.named(label, self.study) for label in labels]
        common = {"label": labels, "rung": rung.name, "cause": causes, "value": np.nan, "error": np.nan}
        common |= {"alone": np.nan, "away": np.nan, "median": np.nan, "reason": ""}
        if isinstance(place, str):
            yield pd.DataFrame(common | {"reason": place})
            return
        if place.within is not None:
            yield pd.DataFrame(
                common | {"rung": f"{rung.name}, {WITHIN}", "value": place.within, "error": 0.0}
            )
            common["cause"] = JUMP
        reasons = [place.reasons.get(label, "") for label in labels]
        own = {"value": place.value, "error": place.error, "reason": reasons}
        yield pd.DataFrame(common | own | self._beside(rung))

    def _beside(self, rung: Rung) -> dict[str, Array]:
        if isinstance(rung, PriorRung):
            return {"alone": self.alone(rung.of), "away": self.away(rung.of)}
        sampled = self.study.sampled
        if rung.name in ("mean", "sampled") and sampled is not None:
            return {"median": sampled["median"].reindex(list(self.study.estimands.labels)).to_numpy(float)}
        return {}


def _with_steps(frame: pd.DataFrame, scale: dict[str, float]) -> pd.DataFrame:
    """Steps from value to value, and causes of missing rungs merged into the next step."""
    steps, causes = np.full(len(frame), np.nan), []
    last, label = np.nan, None
    pending: list[str] = []
    for i, (own, value, cause) in enumerate(zip(frame["label"], frame["value"], frame["cause"], strict=True)):
        if own != label:
            last, label, pending = np.nan, own, []
        if np.isnan(value):
            pending.append(cause)
            causes.append("")
            continue
        steps[i] = value - last
        causes.append(" + ".join(filter(None, [*pending, cause])) if np.isfinite(last) else "")
        last, pending = value, []
    over = steps / frame["label"].map(scale).to_numpy(float)
    return frame.assign(step=steps, step_over_scale=over, cause=causes)
