"""A fit as the package marginaleffects takes models: its population mean, coefficients and covariance."""

import re
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayeslmm.errors import DataError, OptionError
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.likelihood.inference.ddf.methods import ddf_of
from bayeslmm.spec.recipe import Recipe

type Array = NDArray[np.float64]


def for_marginaleffects(fit: Fitted, ddf: str) -> Any:
    """The fit as a `ModelAbstract`; `ddf` says whose covariance of β̂ counts.

    Raises
    ------
    OptionError
        When the package isn't installed, or for a misspelt method.
    DataError
        When the fit is of a bare design, or its rows are elsewhere.
    """
    if fit.recipe is None or not fit.design.in_memory:
        raise DataError("marginaleffects needs the formula and its rows in memory: fit a model of a table")
    try:
        from marginaleffects.classes import ModelVault
    except ImportError as error:
        raise OptionError(
            "marginaleffects isn't installed; it is an extra: pip install 'bayeslmm[marginaleffects]'"
        ) from error
    frame = _frame(fit, fit.recipe)
    vault = ModelVault(
        coef=fit.beta_values,
        coefnames=np.array(fit.design.coefs),
        formula=_additive(list(frame.columns)),  # to look variables up in
        modeldata=_polars(frame),
        package="bayeslmm",
        vcov=ddf_of(fit, ddf).vcov,
        variable_names=list(frame.columns),
    )
    return _model_class()(fit, vault)


def _additive(names: list[str]) -> str:
    response, *others = (f"`{name}`" for name in names)
    return f"{response} ~ {' + '.join(others) or '1'}"


def _frame(fit: Fitted, recipe: Recipe) -> pd.DataFrame:
    """The response and the variables of the fixed part at the fitted rows, factors as they are.

    marginaleffects reads a formula of their names, in which a response like ``scale(y)`` can't stand as it is
    written.
    """
    columns: dict[str, Any] = {re.sub(r"\W+", "_", fit.design.response): fit.design.y}
    for name in recipe.fixed_variables:
        columns[name] = recipe.fitted[name]
        if name in recipe.codings:
            levels = pd.Index(recipe.codings[name].levels)
            columns[name] = pd.Categorical.from_codes(recipe.fitted[name], categories=levels)
    return pd.DataFrame(columns)


def _polars(frame: pd.DataFrame) -> Any:
    """With factors as polars' Enum, which keeps their levels in order."""
    import polars as pl

    columns = {
        name: pl.Series(values.astype(object).tolist(), dtype=pl.Enum(list(values.cat.categories)))
        if isinstance(values.dtype, pd.CategoricalDtype)
        else values.to_numpy()
        for name, values in frame.items()
    }
    return pl.DataFrame(columns)


def _model_class() -> Any:
    import polars as pl
    from marginaleffects.classes import ModelAbstract

    class MixedModel(ModelAbstract):  # type: ignore[misc, unused-ignore]
        """x'β + offset of any rows, without random effects; linear in β."""

        def get_exog(self, newdata: Any) -> Array:
            """(m, p + 1): rows of X, and their offset."""
            made = self.model.recipe.replay(newdata.to_pandas(), ())
            return np.column_stack([made.X, made.offset])

        def get_predict(self, params: Array, newdata: Any) -> Any:
            """A polars frame with columns rowid and estimate."""
            exog = newdata if isinstance(newdata, np.ndarray) else self.get_exog(newdata)
            estimate = exog[:, :-1] @ np.asarray(params) + exog[:, -1]
            return pl.DataFrame({"rowid": np.arange(len(exog), dtype=np.int32), "estimate": estimate})

        def get_vcov(self, vcov: Any = True) -> Array | None:
            """Var(β̂); None where it isn't wanted."""
            return None if vcov is False or vcov is None else self.vault.vcov

    return MixedModel
