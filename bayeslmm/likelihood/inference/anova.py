"""The analysis of variance of one fit: an F test a term."""

import numpy as np
import pandas as pd

from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.likelihood.inference.ddf.methods import ddf_of
from bayeslmm.likelihood.inference.table import InferenceTable, headed
from bayeslmm.likelihood.inference.term_contrasts import contrasts

ROMAN = {1: "I", 2: "II", 3: "III"}
COLUMNS = ["sum_sq", "mean_sq", "num_df", "den_df", "F", "p"]


def anova(fit: Fitted, type_: int, ddf: str) -> InferenceTable:
    """One F test a term: sum_sq, mean_sq, num_df, den_df, F, p.

    mean_sq is σ̂² times F before any scaling (which Kenward-Roger has): what F would be over the residual's
    mean square, as lmerTest has it.

    Raises
    ------
    OptionError
        For a type that isn't 1, 2 or 3, a misspelt method, or a fit without a formula.
    """
    hypotheses = contrasts(fit, type_)
    method = ddf_of(fit, ddf)
    tests = [method.test(L, L @ fit.beta_values) for L in hypotheses.values()]
    mean_sq = fit.sigma**2 * np.array([test.F / test.scale for test in tests])
    rows = [
        (square * test.num_df, square, test.num_df, test.den_df, test.F, test.p)
        for square, test in zip(mean_sq, tests, strict=True)
    ]
    frame = pd.DataFrame(rows, columns=COLUMNS, index=pd.Index(list(hypotheses), name="term"))
    heading = f"Type {ROMAN[type_]} analysis of variance, {method.name} degrees of freedom"
    return headed(frame, heading, ddf=method.keyword, type=type_)
