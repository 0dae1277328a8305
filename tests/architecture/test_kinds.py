"""Kinds are whole: what can be asked for can be made, what can be made has a word, users have its name."""

import sys
from importlib import import_module
from inspect import isabstract
from pkgutil import walk_packages
from typing import get_args

import pytest

import bayeslmm as bl
from bayeslmm.registry import Registered
from bayeslmm.spec.priors import Prior
from bayeslmm.spec.residual import CorrelationStructure, VarianceFunction

for found in walk_packages(bl.__path__, "bayeslmm."):
    import_module(found.name)

FAMILIES = Registered.__subclasses__()
PUBLIC = {Prior: bl, CorrelationStructure: bl.correlation, VarianceFunction: bl.variance}


def below(family):
    """Every class of the package under a family, its files' own and those they are made of."""
    for kind in family.__subclasses__():
        if kind.__module__.startswith("bayeslmm."):
            yield kind
        yield from below(kind)


def is_step_between(kind):
    """Whether the package has classes below it, which are what is asked for."""
    return any(kind in other.__mro__[1:] for family in FAMILIES for other in below(family))


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
def test_what_can_be_asked_for_can_be_made(family):
    unfinished = {
        f"{kind.__name__} ({word!r}) leaves out {', '.join(sorted(kind.__abstractmethods__))}"
        for word, kind in family.kinds().items()
        if isabstract(kind)
    }
    assert not unfinished


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
def test_what_can_be_made_can_be_asked_for(family):
    known = set(family.kinds().values())
    wordless = {
        f"{kind.__name__} of {sys.modules[kind.__module__].__file__} has no word, so nothing finds it"
        for kind in set(below(family)) - known
        if not is_step_between(kind)
    }
    assert not wordless


@pytest.mark.parametrize("family", PUBLIC, ids=lambda family: family.__name__)
def test_what_users_write_has_a_public_name(family):
    module = PUBLIC[family]
    ours = {word for word, kind in family.kinds().items() if kind.__module__.startswith("bayeslmm.")}
    missing = ours - set(module.__all__)
    assert not missing, f"{module.__name__} has no public name {', '.join(sorted(missing))}"


ASKED_BY_WORD = {
    "bayeslmm.likelihood.bootstrap.intervals.base": "IntervalWord",
    "bayeslmm.likelihood.bootstrap.kinds.base": "KindWord",
    "bayeslmm.likelihood.inference.adjust.base": "AdjustWord",
    "bayeslmm.likelihood.inference.confint.base": "ConfintWord",
    "bayeslmm.likelihood.inference.ddf.base": "bayeslmm.likelihood.looked_at.DdfWord",
    "bayeslmm.likelihood.studies.scores.base": "ScoreWord",
    "bayeslmm.parity.calibration.methods.base": "MethodWord",
}


@pytest.mark.parametrize("home", ASKED_BY_WORD)
def test_signatures_list_the_words_that_there_are(home):
    place, _, name = ASKED_BY_WORD[home].rpartition(".")
    word = getattr(import_module(place or home), name)
    (family,) = (each for each in FAMILIES if each.__module__ == home)
    ours = {word for word, kind in family.kinds().items() if kind.__module__.startswith("bayeslmm.")}
    assert set(get_args(word.__value__)) == ours
