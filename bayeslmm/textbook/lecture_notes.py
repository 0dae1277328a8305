"""Misprints of these formulas that circulate, each held to a witness that uses neither reading.

A function a misprint; its record has what the printed formula gives, what the corrected one gives, and the
witness.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, log, pi
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from bayeslmm.datasets import load_dataset
from bayeslmm.spec.build import build
from bayeslmm.spec.dense import dense_covariance
from bayeslmm.spec.model_spec import ModelSpec
from bayeslmm.textbook.henderson import MixedModel, blup, henderson, mixed_model
from bayeslmm.textbook.inputs import Array
from bayeslmm.textbook.linear import error_contrasts, generalized_least_squares
from bayeslmm.textbook.one_way import OneWay, one_way

if TYPE_CHECKING:
    from bayeslmm.likelihood.fitted import Fitted

D = np.array([[600.0, 20.0], [20.0, 35.0]])  # of intercept and slope
VAR_E = 650.0


@dataclass(frozen=True, eq=False)
class Misprint:
    """One formula as printed and as it should be.

    Attributes
    ----------
    printed, corrected : the formulas, in LaTeX.
    says : what is wrong.
    printed_value : what the printed formula gives in the example; None where its product isn't defined.
    corrected_value, witness : what the corrected formula gives, and a computation that uses neither.
    witnessed_by : that computation in words.
    """

    printed: str
    corrected: str
    says: str
    printed_value: Array | None
    corrected_value: Array
    witness: Array
    witnessed_by: str

    @property
    def gap(self) -> float:
        """Largest distance of the corrected value from the witness, over the witness's size."""
        return _distance(self.corrected_value, self.witness)

    @property
    def error(self) -> float:
        """The same of the printed value; infinite where its product isn't defined."""
        return inf if self.printed_value is None else _distance(self.printed_value, self.witness)


def misprints() -> dict[str, Misprint]:
    """All of them by the name of the function that checks each.

    Examples
    --------
    >>> all(each.gap < 1e-8 < 0.01 < each.error for each in misprints().values())
    True
    """
    return {check.__name__: check() for check in CHECKS}


def gls_without_the_inverse() -> Misprint:
    """β̂ = (XᵀV⁻¹X)XᵀV⁻¹y."""
    model = _three_drivers()
    weighted = np.linalg.solve(model.V, model.X).T
    values, vectors = np.linalg.eigh(model.V)
    root = vectors / np.sqrt(values) @ vectors.T
    return _misprint(
        r"\hat\beta = (X^\top V^{-1} X)\, X^\top V^{-1} y",
        r"\hat\beta = (X^\top V^{-1} X)^{-1} X^\top V^{-1} y",
        "the inverse of the first factor is lost",
        weighted @ model.X @ weighted @ model.y,
        generalized_least_squares(model.y, model.X, model.V).beta,
        np.linalg.lstsq(root @ model.X, root @ model.y)[0],
        "ordinary least squares of the rows multiplied by the symmetric root of V⁻¹",
    )


def variance_for_the_log_determinant() -> Misprint:
    """−σ²/2 where −½ log|V| belongs."""
    from scipy.stats import multivariate_normal

    model = _three_drivers()
    mean = model.X @ blup(model)[0]
    error = model.y - mean
    rest = -0.5 * (len(error) * log(2 * pi) + error @ np.linalg.solve(model.V, error))
    return _misprint(
        r"\ell = -\tfrac n2 \log 2\pi - \tfrac{\sigma^2}2 - \tfrac12 (y - X\beta)^\top V^{-1} (y - X\beta)",
        r"\ell = -\tfrac n2 \log 2\pi - \tfrac12 \log|V| - \tfrac12 (y - X\beta)^\top V^{-1} (y - X\beta)",
        "a variance stands for the log-determinant; with V = σ²I the maximum would be at σ² = √RSS",
        rest - VAR_E / 2,
        rest - 0.5 * np.linalg.slogdet(model.V)[1],
        multivariate_normal(mean, model.V).logpdf(model.y),
        "SciPy's density of N(Xβ, V)",
    )


def determinant_of_the_wrong_matrix() -> Misprint:
    """The density of b with the determinant of ZDZᵀ for that of D."""
    from scipy.stats import multivariate_normal

    model = _three_drivers()
    b = blup(model)[1]
    rest = -0.5 * (len(b) * log(2 * pi) + b @ np.linalg.solve(model.G, b))
    spread = model.Z @ model.G @ model.Z.T
    singular = np.linalg.matrix_rank(spread) < len(spread)
    return _misprint(
        r"f(b) = (2\pi)^{-q/2}\, |ZDZ^\top|^{-1/2} \exp(-\tfrac12 b^\top D^{-1} b)",
        r"f(b) = (2\pi)^{-q/2}\, |D|^{-1/2} \exp(-\tfrac12 b^\top D^{-1} b)",
        "ZDZᵀ is n × n of rank q at most: its determinant is 0 where there are more rows than effects",
        inf if singular else rest - 0.5 * np.linalg.slogdet(spread)[1],
        rest - 0.5 * np.linalg.slogdet(model.G)[1],
        multivariate_normal(np.zeros(len(b)), model.G).logpdf(b),
        "SciPy's density of N(0, D)",
    )


def covariance_called_correlation() -> Misprint:
    """D, the covariance matrix of the random effects, called their correlation matrix."""
    model = _three_drivers()
    sd = np.sqrt(np.diag(D))
    of_each_row = model.Z[:10, :2]
    theta = np.linalg.cholesky(D / VAR_E)[np.tril_indices(2)]
    design = build(ModelSpec("Reaction ~ Days + (Days | Subject)"), _rows()).design
    return _misprint(
        r"\mathrm{Var}(y_t) = z_t^\top D z_t + \sigma^2,\quad D = \mathrm{Cor}(b)",
        r"\mathrm{Var}(y_t) = z_t^\top D z_t + \sigma^2,\quad D = \mathrm{Cov}(b)",
        "a correlation matrix has ones on its diagonal, so every effect would have variance 1 in any unit",
        np.einsum("ij,jk,ik->i", of_each_row, D / np.outer(sd, sd), of_each_row) + VAR_E,
        np.einsum("ij,jk,ik->i", of_each_row, D, of_each_row) + VAR_E,
        np.diag(dense_covariance(design, theta, float(np.sqrt(VAR_E))))[:10],
        "the diagonal of V that the package builds of the formula",
    )


def blup_with_products_that_do_not_fit() -> Misprint:
    """b̂ = ZDZᵀZᵀV⁻¹(y − Xβ̂)."""
    model = _three_drivers()
    return _misprint(
        r"\hat b = ZDZ^\top Z^\top V^{-1} (y - X\hat\beta)",
        r"\hat b = DZ^\top V^{-1} (y - X\hat\beta)",
        "ZDZᵀ is n × n and Zᵀ is q × n: the product isn't defined; Cov(b, y) is DZᵀ",
        None,
        blup(model)[1],
        henderson(model).b,
        "Henderson's mixed-model equations",
    )


def sample_variance_without_squares() -> Misprint:
    """s² = Σ(yᵢ − ȳ)/(n − 1)."""
    y = _dyes().y
    deviation = y - y.mean()
    return _misprint(
        r"s^2 = \frac1{n-1} \sum_i (y_i - \bar y)",
        r"s^2 = \frac1{n-1} \sum_i (y_i - \bar y)^2",
        "deviations from the mean add up to 0",
        deviation.sum() / (len(y) - 1),
        deviation @ deviation / (len(y) - 1),
        np.sum(np.subtract.outer(y, y) ** 2) / (2 * len(y) * (len(y) - 1)),
        "half the mean squared difference of all pairs",
    )


def error_sum_of_squares_times_n() -> Misprint:
    """SSE = n ΣΣ(y_ij − ȳ_i)²."""
    layout = _dyes()
    return _misprint(
        r"\mathrm{SSE} = n \sum_i \sum_j (y_{ij} - \bar y_{i\cdot})^2",
        r"\mathrm{SSE} = \sum_i \sum_j (y_{ij} - \bar y_{i\cdot})^2",
        "the n belongs to SSA = n Σ(ȳᵢ − ȳ)²; with it sums of squares don't add up to SST",
        layout.N / layout.k * layout.SSE,
        layout.SSE,
        layout.SST - layout.SSA,
        "SST − SSA",
    )


def reml_as_two_steps_of_ml() -> Misprint:
    """REML told as: estimate β by ML, then the variance by ML from the residuals."""
    rows = _rows().iloc[:10]
    y, X = rows["Reaction"].to_numpy(float), np.column_stack([np.ones(10), rows["Days"]])
    hat = X @ np.linalg.pinv(X)
    residual = y - hat @ y
    contrasts = error_contrasts(X).T @ y
    return _misprint(
        r"\hat\sigma^2 = \arg\max_{\sigma^2} N(y - X\hat\beta;\, 0, \sigma^2 I) = \mathrm{RSS}/n",
        r"\hat\sigma^2 = \arg\max_{\sigma^2} N(A^\top y;\, 0, \sigma^2 A^\top A) = \mathrm{RSS}/(n - p)",
        "two steps of ML are ML again; REML is one likelihood, of n − p error contrasts without β",
        residual @ residual / len(y),
        residual @ residual / (len(y) - X.shape[1]),
        np.mean(contrasts**2),
        "the mean square of the n − p contrasts, the maximizer of their likelihood",
    )


def independent_effects_beside_correlated_ones() -> Misprint:
    """A fit by hand with a diagonal D, and lmer's ``(x | g)``, which has a correlation, beside it."""
    rows = load_dataset("sleepstudy")
    by_hand, correlated = (_fit(f"Reaction ~ Days + (Days {bar} Subject)", rows) for bar in ("||", "|"))
    of_intercept, of_slope = by_hand.sigma**2 * by_hand.theta_values**2
    X = np.column_stack([np.ones(10), np.arange(10.0)])
    drivers = np.eye(len(rows) // 10)
    G = np.kron(drivers, np.diag([of_intercept, of_slope]))
    R = by_hand.sigma**2 * np.eye(len(rows))
    model = mixed_model(rows["Reaction"], np.tile(X, (len(drivers), 1)), np.kron(drivers, X), G, R)
    return _misprint(
        r"D = \mathrm{diag}(\sigma_0^2, \sigma_1^2) \;\leftrightarrow\; \texttt{(Days | Subject)}",
        r"D = \mathrm{diag}(\sigma_0^2, \sigma_1^2) \;\leftrightarrow\; \texttt{(Days || Subject)}",
        "independent intercepts and slopes are (x || g); BLUPs of the first driver show the difference",
        _first_driver(correlated),
        _first_driver(by_hand),
        henderson(model).b[:2],
        "Henderson's equations with a diagonal D of the same variances",
    )


CHECKS: tuple[Callable[[], Misprint], ...] = (
    gls_without_the_inverse,
    variance_for_the_log_determinant,
    determinant_of_the_wrong_matrix,
    covariance_called_correlation,
    blup_with_products_that_do_not_fit,
    sample_variance_without_squares,
    error_sum_of_squares_times_n,
    reml_as_two_steps_of_ml,
    independent_effects_beside_correlated_ones,
)


def _misprint(
    printed: str,
    corrected: str,
    says: str,
    printed_value: ArrayLike | None,
    corrected_value: ArrayLike,
    witness: ArrayLike,
    witnessed_by: str,
) -> Misprint:
    wrong = None if printed_value is None else np.asarray(printed_value, dtype=float)
    values = np.asarray(corrected_value, dtype=float), np.asarray(witness, dtype=float)
    return Misprint(printed, corrected, says, wrong, *values, witnessed_by)


def _distance(values: Array, witness: Array) -> float:
    return float(np.max(np.abs(values - witness)) / np.max(np.abs(witness)))


def _rows() -> pd.DataFrame:
    """Three drivers of the sleep study, ten days each."""
    return load_dataset("sleepstudy").iloc[:30]


def _three_drivers() -> MixedModel:
    rows = _rows()
    X = np.column_stack([np.ones(10), np.arange(10.0)])
    three = np.eye(3)
    G, R = np.kron(three, D), VAR_E * np.eye(30)
    return mixed_model(rows["Reaction"], np.tile(X, (3, 1)), np.kron(three, X), G, R)


def _dyes() -> OneWay:
    rows = load_dataset("Dyestuff")
    return one_way(rows["Yield"], rows["Batch"])


def _fit(formula: str, rows: pd.DataFrame) -> "Fitted":
    from bayeslmm.likelihood.fitted import FitOptions, Fitted

    design, recipe = build(ModelSpec(formula), rows)
    return Fitted.of(design, FitOptions("REML"), formula, recipe)


def _first_driver(fit: "Fitted") -> Array:
    (table,) = fit.ranef().values()
    return np.asarray(table.iloc[0], dtype=np.float64)
