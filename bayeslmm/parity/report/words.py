"""What an analyst would write of a model, and what the comparison found, in sentences."""

from collections import Counter
from collections.abc import Iterator, Sequence
from math import isfinite
from typing import TYPE_CHECKING

import pandas as pd

from bayeslmm.parity.comparison import Comparison
from bayeslmm.parity.report.units import coef_of
from bayeslmm.parity.verdicts.precedence import precedence
from bayeslmm.render.numbers import percent, rounded
from bayeslmm.spec.labels import SIGMA, cor_labels_of, sd_labels_of

if TYPE_CHECKING:
    from bayeslmm.likelihood.fit import LikelihoodFit
    from bayeslmm.spec.design import Design

MOST_NAMED = 4  # labels that a sentence lists


def model_sentence(design: "Design", formula: str, how: str) -> str:
    """The model, the rows used and dropped, the groups."""
    dropped = f" ({design.n_missing} more with missing values were dropped)" if design.n_missing else ""
    groups = [f"{block.n_levels} levels of {block.group}" for block in design.blocks]
    of = f" of {listed(groups)}" if groups else ""
    kind = "A linear mixed model" if groups else "A linear model"
    return f"{kind} of {design.response} was fitted {how} to {design.n} rows{dropped}{of}: {formula}."


def varying(fit: "LikelihoodFit", prob: float) -> Iterator[str]:
    """Who varies by how much, a sentence a grouping factor, and the residual."""
    frame = fit.estimates(prob).frame

    def told(label: str, word: str) -> str:
        return f"{_estimate(frame, label, prob)} {word} {coef_of(label) or 'every coefficient'}"

    for number, block in enumerate(fit.design.blocks):
        sds = [told(label, "in") for label in sd_labels_of(fit.design, number)]
        cors = [told(label, "of") for label in cor_labels_of(fit.design, number)]
        tie = "the correlation is" if len(cors) == 1 else "correlations are"
        tied = f"; {tie} {listed(cors)}" if 0 < len(cors) <= MOST_NAMED else ""
        yield f"Levels of {block.group} vary by a standard deviation of {listed(sds)}{tied}."
    if SIGMA in frame.index:
        yield f"The residual standard deviation is {_estimate(frame, SIGMA, prob)}."
    if not fit.design.residual.is_identity:
        yield _structured(fit.design, frame, prob)


def _structured(design: "Design", frame: pd.DataFrame, prob: float) -> str:
    """What the residual is besides its standard deviation."""
    own = [f"{label} {_estimate(frame, label, prob)}" for label in design.residual.labels]
    return f"Residuals: {design.residual.description}{': ' if own else ''}{listed(own)}."


def singular(fit: "LikelihoodFit") -> str:
    """Whether the fit is."""
    vanished = [str(each) for each in fit.convergence.vanished]
    if vanished:
        return f"The fit is singular: {'; '.join(vanished)}."
    return "The fit is not singular." if fit.design.blocks else ""


def parity_sentences(parity: Comparison) -> Iterator[str]:
    """Three: who agrees, BLUPs apart; the largest difference; whether anything is a fault; or why none."""
    verdicts = parity.verdicts
    if verdicts.uncompared:
        yield verdicts.headline
        return
    effects = verdicts.frame[verdicts.frame["kind"] == "ranef"]
    blups = f" {_counted(effects, 'random effects', names=False)}" if len(effects) else ""
    yield _counted(verdicts.parameters, "parameters") + blups
    yield _farthest(verdicts.parameters)
    yield _faults(parity)


def listed(parts: Sequence[str]) -> str:
    """Parts as a sentence joins them."""
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts)


def _estimate(frame: pd.DataFrame, label: str, prob: float) -> str:
    """An estimate with its interval, where it has one."""
    estimate, se, lower, upper = frame.loc[[label], ["estimate", "se", "lower", "upper"]].to_numpy(float)[0]
    value = rounded(estimate, se)
    if not (isfinite(lower) and isfinite(upper)):
        return value
    return f"{value} ({percent(prob)}: {rounded(lower, se)} to {rounded(upper, se)})"


def _counted(frame: pd.DataFrame, what: str, names: bool = True) -> str:
    """How many agree, and the other verdicts, with the labels of a few."""
    counts = Counter(frame["verdict"].map(str))
    agree, n = counts.pop("agree", 0), len(frame)
    if agree == n:
        return f"All {n} {what} agree."
    rest = []
    for verdict in (each.name for each in precedence() if each.name in counts):
        labels = list(map(str, frame.index[frame["verdict"] == verdict]))
        shown = f" ({', '.join(labels)})" if names and len(labels) <= MOST_NAMED else ""
        rest.append(f"{len(labels)} {verdict}{shown}")
    return f"Of {n} {what} {agree or 'none'} agree{'s' if agree == 1 else ''}; {listed(rest)}."


def _farthest(frame: pd.DataFrame) -> str:
    """The largest difference of location, by its own sentence."""
    sizes = frame["size"].abs().dropna()
    if sizes.empty:
        return "No estimand has both an estimate and a posterior mean."
    label = str(sizes.idxmax())
    sentence = str(frame["sentence"][label])
    return f"Farthest apart are the two of {label}: {sentence}"


def _faults(parity: Comparison) -> str:
    frame = parity.verdicts.frame
    wrong = [
        str(label)
        for label in frame.index[(frame["verdict"] == "disagree") | (frame["run_check"] == "disagree")]
    ]
    if wrong:
        few = ", ".join(wrong[:MOST_NAMED])
        found = f"Two computations of one quantity differ for {len(wrong)} estimands ({few})"
        return f"{found}: a fault, not a difference of paradigms."
    checks = Counter(each for each in frame["run_check"].map(str) if each not in ("", "passed"))
    noisy = (
        f"; of the draws {listed([f'{n} estimands say {what!r}' for what, n in checks.items()])}"
        if checks
        else ""
    )
    return f"No two computations of one quantity differ{noisy}."
