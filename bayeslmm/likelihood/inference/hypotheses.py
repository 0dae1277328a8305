"""The test of a hypothesis Lβ = d."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.likelihood.inference.coef_table import t_frame
from bayeslmm.likelihood.inference.constraints import hypothesis
from bayeslmm.likelihood.inference.ddf.base import FTest
from bayeslmm.likelihood.inference.ddf.methods import ddf_of
from bayeslmm.likelihood.inference.table import InferenceTable, headed
from bayeslmm.markup import paragraph
from bayeslmm.printed import Page, Printed


@dataclass(frozen=True)
class HypothesisTest(Printed):
    """A test of one or several equations at once.

    Attributes
    ----------
    joint : the F test of all of them. rows : the t test and interval of each alone, estimates being Lβ̂.
    ddf : the method's keyword.
    """

    INNER = ("joint",)

    joint: FTest
    rows: InferenceTable
    ddf: str

    @property
    def F(self) -> float:
        return self.joint.F

    @property
    def num_df(self) -> int:
        return self.joint.num_df

    @property
    def den_df(self) -> float:
        return self.joint.den_df

    @property
    def p(self) -> float:
        return self.joint.p

    @property
    def _sentence(self) -> str:
        joint = self.joint
        return f"F({joint.num_df}, {joint.den_df:.5g}) = {joint.F:.5g}, p = {joint.p:.4g}"

    @property
    def page(self) -> Page:
        """What is printed."""
        rows = self.rows.page
        return Page(rows.frame, f"{self._sentence}. {rows.caption}", rows.notes)

    def __repr__(self) -> str:
        return f"{self._sentence}\n{self.rows}"

    def _repr_html_(self) -> str:
        return paragraph(self._sentence, strong=True) + self.rows._repr_html_()


def hypothesis_test(
    fit: Fitted, given: str | ArrayLike | pd.DataFrame, value: ArrayLike, ddf: str, prob: float
) -> HypothesisTest:
    """Test equations in the coefficients, together and one by one.

    Raises
    ------
    OptionError
        For a hypothesis that can't be read, has the wrong length or isn't estimable; a misspelt method.
    """
    method = ddf_of(fit, ddf)
    tested = hypothesis(fit, given, value)
    estimate = tested.L @ fit.beta_values
    frame = t_frame(method, tested.L, estimate, tested.d, prob)
    heading = f"Hypotheses, {method.name} degrees of freedom, {100 * prob:g} % intervals of the left sides"
    index: Any = pd.Index(tested.labels, name="hypothesis")
    rows = headed(frame.set_axis(index), heading, ddf=method.keyword, prob=prob)
    return HypothesisTest(method.test(tested.L, np.asarray(estimate - tested.d)), rows, method.keyword)
