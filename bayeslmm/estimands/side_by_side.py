"""Models beside each other, as papers print them: a column a model, estimates with their errors."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import pandas as pd

from bayeslmm.errors import OptionError
from bayeslmm.estimands.headed import HeadedTable
from bayeslmm.printed import cell, error_places

if TYPE_CHECKING:
    from bayeslmm.estimands.table import EstimateTable

NOT_COMPARED = ("df.residual", "pss")


class Result(Protocol):
    """What stands in a column: a fit or a posterior."""

    def estimates(self) -> "EstimateTable":
        """Estimates by label."""

    def glance(self) -> pd.DataFrame:
        """One row on the whole model."""


def side_by_side(*results: Any, names: Sequence[str] | None = None) -> HeadedTable:
    """Fits and posteriors beside each other: "estimate (error)" of every parameter, a column a model.

    Errors are standard errors of a fit and standard deviations of a posterior; below the parameters stand
    the numbers of observations, sigma and what is known of the whole model.

    Parameters
    ----------
    *results : fit or posterior
    names : of the columns; numbers in their order if None.

    Returns
    -------
    HeadedTable
        Text, with ``to_latex()``, ``to_markdown()`` and ``to_html()``.

    Raises
    ------
    OptionError
        For no result, one that is neither, or names that aren't one a result or repeat.

    Examples
    --------
    >>> import bayeslmm as bl
    >>> data = bl.load_dataset("sleepstudy")
    >>> both = [bl.LinearMixedModel(f"Reaction ~ Days + ({x} | Subject)", data).fit() for x in ("1", "Days")]
    >>> bl.side_by_side(*both, names=["intercepts", "slopes"]).loc["beta[Days]"].tolist()
    ['10.467 (0.804)', '10.47 (1.55)']
    """
    heads = _names(results, names)
    columns = {name: _column(result) for name, result in zip(heads, results, strict=True)}
    order = list(dict.fromkeys(label for column in columns.values() for label in column))
    ends = [label for label in order if "[" not in label and label != "sigma"]
    labels = [label for label in order if label not in ends] + ends
    texts = {name: [column.get(label, "") for label in labels] for name, column in columns.items()}
    return HeadedTable.of(pd.DataFrame(texts, index=labels), "Models side by side: estimate (error)")


def _names(results: tuple[Any, ...], names: Sequence[str] | None) -> list[str]:
    if not results or not all(hasattr(each, "estimates") and hasattr(each, "glance") for each in results):
        raise OptionError("side_by_side takes fits and posteriors: model.fit(), model.sample()")
    if names is None:
        return [f"({number})" for number in range(1, len(results) + 1)]
    heads = list(names) if isinstance(names, Sequence) and not isinstance(names, str) else [names]
    if len(heads) != len(results) or len(set(heads)) < len(heads):
        raise OptionError(f"names are {heads!r}: give {len(results)} different ones, one a result")
    return heads


def _column(result: Result) -> dict[str, str]:
    """Texts by label: parameters, then what is known of the whole."""
    table = result.estimates()
    estimate, error = ("mean", "sd") if table.is_posterior else ("estimate", "se")
    pairs = zip(table.labels, table.frame[estimate], table.frame[error], strict=True)
    whole = result.glance().iloc[0].drop([*NOT_COMPARED, "sigma"], errors="ignore")
    return {label: _text(value, se) for label, value, se in pairs} | {
        str(name): cell(str(name), value) for name, value in whole.items()
    }


def _text(value: float, error: float) -> str:
    places = error_places(error)
    own = cell("estimate", float(value), places)
    return own if places is None else f"{own} ({cell('se', float(error), places)})"
