"""Extension by a file: kinds are found by the word that asks for them, in folders that are walked."""

from collections.abc import Iterable
from importlib import import_module
from inspect import get_annotations
from pkgutil import iter_modules
from typing import Any, ClassVar, Self, get_origin

from bayeslmm.errors import OptionError


class Registered:
    """Base of a class whose kinds are asked for by a word.

    A class below it with a word of its own is found by existing, a user's own too. What the classes above it
    declare as a `ClassVar` without a value it must say.

    Attributes
    ----------
    keyword : the word that asks for it; a class without is a step between.
    """

    keyword: ClassVar[str]
    _kinds: ClassVar[dict[str, type[Any]]]

    def __init_subclass__(cls, **options: Any) -> None:
        """Take a new kind into its class's list.

        Raises
        ------
        OptionError
            When another class has its word, or it leaves something unsaid.
        """
        super().__init_subclass__(**options)
        if Registered in cls.__bases__:
            cls._kinds = {}
        elif (word := cls._word()) is not None:
            cls._check_free(word)
            cls._check_whole(word)
            cls._kinds[word] = cls

    @classmethod
    def kinds(cls) -> dict[str, type[Self]]:
        """Every kind, by its word, in alphabetical order."""
        return dict(sorted(cls._kinds.items()))

    @classmethod
    def kind(cls, word: str) -> type[Self]:
        """The kind that a word, of those in `kinds`, asks for."""
        return cls._kinds[word]

    @classmethod
    def _word(cls) -> str | None:
        """The word that asks for this class itself."""
        return vars(cls).get("keyword")

    @classmethod
    def _check_free(cls, word: str) -> None:
        other = cls._kinds.get(word, cls)
        if _place(other) != _place(cls):  # the same place: a cell or a file that is run again
            raise OptionError(
                f"{word!r} is the word of {'.'.join(_place(other))} and can't be that of "
                f"{'.'.join(_place(cls))}, too; take another"
            )

    @classmethod
    def _check_whole(cls, word: str) -> None:
        above = cls.__mro__[: cls.__mro__.index(Registered)]
        declared = {name: kind for each in above for name, kind in get_annotations(each).items()}
        asked = (name for name, kind in declared.items() if get_origin(kind) is ClassVar)
        unsaid = [name for name in asked if not hasattr(cls, name)]
        if unsaid:
            raise OptionError(
                f"{'.'.join(_place(cls))}, {word!r}, has no {' and no '.join(unsaid)}; "
                "give the class a value of each, as the classes beside it have"
            )


def _place(kind: type[Any]) -> tuple[str, str]:
    return kind.__module__, kind.__qualname__


def import_folder(package: str, path: Iterable[str]) -> None:
    """Import every module of a package, so that the kinds in them exist; for its ``__init__``."""
    for found in iter_modules(path):
        import_module(f"{package}.{found.name}")
