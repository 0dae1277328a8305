"""What an analyst would write."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from bayeslmm.parity.comparison import Comparison
from bayeslmm.parity.report.cells import interval, number, p_value, with_error
from bayeslmm.parity.report.sections.base import ReportSection
from bayeslmm.parity.report.words import model_sentence, parity_sentences, singular, varying
from bayeslmm.render.numbers import fixed, percent
from bayeslmm.render.page.blocks import Block, Cell, Table, Text
from bayeslmm.spec.labels import beta_labels

if TYPE_CHECKING:
    from bayeslmm.likelihood.fit import LikelihoodFit


class Summary(ReportSection):
    """The model, its effects, who varies, and the comparison in three sentences."""

    name = "summary"
    place = 10
    title = "In short"
    short = "In short"

    def blocks(self, parity: Comparison) -> Iterator[Block]:
        fit = None if parity.steps is None else parity.steps.study.best
        if fit is None or isinstance(fit, str):
            yield Text(parity.verdicts.headline, "lead")
            return
        how = "by REML" if fit.reml else "by maximum likelihood"
        yield Text(model_sentence(fit.design, parity.formula, how), "lead")
        if fit.design.p:
            yield _effects(parity, fit)
        yield Text(" ".join(filter(None, [*varying(fit, parity.prob), singular(fit)])))
        yield Text(" ".join(parity_sentences(parity)), "lead")


def _effects(parity: Comparison, fit: "LikelihoodFit") -> Table:
    """Fixed effects with t intervals and p, where their degrees of freedom cost little, else by z."""
    cheap = fit.design.kernel.small
    table = fit.coef_table("satterthwaite" if cheap else "normal", parity.prob)
    statistic = "t" if cheap else "z"
    rows = zip(beta_labels(fit.design), table.to_dict("records"), strict=True)
    named = "Satterthwaite's t" if cheap else "normal theory"
    columns = ("Fixed effect", "Estimate (se)", f"{percent(parity.prob)} interval", "df", statistic, "p")
    return Table(f"Fixed effects, {named}", columns, tuple(_effect(label, row) for label, row in rows))


def _effect(label: str, row: dict[Any, Any]) -> tuple[Cell, ...]:
    se = row["se"]
    return (
        Cell((label,)),
        with_error(row["estimate"], se, se),
        Cell((interval(row["lower"], row["upper"], se),)),
        Cell((fixed(row["df"], 1) if row.get("df", float("inf")) < float("inf") else "∞",)),
        number(row["estimate"] / se, 1.0),
        Cell((p_value(row["p"]),)),
    )
