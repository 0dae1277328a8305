"""The summary of a fit, laid out as lme4 users know it; the record is for programs, its text for people."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from bayeslmm.likelihood.curvature import errors_of
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.likelihood.varcorr import RESIDUAL, whole_block
from bayeslmm.markup import paragraph, preformatted
from bayeslmm.printed import cell

FIXED: dict[str, tuple[str, Callable[[float], str]]] = {
    "estimate": ("Estimate", "{:#.6g}".format),
    "se": ("Std. Error", "{:#.5g}".format),
    "df": ("df", "{:.2f}".format),
    "t": ("t value", "{:.3f}".format),
    "p": ("p", partial(cell, "p")),
}
MOST_CORRELATED = 12  # coefficients beyond which the correlation matrix isn't printed


@dataclass(frozen=True, eq=False)
class Summary:
    """What a fit says, as tables.

    Attributes
    ----------
    title, formula : lines of text.
    criteria : AIC, BIC, log-likelihood, deviance, or the REML criterion.
    scaled_residuals : their quartiles and extremes; empty where the rows aren't in memory.
    random : one row a variance: group, name, variance, sd, then correlations with the coefs before.
    sizes : number of observations, and levels of each group.
    residual : parameters of the residual's correlation and variance: name, value, and whether ``fixed=True``
        keeps it; empty where it has none.
    fixed : estimate, se, t, and df and p where they were asked for, by coefficient. ddf : whose they are.
    correlation : of the estimates, None where there are many.
    notes : what the reader must know of the design and of convergence.
    """

    title: str
    formula: str
    criteria: "pd.Series[float]"
    scaled_residuals: "pd.Series[float]"
    random: pd.DataFrame
    sizes: dict[str, int]
    residual: pd.DataFrame
    fixed: pd.DataFrame
    ddf: str
    correlation: pd.DataFrame | None
    notes: tuple[str, ...]

    def __str__(self) -> str:
        """The printed page."""
        blocks = [f"{title}\n{body}" if title else body for title, body in self._sections()]
        return "\n\n".join(blocks) + "\n"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return "".join(paragraph(title, strong=True) + preformatted(body) for title, body in self._sections())

    def _sections(self) -> list[tuple[str, str]]:
        count, *groups = self.sizes.items()
        sizes = f"Number of obs: {count[1]}" + "".join(
            f"; {name}: {number} levels" for name, number in groups
        )
        sections = [
            (self.title, f"Formula: {self.formula}"),
            ("", _line(self.criteria, "{:.1f}")),
            ("Scaled residuals:", _line(self.scaled_residuals, "{:.4f}")),
            ("Random effects:", f"{_random_text(self.random)}\n{sizes}"),
            ("Residual:", _residual_text(self.residual)),
            (f"Fixed effects{self.ddf}:", _fixed_text(self.fixed)),
            ("Correlation of fixed effects:", _lower_text(self.correlation)),
            ("Notes:", "\n".join(self.notes)),
        ]
        return [(title, body) for title, body in sections if body]


def summarize(fit: Fitted, tested: pd.DataFrame | None = None) -> Summary:
    """The summary of a fit; `tested` holds its coefficients' t tests."""
    design = fit.design
    fixed = pd.DataFrame({"estimate": fit.beta, "se": fit.se, "t": fit.beta / fit.se})
    how = "REML" if fit.reml else "maximum likelihood"
    return Summary(
        title=f"Linear mixed model fit by {how}" if design.blocks else f"Linear model fit by {how}",
        formula=fit.formula,
        criteria=_criteria(fit),
        scaled_residuals=_five_numbers(fit.pearson_residuals) if design.in_memory else pd.Series(dtype=float),
        random=_random(fit),
        sizes={"observations": design.n} | {block.group: block.n_levels for block in design.blocks},
        residual=_residual(fit),
        fixed=fixed if tested is None else pd.DataFrame(tested[["estimate", "se", "df", "t", "p"]]),
        ddf="" if tested is None else f" ({tested.attrs['ddf'].title()} df)",
        correlation=_correlation(fit.vcov) if 1 < design.p <= MOST_CORRELATED else None,
        notes=tuple(_notes(fit)),
    )


def _criteria(fit: Fitted) -> "pd.Series[float]":
    if fit.reml:
        return pd.Series({"REML criterion": fit.criterion_value})
    return pd.Series({"AIC": fit.aic, "BIC": fit.bic, "logLik": fit.loglik, "deviance": fit.criterion_value})


def _five_numbers(residuals: "pd.Series[float]") -> "pd.Series[float]":
    return pd.Series(
        np.quantile(residuals, [0, 0.25, 0.5, 0.75, 1]), index=["min", "1Q", "median", "3Q", "max"]
    )


def _random(fit: Fitted) -> pd.DataFrame:
    covariance = fit.design.covariance
    rows = []
    for number, (group, coefs) in enumerate(zip(covariance.groups, covariance.coefs, strict=True)):
        sds, pairs = whole_block(covariance, number, fit.theta_values, fit.sigma)
        for j, (coef, sd) in enumerate(zip(coefs, sds, strict=True)):
            cors = {f"cor {i + 1}": pairs[i, j] for i in range(j) if (i, j) in pairs}
            rows.append({"group": group, "name": coef, "variance": sd**2, "sd": sd} | cors)
    rows.append({"group": RESIDUAL, "name": "", "variance": fit.sigma**2, "sd": fit.sigma})
    return pd.DataFrame(rows)


def _residual(fit: Fitted) -> pd.DataFrame:
    found = [fit.residual_natural, fit.design.residual.kept(fit.sigma)] if fit.design.in_memory else []
    rows = [
        (name, value, kept)
        for each, kept in zip(found, (False, True), strict=False)
        for name, value in zip(each.labels, each.values.tolist(), strict=True)
    ]
    return pd.DataFrame(rows, columns=["name", "value", "kept"])


def _correlation(vcov: pd.DataFrame) -> pd.DataFrame:
    sd = errors_of(np.diag(vcov))
    return vcov.div(sd, axis=0).div(sd, axis=1)


def _notes(fit: Fitted) -> list[str]:
    design = fit.design
    notes = [f"singular fit: {vanished}" for vanished in fit.convergence.vanished]
    if not fit.convergence.converged:
        notes.append(f"not at an optimum: {fit.convergence.status.value}")
    if design.dropped:
        notes.append(f"columns dropped because they depend on earlier ones: {', '.join(design.dropped)}")
    if design.n_missing:
        notes.append(f"{design.n_missing} rows dropped for missing values")
    if not design.residual.sigma_free:
        notes.append("the residual standard deviation is known, not estimated")
    return notes


def _line(values: "pd.Series[float]", form: str) -> str:
    if values.empty:
        return ""
    texts = [form.format(value) for value in values]
    return _columns([[str(name) for name in values.index], texts], left=0)


def _random_text(random: pd.DataFrame) -> str:
    shown = random["group"].where(random["group"] != random["group"].shift(), "")
    cors = [column for column in random if str(column).startswith("cor ")]
    head = ["Group", "Name", "Variance", "Std.Dev.", *(["Corr"] + [""] * (len(cors) - 1) if cors else [])]
    body = [
        [group, name, f"{variance:#.5g}", f"{sd:#.5g}", *(("" if np.isnan(c) else f"{c:.2f}") for c in cor)]
        for group, name, variance, sd, *cor in random.assign(group=shown)[
            ["group", "name", "variance", "sd", *cors]
        ].to_numpy()
    ]
    return _columns([head, *body], left=2)


def _residual_text(residual: pd.DataFrame) -> str:
    if residual.empty:
        return ""
    rows = [
        [f"{name} (kept)" if kept else name, f"{value:#.5g}"]
        for name, value, kept in residual.itertuples(index=False)
    ]
    return _columns([["Name", "Value"], *rows], left=1)


def _fixed_text(fixed: pd.DataFrame) -> str:
    forms = {name: form for name, form in FIXED.items() if name in fixed}
    body = [
        [str(name), *(form(value) for (_, form), value in zip(forms.values(), row, strict=True))]
        for name, row in zip(fixed.index, fixed[list(forms)].to_numpy(), strict=True)
    ]
    return _columns([["", *(head for head, _ in forms.values())], *body], left=1)


def _lower_text(correlation: pd.DataFrame | None) -> str:
    if correlation is None:
        return ""
    names = [str(name) for name in correlation.index]
    head = ["", *(name[:8] for name in names[:-1])]
    values = correlation.to_numpy()
    body = [
        [names[i], *(f"{values[i, j]:.3f}" for j in range(i)), *[""] * (len(names) - 1 - i)]
        for i in range(1, len(names))
    ]
    return _columns([head, *body], left=1)


def _columns(rows: list[list[str]], left: int) -> str:
    """Rows of cells as aligned text; the first `left` columns to the left, the others to the right."""
    widths = [max(len(row[c]) for row in rows) for c in range(len(rows[0]))]
    lines = (
        "  ".join(
            cell.ljust(width) if c < left else cell.rjust(width)
            for c, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)
