"""Likelihood-ratio tests of the random terms, each left out or reduced as lmerTest's `ranova` does."""

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from bayeslmm.errors import BayesLMMWarning, OptionError
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.likelihood.inference.comparison import ratio_test
from bayeslmm.likelihood.inference.pieces import Piece, pieces_of, with_pieces
from bayeslmm.likelihood.inference.ratio_test import bootstrap_p
from bayeslmm.likelihood.inference.rlrt import exact_p
from bayeslmm.likelihood.inference.table import InferenceTable, headed
from bayeslmm.runs.plan import fresh_seed
from bayeslmm.spec.covariance import Unstructured
from bayeslmm.spec.design import Design
from bayeslmm.spec.materialize import train
from bayeslmm.spec.plain import Learnt
from bayeslmm.spec.recipe import Recipe, coded

COLUMNS = ["n_params", "loglik", "aic", "lrt", "df", "p", "p_boundary", "p_exact", "p_bootstrap"]


@dataclass(frozen=True, slots=True)
class RanovaOptions:
    """How to test random terms.

    Attributes
    ----------
    reduce_terms : take terms out of `(x | g)` one by one, else whole bars.
    exact : simulate the exact null distribution where one variance is tested in a REML fit.
    n, seed : draws of the simulation, and what they are made from.
    bootstrap : replicates of the parametric bootstrap under each reduced model; 0 for none.
    """

    reduce_terms: bool = True
    exact: bool = False
    n: int = 100_000
    seed: int | None = 0
    bootstrap: int = 0

    def __post_init__(self) -> None:
        """Check the counts."""
        if self.bootstrap < 0 or self.n < 1:
            raise OptionError(f"n is {self.n}, at least 1; bootstrap is {self.bootstrap}, at least 0")


def ranova(fit: Fitted, options: RanovaOptions) -> InferenceTable:
    """Test each random term by the fit's own criterion.

    A bar `(1 | g)` is left out; from `(a + b | g)` a and b are taken out in turn, but never one that is part
    of an interaction there; when nothing is left of `(0 + a | g)` it becomes `(1 | g)`.

    Returns
    -------
    DataFrame, "<none>" and a row a term
        n_params, loglik, aic of the reduced model; lrt, df and the p-values side by side: by χ², which knows
        no boundary and can be poor; by its mixture at the boundary; and, where asked for, exact if that is
        known, and by bootstrap. NaN where there is none.

    Raises
    ------
    OptionError
        For a fit without random terms, or without a formula.
    """
    if not fit.design.blocks or fit.recipe is None:
        raise OptionError("ranova tests the random terms of a model; this fit has none, or no formula")
    rows = {"<none>": (fit.n_params, fit.loglik, fit.aic, *[np.nan] * 6)}
    for label, design in reductions(fit.design, fit.recipe, options.reduce_terms):
        rows[label] = _row(fit, _refit(fit, design), options)
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=COLUMNS).rename_axis("term")
    return headed(
        frame, f"Likelihood-ratio tests of the random terms, {fit.criterion} fits", criterion=fit.criterion
    )


def _row(fit: Fitted, small: Fitted, options: RanovaOptions) -> tuple[float, ...]:
    statistic, df, p, p_boundary = ratio_test(small, fit)
    exact = exact_p(small, fit, options.n, options.seed) if options.exact else np.nan
    simulated = _bootstrap_p(small, fit, options)
    return (small.n_params, small.loglik, small.aic, statistic, df, p, p_boundary, exact, simulated)


def _bootstrap_p(small: Fitted, fit: Fitted, options: RanovaOptions) -> float:
    if not options.bootstrap:
        return np.nan
    return bootstrap_p(small, fit, options.bootstrap, fresh_seed() if options.seed is None else options.seed)


def _refit(fit: Fitted, design: Design) -> Fitted:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesLMMWarning)
        return fit.of(design, replace(fit.options, start=None))


def reductions(design: Design, recipe: Recipe, reduce_terms: bool) -> Iterator[tuple[str, Design]]:
    """Each term's name, and the design without it."""
    pieces = pieces_of(design)
    for number, bars in enumerate(recipe.bars):
        for place, bar in enumerate(bars):
            own = [piece for piece in pieces if (piece.block, piece.bar) == (number, place)]
            others = [piece for piece in pieces if (piece.block, piece.bar) != (number, place)]
            for label, kept in _without(recipe, bar, own, reduce_terms):
                group = design.blocks[number].group
                yield f"{label} | {group})", with_pieces(design, [*others, *kept])


def _without(
    recipe: Recipe, bar: str, own: list[Piece], reduce_terms: bool
) -> Iterator[tuple[str, list[Piece]]]:
    """For each term of a bar its name, but for the group's, and the pieces that stay."""
    trained = recipe.trained[bar]
    terms = _terms(trained)
    whole = f"({_left(list(terms))}"
    if len(own) > 1 and reduce_terms:
        for term, columns in terms.items():
            label = "(1" if term == "1" else f"{term} in (0 + {term}"
            yield label, [piece for piece in own if piece.coefs[0] not in columns]
    elif not reduce_terms or list(terms) == ["1"] or not isinstance(own[0].structure, Unstructured):
        yield whole, []
    else:
        for term in _removable({term.text: frozenset(term.factors) for term in trained.terms}):
            rest = [other for other in terms if other != term] or ["1"]
            yield f"{term} in {whole}", [_reduced(recipe, bar, own[0], rest)]


def _terms(trained: Learnt) -> dict[str, tuple[str, ...]]:
    """Columns of each term of a bar's left side."""
    return {term.text: term.columns for term in trained.terms}


def _left(terms: list[str]) -> str:
    """The left side as lme4 writes it."""
    if terms == ["1"]:
        return "1"
    return " + ".join(term for term in terms if term != "1") if "1" in terms else f"0 + {' + '.join(terms)}"


def _removable(factors: Mapping[str, frozenset[str]]) -> list[str]:
    """Terms that aren't the intercept, nor part of another, of the factors of each."""
    return [
        term
        for term, own in factors.items()
        if term != "1" and not any(own < others for others in factors.values())
    ]


def _reduced(recipe: Recipe, bar: str, own: Piece, terms: list[str]) -> Piece:
    """A bar with these terms only, its columns made anew: a factor's depend on what is beside it."""
    variables = {name: recipe.fitted[name] for name in recipe.variables[bar]}
    left, functions = " + ".join(["0", *terms]), recipe.trained[bar].functions
    made = train({"left": left}, coded(variables, recipe.codings), len(own.columns), functions)["left"]
    return replace(own, coefs=made.names, columns=made.matrix, structure=Unstructured(len(made.names)))
