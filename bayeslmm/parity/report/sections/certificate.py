"""Whether both engines hold one model."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from bayeslmm.parity.comparison import Comparison
from bayeslmm.parity.report.sections.base import ReportSection
from bayeslmm.render.numbers import fixed, significant
from bayeslmm.render.page.blocks import Badge, Block, Cell, Folded, Sentences, Table, Text

TONES = {True: Badge("passed", "good"), False: Badge("failed", "bad"), None: Badge("not computed", "open")}


class CertificateSection(ReportSection):
    """The certificate's sentence, its lines and their points."""

    name = "certificate"
    place = 80
    title = "Certificate"
    short = "Certificate"

    def blocks(self, parity: Comparison) -> Iterator[Block]:
        if reason := parity.uncertified:
            yield Text(reason)
            return
        certificate = parity.certificate
        lines = getattr(certificate, "lines", ())
        rows = [(line.name, TONES[line.ok], line.sentence) for line in lines]
        yield Sentences((("both engines", TONES[certificate.passed], certificate.sentence), *rows))
        yield _points("The points", certificate.points)


def _points(summary: str, frame: pd.DataFrame) -> Folded:
    columns = tuple(str(name).replace("_", " ") for name in frame.columns)
    rows = tuple(
        tuple(Cell((_exact(str(name), value),)) for name, value in row.items())
        for row in frame.to_dict("records")
    )
    return Folded(f"{summary}: {len(rows)}", (Table(summary, columns, rows),))


def _exact(column: str, value: Any) -> str:
    if not isinstance(value, float | int):
        return str(value)
    if column.endswith("deviation"):
        return f"{value:.1e}"
    return fixed(value, 6) if column.startswith(("graph", "kernel")) else significant(value, 4)
