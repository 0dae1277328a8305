"""One estimand's rows of the ladder as a way from the estimate compared to the mean it is compared with."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import isfinite, nan
from typing import Any

import numpy as np
import pandas as pd

from bayeslmm.parity.ladder.rungs.base import Rung
from bayeslmm.parity.ladder.rungs.flat_mode import FlatMode
from bayeslmm.parity.ladder.rungs.mean import Mean
from bayeslmm.parity.ladder.rungs.prior_rung import PriorRung
from bayeslmm.parity.ladder.rungs.reml import REML
from bayeslmm.parity.ladder.rungs.sampled import UNKNOWN as PRIOR_UNKNOWN
from bayeslmm.parity.ladder.rungs.sampled import Sampled
from bayeslmm.parity.verdicts.evidence import AVERAGING, ESTIMATE, MERGED, PRIOR, SHAPE, UNKNOWN, Step

type Row = dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """From an estimate to a mean.

    Attributes
    ----------
    rows : of the ladder that have a value, from the estimate's to the mean's. linear : in β and b.
    residual : of the theorem, the flat mode's distance to REML.
    """

    rows: tuple[Row, ...]
    linear: bool
    residual: float

    @classmethod
    def of(cls, rows: Iterable[Row], start: str, linear: bool) -> "Way":
        """Rows of one estimand; the way begins at the rung `start` and ends at the mean, or where it must."""
        known = [row for row in rows if isfinite(row["value"])]
        residual = [abs(row["step"]) for row in known if row["rung"] == FlatMode.name]
        last = max((Mean.name, Sampled.name), key=lambda rung: _ends(known, rung))
        return cls(tuple(_between(known, start, last)), linear, float(np.nan_to_num(sum(residual))))

    @property
    def start(self) -> float:
        """The estimate; NaN where there is none."""
        begins = bool(self.rows) and not self.rows[0]["cause"]
        return float(self.rows[0]["value"]) if begins else nan

    @property
    def end(self) -> float:
        """The mean; NaN where there is none."""
        arrives = bool(self.rows) and self.rows[-1]["rung"] in (Mean.name, Sampled.name)
        return float(self.rows[-1]["value"]) if arrives else nan

    @property
    def error(self) -> float:
        """Of the mean."""
        return float(self.rows[-1]["error"]) if isfinite(self.end) else 0.0

    def steps(self, scale: float) -> Iterator[Step]:
        """In units of a scale; the theorem's residual isn't one of them."""
        for row in self.rows[1:]:
            if row["rung"] != FlatMode.name and isfinite(row["step"]):
                size, alone, away = (row[name] / scale for name in ("step", "alone", "away"))
                yield Step(row["cause"], size, self._kind(row), alone, away)

    def _kind(self, row: Row) -> str:
        """What moves an estimand from one rung to the next."""
        if row["cause"] == PRIOR_UNKNOWN:
            return UNKNOWN
        if row["rung"] == REML.name:
            return ESTIMATE
        if row["rung"] not in (Mean.name, Sampled.name):
            return PRIOR
        priors = [kind.name for kind in Rung.kinds().values() if issubclass(kind, PriorRung)]
        if set(row["cause"].split(" + ")) & set(priors):
            return MERGED
        return AVERAGING if self.linear else SHAPE


def rows_by_label(frame: pd.DataFrame) -> dict[str, list[Row]]:
    """The rows of a ladder by estimand."""
    out: dict[str, list[Row]] = {}
    columns = [frame[name].tolist() for name in frame.columns]
    for values in zip(*columns, strict=True):
        row = dict(zip(frame.columns, values, strict=True))
        out.setdefault(row["label"], []).append(row)
    return out


def moved_most(frame: pd.DataFrame) -> dict[str, str]:
    """By rung of a prior, the parameter with that kind of prior which its step moves most."""
    out: dict[str, str] = {}
    for kind in (kind for kind in Rung.kinds().values() if issubclass(kind, PriorRung)):
        own = frame[(frame["rung"] == kind.name) & frame["label"].str.startswith(kind.of)]
        sizes = own.set_index("label")["step_over_scale"].abs().dropna()
        out |= {kind.name: str(sizes.idxmax())} if len(sizes) else {}
    return out


def _ends(rows: list[Row], rung: str) -> int:
    """1 + its preference where a rung is among the rows: the deterministic mean comes first."""
    return (2 if rung == Mean.name else 1) if any(row["rung"] == rung for row in rows) else 0


def _between(rows: list[Row], start: str, last: str) -> Iterator[Row]:
    begun = False
    for row in rows:
        if row["rung"] == start:
            begun = True
            yield row | {"cause": "", "step": nan}
        elif begun and (row["rung"] == last or row["rung"] not in (Mean.name, Sampled.name)):
            yield row
