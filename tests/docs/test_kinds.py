"""What users choose among stands on the page that lists it."""

import re
from pathlib import Path

import pytest

from bayeslmm.likelihood.bootstrap.intervals.base import IntervalMethod
from bayeslmm.likelihood.bootstrap.kinds.base import BootstrapKind
from bayeslmm.likelihood.inference.adjust.base import Adjustment
from bayeslmm.likelihood.inference.confint.base import ConfidenceMethod
from bayeslmm.likelihood.inference.ddf.base import DDF
from bayeslmm.likelihood.studies.scores import Score
from bayeslmm.parity.calibration.methods.base import Method
from bayeslmm.registry import Registered
from bayeslmm.spec.covariance import CovarianceStructure
from bayeslmm.spec.priors import Prior
from bayeslmm.spec.residual import CorrelationStructure, VarianceFunction

DOCS = Path(__file__).parents[2] / "docs"
PAGES: list[tuple[type[Registered], str]] = [
    (CovarianceStructure, "structures"),
    (CorrelationStructure, "residuals"),
    (VarianceFunction, "residuals"),
    (Prior, "priors"),
    (BootstrapKind, "bootstrap"),
    (IntervalMethod, "bootstrap"),
    (ConfidenceMethod, "inference"),
    (DDF, "inference"),
    (Adjustment, "prediction"),
    (Score, "choosing"),
    (Method, "calibration"),
]


@pytest.mark.parametrize(("base", "page"), PAGES, ids=lambda each: getattr(each, "__name__", each))
def test_a_page_lists_every_kind(base: type[Registered], page: str) -> None:
    text = (DOCS / f"{page}.md").read_text()
    ours = [word for word, kind in base.kinds().items() if kind.__module__.startswith("bayeslmm.")]
    assert not [word for word in ours if not re.search(rf"[`\"]{re.escape(word)}[`\"(]", text)]
