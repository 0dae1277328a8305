"""Which of their variables means which of ours."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bayeslmm.errors import InputError, did_you_mean
from bayeslmm.parity.usual_names import usual_names
from bayeslmm.spec.labels import group_label, kind_of, parameter_labels, ranef_label, ranef_labels

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
        named = dict(_given(design, found, given or {}))
        left = [label for label in found if label not in named.values()]
        wanted = [label for label in ours if label not in named]
        usual = usual_names(left, wanted)
        named |= {ours_label: label for label, ours_label in usual.items() if ours_label not in named}
        return cls(named, tuple(label for label in ours if label not in named))


def meant(design: "Design", asked: str | Sequence[str]) -> tuple[str, ...]:
    """Labels asked for; ``ranef[Subject: Days]`` stands for that of every level, ``ranef[Subject]`` for all.

    Raises
    ------
    InputError
        When the model has no such label.
    """
    ours = (*parameter_labels(design), *ranef_labels(design))
    found = {label: _expanded(design, label) for label in ([asked] if isinstance(asked, str) else asked)}
    for label, labels in found.items():
        if not labels or not set(labels) <= set(ours):
            raise InputError(f"names: the model has no {label!r}{did_you_mean(label, ours)}")
    return tuple(each for labels in found.values() for each in labels)


def by_name(design: "Design", names: Names) -> dict[str, tuple[str, ...]]:
    """Labels of every name.

    Raises
    ------
    InputError
        When the model has no such label, or two names are for one.
    """
    found = {name: meant(design, asked) for name, asked in names.items()}
    labels = [label for own in found.values() for label in own]
    twice = next((label for label in labels if labels.count(label) > 1), None)
    if twice is not None:
        raise InputError(f"names: two names are for {twice!r}; give each label to one")
    return found


def _expanded(design: "Design", label: str) -> tuple[str, ...]:
    if kind_of(label) != "ranef" or "=" in label:
        return (label,)
    return tuple(
        ranef_label(block.group, level, coef)
        for block in design.blocks
        for level in block.levels
        for coef in block.coefs
        if label in (group_label("ranef", block.group), group_label("ranef", block.group, coef))
    )


def _given(design: "Design", found: Sequence[str], given: Names) -> Iterator[tuple[str, str]]:
    for name, labels in by_name(design, given).items():
        elements = [label for label in found if label == name or label.startswith(f"{name}[")]
        if not elements:
            raise InputError(f"names: theirs has no variable {name!r}{did_you_mean(name, found)}")
        if len(elements) != len(labels):
            raise InputError(
                f"names: {name!r} has {len(elements)} elements, and {len(labels)} labels are given for it"
            )
        yield from zip(labels, elements, strict=True)
