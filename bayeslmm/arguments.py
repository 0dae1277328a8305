"""Arguments that other packages have: an unknown one is told in this package's words."""

from collections.abc import Callable, Iterable
from functools import wraps
from inspect import Parameter, isfunction, signature
from typing import Any, ClassVar

from bayeslmm.errors import OptionError, did_you_mean

# what lme4, nlme, statsmodels, PyMC, Bambi, brms and scikit-learn call it, and this package's names for it
_FOREIGN = {
    "reml": ("criterion",),
    "level": ("prob",),
    "conf_level": ("prob",),
    "conf": ("prob",),
    "ci": ("prob",),
    "ci_prob": ("prob",),
    "hdi_prob": ("prob",),
    "random_seed": ("seed",),
    "random_state": ("seed",),
    "rng": ("seed",),
    "nsim": ("n", "boot", "draws"),
    "r": ("n",),
    "n_boot": ("n", "boot"),
    "reps": ("n",),
    "replicates": ("n",),
    "method": ("criterion", "method", "kind"),
    "type": ("kind", "interval"),
    "re_form": ("random",),
    "re_formula": ("random",),
    "allow_new_levels": ("new_levels",),
    "allow_new_re": ("new_levels",),
    "iter": ("draws",),
    "n_samples": ("draws",),
    "warmup": ("tune",),
    "n_chains": ("chains",),
    "adapt_delta": ("target_accept",),
    "nuts_sampler": ("sampler",),
    "inference_method": ("method",),
    "progressbar": ("progress",),
    "progress_bar": ("progress",),
    "noncentered": ("centred",),
    "verbose": ("progress",),
    "start_params": ("start",),
    "maxiter": ("max_iter",),
    "maxfun": ("max_iter",),
    "na_action": ("missing",),
    "dropna": ("missing",),
    "prior": ("priors",),
    "prior_weights": ("weights",),
    "ncpus": ("n_jobs",),
    "parallel": ("n_jobs",),
    "new_data": ("newdata",),
    "exog": ("newdata",),
    "data": ("newdata", "data"),
    "refit": ("criterion",),
}


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
    ours = [each for each in _FOREIGN.get(name.lower(), ()) if each in known]
    if ours:
        return f"; it is called {ours[0]} here{_SAID.get(ours[0], '')}"
    listed = ", ".join(known)
    return did_you_mean(name, known) or (f"; there are {listed}" if known else "; it takes none")


_SAID = {
    "criterion": ": criterion='ML' or criterion='REML'",
    "missing": ": missing='drop' or missing='error'",
    "prob": ": prob=0.95",
}


def in_our_words[**P, R](verb: Callable[P, R], name: str = "") -> Callable[P, R]:
    """The same function, explaining an argument that it doesn't have; one that takes any stays as it is."""
    known = signature(verb).parameters.values()
    if any(each.kind is Parameter.VAR_KEYWORD for each in known):
        return verb
    names = [each.name for each in known if each.name != "self"]

    @wraps(verb)
    def explained(*args: P.args, **kwargs: P.kwargs) -> R:
        check_arguments(name or verb.__name__, kwargs, names)
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


class Face:
    """A class whose ``dir()`` shows what users use; it names in `INNER` what other rooms ask of it."""

    __slots__ = ()
    INNER: ClassVar[tuple[str, ...]] = ()

    def __dir__(self) -> list[str]:
        inner = {name for kind in type(self).__mro__ for name in vars(kind).get("INNER", ())} | {"INNER"}
        return [name for name in super().__dir__() if name not in inner]
