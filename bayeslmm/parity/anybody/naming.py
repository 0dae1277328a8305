"""Which of their variables means which of ours."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bayeslmm.errors import InputError, did_you_mean
from bayeslmm.parity.usual_names import usual_names
from bayeslmm.spec.labels import kind_of, parameter_labels, ranef_labels

if TYPE_CHECKING:
    from bayeslmm.spec.design import Design

type Names = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True)
class Naming:
    """Labels of ours by the labels of theirs that mean them.

    Attributes
    ----------
    theirs : by our label, their element. missing : our labels that nothing of theirs means.
    """

    theirs: Mapping[str, str]
    missing: tuple[str, ...]

    @classmethod
    def of(cls, design: "Design", found: Sequence[str], given: Names | None) -> "Naming":
        """Read the names given, and the usual ones for what they leave out.

        Parameters
        ----------
        found : labels of their elements, in order.

        Raises
        ------
        InputError
            When a name isn't theirs, or a label isn't ours.
        """
        ours = (*parameter_labels(design), *ranef_labels(design))
        named = dict(_given(design, found, given or {}, ours))
        left = [label for label in found if label not in named.values()]
        wanted = [label for label in ours if label not in named]
        usual = usual_names(left, wanted)
        named |= {ours_label: label for label, ours_label in usual.items() if ours_label not in named}
        return cls(named, tuple(label for label in ours if label not in named))

    def missing_of(self, kind: str) -> list[str]:
        """Labels of a kind that nothing of theirs means."""
        return [label for label in self.missing if kind_of(label) == kind]


def expanded(design: "Design", label: str) -> tuple[str, ...]:
    """``ranef[Subject: Days]`` stands for that of every level, in order; any other label for itself."""
    if kind_of(label) != "ranef" or "=" in label:
        return (label,)
    return tuple(
        f"ranef[{block.group}={level}: {coef}]"
        for block in design.blocks
        for level in block.levels
        for coef in block.coefs
        if label == f"ranef[{block.group}: {coef}]"
    )


def _given(
    design: "Design", found: Sequence[str], given: Names, ours: Sequence[str]
) -> Iterable[tuple[str, str]]:
    for name, asked in given.items():
        labels = [asked] if isinstance(asked, str) else list(asked)
        meant = [each for label in labels for each in expanded(design, label)]
        elements = [label for label in found if label == name or label.startswith(f"{name}[")]
        if not elements:
            raise InputError(f"names: theirs has no variable {name!r}{did_you_mean(name, found)}")
        for label in labels:
            if not set(expanded(design, label)) <= set(ours) or not expanded(design, label):
                raise InputError(f"names: the model has no {label!r}{did_you_mean(label, ours)}")
        if len(elements) != len(meant):
            raise InputError(
                f"names: {name!r} has {len(elements)} elements, and {len(meant)} labels are given for it"
            )
        yield from zip(meant, elements, strict=True)
