"""Arguments and names that other packages have: an unknown one is told in this package's words."""

from collections.abc import Callable, Iterable
from functools import wraps
from inspect import Parameter, isfunction, signature
from typing import Any, ClassVar

from bayeslmm.errors import OptionError, UnknownName, did_you_mean
from bayeslmm.habits import ARGUMENTS, ELSEWHERE, NAMES
from bayeslmm.one_thread import one_thread


def check_arguments(verb: str, given: Iterable[str], known: Iterable[str]) -> None:
    """Whether a call has only arguments that its verb has.

    Raises
    ------
    OptionError
        Naming the first that it hasn't, and this package's name for it.
    """
    known = tuple(known)
    for name in given:
        if name not in known:
            raise OptionError(f"{verb}() has no argument {name!r}{_hint(name, known)}")


def _hint(name: str, known: tuple[str, ...]) -> str:
    key = name.lower().replace(".", "_")
    ours = [each for each in ARGUMENTS.get(key, ()) if each in known]
    if ours:
        return f"; it is called {ours[0]} here{_SAID.get(ours[0], '')}"
    if key in ELSEWHERE:
        return ELSEWHERE[key]
    listed = ", ".join(known)
    return did_you_mean(name, known) or (f"; there are {listed}" if known else "; it takes none")


_SAID = {
    "criterion": ": criterion='ML' or criterion='REML'",
    "missing": ": missing='drop' or missing='error'",
    "prob": ": prob=0.95",
}


def in_our_words[**P, R](verb: Callable[P, R], name: str = "") -> Callable[P, R]:
    """The same with `one_thread`, explaining an argument that it doesn't have, unless it takes any."""
    known = signature(verb).parameters.values()
    if any(each.kind is Parameter.VAR_KEYWORD for each in known):
        return one_thread()(verb)
    names = [each.name for each in known if each.name != "self"]

    @wraps(verb)
    def explained(*args: P.args, **kwargs: P.kwargs) -> R:
        check_arguments(name or verb.__name__, kwargs, names)
        with one_thread():
            return verb(*args, **kwargs)

    return explained


def verbs_in_our_words[T](owner: type[T]) -> type[T]:
    """The same class, whose public methods and constructor are `in_our_words`."""
    made: dict[str, Any] = {
        key: in_our_words(value, owner.__name__ if key == "__init__" else key)
        for key, value in vars(owner).items()
        if isfunction(value) and (key == "__init__" or not key.startswith("_"))
    }
    for key, value in made.items():
        setattr(owner, key, value)
    return owner


def unknown_name(owner: str, name: str, known: Iterable[str]) -> UnknownName:
    """The error for a name that isn't there: what to write instead, or the name nearest to it.

    Parameters
    ----------
    owner : what was asked. known : names that it has.

    Examples
    --------
    >>> str(unknown_name("LikelihoodFit", "VarCorr", []))
    "LikelihoodFit has no 'VarCorr'; here it is fit.varcorr or post.summary().select('sd', 'cor', 'sigma')"
    """
    ours = " or ".join(NAMES.get(name.lower().replace(".", "_"), ()))
    hint = f"; here it is {ours}" if ours else did_you_mean(name, known)
    return UnknownName(f"{owner} has no {name!r}{hint}")


class Face:
    """A class whose ``dir()`` shows what users use; it names in `INNER` what other rooms ask of it.

    Asked for what it hasn't, it says what that is called here.
    """

    __slots__ = ()
    INNER: ClassVar[tuple[str, ...]] = ()

    def __dir__(self) -> list[str]:
        inner = {name for kind in type(self).__mro__ for name in vars(kind).get("INNER", ())} | {"INNER"}
        return [name for name in super().__dir__() if name not in inner]

    def __getattr__(self, name: str) -> Any:
        """Explain a name that isn't there, or raise what a property of that name has raised.

        Raises
        ------
        UnknownName
            An AttributeError in this package's words.
        """
        if hasattr(type(self), name):
            return object.__getattribute__(self, name)
        raise unknown_name(type(self).__name__, name, (each for each in dir(self) if each[0] != "_"))
