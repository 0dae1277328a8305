"""A grouping of rows by residual groups, strata or visits."""

from collections.abc import Mapping
from typing import NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from . import checks
from .factors import Grouping, factor_of

type Codes = NDArray[np.int64]
type Columns = Mapping[str, pd.Series]


class Levels(NamedTuple):
    """A grouping of rows, learnt, and the code of each row; all is one level where it has no columns."""

    grouping: Grouping | None
    codes: Codes

    @classmethod
    def learn(cls, names: tuple[str, ...], columns: Columns, n: int) -> Self:
        if not names:
            return cls(None, np.zeros(n, dtype=np.int64))
        for name in names:
            checks.check_grouping_column(name, columns[name])
        return cls(*Grouping.learn(names, [factor_of(columns[name]) for name in names]))

    @property
    def labels(self) -> tuple[str, ...]:
        return ("",) if self.grouping is None else self.grouping.levels
