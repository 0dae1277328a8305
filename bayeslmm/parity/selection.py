"""Models side by side: scores of their likelihoods, and how their posteriors predict what is left out."""

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from bayeslmm.arguments import in_our_words
from bayeslmm.errors import OptionError, check_choice
from bayeslmm.likelihood.fit import LikelihoodFit
from bayeslmm.likelihood.fitted import FitOptions
from bayeslmm.likelihood.inference.table import InferenceTable, headed
from bayeslmm.likelihood.studies.scores import Score
from bayeslmm.likelihood.studies.scores.base import ScoreWord
from bayeslmm.likelihood.studies.select import ranked, scores
from bayeslmm.posterior.loo import Loo
from bayeslmm.posterior.result import PosteriorResult
from bayeslmm.spec.model_spec import CriterionWord

LOO = "loo"


@in_our_words
def select(
    models: Iterable[Any],
    *,
    rank_by: ScoreWord | Literal["loo"] = "aic",
    folds: int | str | None = None,
    criterion: CriterionWord | None = None,
    seed: int = 0,
) -> InferenceTable:
    """Compare models, the best first.

    Parameters
    ----------
    models : iterable of LinearMixedModel, fit or posterior
        Of the same rows and response. Likelihoods are those of REML fits where the model or a posterior is
        given; posteriors have "loo" beside them.
    rank_by : {"aic", "aicc", "bic", "caic", "cv", "loo"}
        What decides the order; lower is better. By "loo" models are sampled first.
    folds : int or str, optional
        For cross-validation, which is then in the table, too: random folds of rows, their number, or a
        grouping factor, each of whose levels is left out in turn, by "loo" as well. 10 where `rank_by` is
        "cv".
    criterion : {None, "ML", "REML"}
        None compares REML fits as they are where their fixed parts agree, and refits by ML otherwise.
    seed : int
        Of random folds and of samples.

    Returns
    -------
    DataFrame, a row a model
        loglik; every score with `k_...`, the number of parameters it counts, "loo" (−2 elpd, of rows or
        levels left out) with its effective number and `se_loo`; `delta`, how far the deciding score is from
        the best, with `se_delta` by "loo"; `weight`, exp(−delta/2) as a share (information criteria).
        Cautions stand below the table.

    Raises
    ------
    OptionError
        For different rows or responses, REML across fixed parts, a fold without which a coefficient can't
        be estimated, or a fit where a posterior is needed.

    Examples
    --------
    >>> import bayeslmm as bl
    >>> data = bl.load_dataset("sleepstudy")
    >>> models = [bl.LinearMixedModel(f"Reaction ~ Days + ({bar} | Subject)", data) for bar in ("1", "Days")]
    >>> table = bl.select(models)
    >>> table["delta"].round(1).tolist()
    [0.0, 38.8]
    """
    if not isinstance(models, Iterable):
        raise OptionError(f"got one {type(models).__name__}; give a list of at least two models to compare")
    kinds, asked = Score.kinds(), list(models)
    by_loo = check_choice("rank_by", rank_by, (*kinds, LOO)) == LOO
    found = scores(map(_of_likelihood, asked), None if by_loo else rank_by, folds, criterion, seed)
    left = [_left_out(_sampled(each, seed) if by_loo else each, folds) for each in asked]
    frame = ranked(_with_loo(found.frame, left, by_loo), rank_by)
    if not by_loo and not kinds[rank_by].needs_folds:
        likely = np.exp(-0.5 * frame["delta"])
        frame["weight"] = likely / likely.sum()
    word = found.fits[0].criterion
    said = dict.fromkeys(f"loo: {note}" for each in left if each for note in each.notes)
    heading = f"{len(asked)} models by {rank_by}, {word} fits"
    return headed(frame, heading, (*found.notes, *said), criterion=word, rank_by=rank_by)


def _of_likelihood(model: Any) -> Any:
    """A model or a fit as it is; a posterior's model, fitted."""
    if not isinstance(model, PosteriorResult):
        return model
    recipe = model.recipe
    formula = recipe.origin.spec.formula if recipe and recipe.origin else ""
    return LikelihoodFit.of(model.design, FitOptions("REML"), formula, recipe)


def _sampled(model: Any, seed: int) -> PosteriorResult:
    """A posterior as it is; a model's own.

    Raises
    ------
    OptionError
        For a fit, which has no priors.
    """
    if isinstance(model, PosteriorResult):
        return model
    if not hasattr(model, "sample"):
        raise OptionError(
            f"rank_by='loo' is of posteriors, and one of the models is a {type(model).__name__}, without "
            "priors: give the LinearMixedModel, or what its sample() gave"
        )
    found: PosteriorResult = model.sample(seed=seed)
    return found


def _left_out(model: Any, folds: int | str | None) -> Loo | None:
    """What a posterior says of each row, or each level of the grouping factor that makes folds."""
    if not isinstance(model, PosteriorResult):
        return None
    return model.loo(folds if isinstance(folds, str) else "row")


def _with_loo(frame: pd.DataFrame, left: Sequence[Loo | None], decides: bool) -> pd.DataFrame:
    """The scores with −2 elpd of those that have one, and where it decides the error of differences."""
    if not any(left):
        return frame
    rows = [(np.nan,) * 3 if each is None else (each.looic, each.p, 2 * each.se) for each in left]
    columns = dict(zip((LOO, "k_loo", "se_loo"), np.array(rows).T, strict=True))
    return frame.assign(**columns, **({"se_delta": _errors([*filter(None, left)])} if decides else {}))


def _errors(left: Sequence[Loo]) -> list[float]:
    """Standard errors of each one's difference from the best, its units taken as a sample."""
    best = min(left, key=lambda each: each.looic).frame["elpd"]
    return [float(2 * np.sqrt(len(best)) * (each.frame["elpd"] - best).std(ddof=1)) for each in left]
