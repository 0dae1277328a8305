"""Which verdict comes first: that of the lowest place whose ``holds`` is true.

- 5, disagree: two computations of one quantity differ, so nothing else can be said;
- 10, unresolved: without two sound sides nothing is said;
- 20, boundary: a singular term is spoken of as a term;
- 40, agree by cancellation; 50, narrower and wider: what agreement would hide;
- 60, agree;
- 70, the cause of the leading step: averaged, ML for REML, prior-driven, prior unknown, skewed.

A new cause is a class in a file of this folder, its place between those it must follow and precede.
"""

from dataclasses import replace

from bayeslmm.parity.verdicts.base import Verdict
from bayeslmm.parity.verdicts.borderline import Borderline
from bayeslmm.parity.verdicts.evidence import Evidence, VerdictOptions


def precedence() -> tuple[Verdict, ...]:
    """Every verdict, in the order they are asked."""
    kinds = sorted(Verdict.kinds().values(), key=lambda kind: (kind.place, kind.name))
    return tuple(kind() for kind in kinds)


def judge(evidence: Evidence, options: VerdictOptions) -> tuple[Verdict, tuple[str, ...]]:
    """The first verdict that holds, or borderline; and the names of all that do within the error."""
    own = _first(evidence, options)
    names = dict.fromkeys([own.name, *(_first(other, options).name for other in evidence.around())])
    return (own if len(names) == 1 else Borderline()), tuple(names)


def said(evidence: Evidence, options: VerdictOptions) -> str:
    """The sentence of the verdict that holds; where several do, which they are."""
    own, (_, names) = _first(evidence, options), judge(evidence, options)
    if len(names) == 1:
        return own.sentence(evidence, options)
    either = f"{' or '.join(names)}, within an error of {_margin(evidence, options)}"
    return f"{either}: {own.sentence(evidence, options)}"


def _margin(evidence: Evidence, options: VerdictOptions) -> str:
    """The error within which several verdicts hold: the width's where it is enough, else the mean's."""
    _, names = judge(replace(evidence, error=0.0), options)
    return (
        f"{100 * evidence.width_error:.1g} % of the width" if len(names) > 1 else f"{evidence.error:.2g} sd"
    )


def _first(evidence: Evidence, options: VerdictOptions) -> Verdict:
    return next(verdict for verdict in precedence() if verdict.holds(evidence, options))
