"""LinearMixedModel: a model written down once; every method hands it to an engine."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayeslmm.arguments import Face, check_arguments, verbs_in_our_words
from bayeslmm.errors import OptionError, caution
from bayeslmm.markup import paragraph
from bayeslmm.spec.build import build, opened
from bayeslmm.spec.design import Design
from bayeslmm.spec.given import numbers_for
from bayeslmm.spec.model_spec import CriterionWord, Missing, ModelSpec
from bayeslmm.spec.priors import Preset, Priors, default_priors
from bayeslmm.spec.recipe import Recipe
from bayeslmm.spec.stated import stated
from bayeslmm.spec.update import updated_formula

if TYPE_CHECKING:
    import bambi
    import pymc as pm
    from xarray import DataTree

    from bayeslmm.likelihood.fit import LikelihoodFit
    from bayeslmm.parity.compare import Parity
    from bayeslmm.posterior.batch.arrays import PosteriorArrays
    from bayeslmm.posterior.options import GraphWord, Method
    from bayeslmm.posterior.result import PosteriorResult
    from bayeslmm.spec.residual import CorrelationStructure, VarianceFunction
    from bayeslmm.spec.residual.variances import Product


@verbs_in_our_words
@dataclass(frozen=True, init=False, repr=False, eq=False)
class LinearMixedModel(Face):
    """A linear mixed model: y = Xβ + Zb + offset + e, b ~ N(0, σ²ΛΛᵀ), e ~ N(0, σ²R) (eq. 1).

    Immutable: fitting and sampling return results and leave the model as it is.

    Parameters
    ----------
    formula : str
        As for lme4: ``"y ~ x + (x | g)"``; also ``(x || g)``, ``(0 + x | g)``, ``(1 | a/b)``, ``(1 | a:b)``,
        ``offset(...)``, or no bars at all. Inside the terms, formulaic's language.
    data : DataFrame, path or Dask DataFrame
        Rows with missing values are dropped and counted, or refused (`missing`). A CSV or TSV file is read as
        the command line reads it; `bayeslmm.datasets.read_table` has options. The path of a Parquet file or
        folder, a `pyarrow.dataset.Dataset` and a Dask DataFrame are read in chunks, twice, and never held:
        then terms are made row by row (no ``poly`` or ``scale``), ``weights`` and ``offset`` name columns,
        and what needs all rows at once says so.
    weights : str or (n,) array_like, optional
        Prior weights w, a column or values; the residual variance is σ²/w.
    offset : str or (n,) array_like, optional
        Added to the linear predictor with coefficient 1.
    contrasts : mapping, optional
        By factor: ``"treatment"``, ``"sum"``, ``"helmert"``, ``"poly"`` or a matrix.
    sigma : float, optional
        The residual standard deviation where it is known.
    covariance : mapping, optional
        By grouping factor, the known covariance K between its levels, ``{"animal": K}``: b ~ N(0, σ²K ⊗ T). A
        DataFrame names the levels on both sides, in any order, and may name more than the data have: they are
        predicted through their relatives. Those of ``a:b`` are labels ``"A:a"`` or tuples ``("A", "a")``. A
        matrix has the levels in their sorted order.
    priors : mapping, optional
        Priors by name, such as ``{"sd[Subject: Days]": HalfNormal(10)}``; the others keep their defaults.
        A ``bambi.Prior`` or a PyMC distribution such as ``pm.HalfNormal.dist(10)`` will do as well.
    missing : {"drop", "error"}
        What to do with rows that have missing values.
    functions : mapping, optional
        What the formula may call besides formulas' own functions, ``{"rescale": f}``: each gets float
        arrays, one value a row, and gives one.
    correlation : of bayeslmm.correlation, optional
        Of the residual within groups of rows: ``bl.correlation.AR1("Time | Mare")``.
    variance : of bayeslmm.variance, optional
        How the residual's variance depends on the rows: ``bl.variance.Power("age")``, products by ``*``.

    Raises
    ------
    FormulaError, DataError, OptionError, PriorError
        For what can't be a model, before any long work; each says what was seen and what to do.

    Examples
    --------
    >>> import bayeslmm as bl
    >>> model = bl.LinearMixedModel("Reaction ~ Days + (Days | Subject)", bl.load_dataset("sleepstudy"))
    >>> round(model.fit().criterion_value, 4)
    1743.6283
    """

    spec: ModelSpec
    design: Design
    recipe: Recipe = field(repr=False)
    data: Any = field(repr=False)

    def __init__(
        self,
        formula: str,
        data: Any,
        weights: str | ArrayLike | None = None,
        offset: str | ArrayLike | None = None,
        contrasts: Mapping[str, Any] | None = None,
        sigma: float | None = None,
        covariance: Mapping[str, Any] | None = None,
        priors: Mapping[str, Any] | None = None,
        missing: Missing = "drop",
        functions: Mapping[str, Callable[..., Any]] | None = None,
        *,
        correlation: "CorrelationStructure | None" = None,
        variance: "VarianceFunction | Product | None" = None,
    ) -> None:
        """Read the formula, build the design, set the priors."""
        spec = ModelSpec(
            formula,
            weights,
            offset,
            {} if contrasts is None else contrasts,
            sigma,
            missing,
            covariance={} if covariance is None else covariance,
            functions={} if functions is None else functions,
            correlation=correlation,
            variance=variance,
        )
        rows = opened(data)
        design, recipe = build(spec, rows)
        self._set(spec=spec, design=design, recipe=recipe, data=rows)
        if priors:
            self._set(priors=self._replaced(priors))

    def _set(self, **parts: Any) -> None:
        vars(self).update(parts)

    @cached_property
    def priors(self) -> Priors:
        """The priors of all parameters; defaults scaled by the data where none were given."""
        return default_priors(self.design)

    def __repr__(self) -> str:
        design = self.design
        groups = ", ".join(f"{block.group} ({block.n_levels} levels)" for block in design.blocks)
        return f"LinearMixedModel({self.spec.formula!r}: {design.n} rows, {groups or 'no grouping factor'})"

    INNER = ("recipe",)

    def _repr_html_(self) -> str:
        heads = (paragraph(f"Linear mixed model: {self.spec.formula}", strong=True), paragraph("Priors"))
        return self.design._repr_html_().join(heads) + self.priors._repr_html_()

    def with_priors(self, priors: Mapping[str, Any] | Preset) -> "LinearMixedModel":
        """The same model with some priors replaced.

        Parameters
        ----------
        priors : mapping or "weak"
            By name, ``{"sd[Subject]": HalfNormal(10)}``; or weakly informative ones for all that are flat: a
            slope normal(0, 2.5·sd(y)/sd(x)), an intercept normal around the mean of y.

        Raises
        ------
        PriorError
            For a parameter the model doesn't have, or a family that doesn't fit it.
        """
        other = object.__new__(LinearMixedModel)
        parts = {each.name: getattr(self, each.name) for each in fields(self)}
        other._set(**parts, priors=self._replaced(priors))
        return other

    def _replaced(self, priors: Any) -> Priors:
        from bayeslmm.posterior.bridge.foreign_priors import replaced

        return replaced(self.design, self.priors, priors)

    def update(self, formula: str | None = None, **changes: Any) -> "LinearMixedModel":
        """A new model that differs in what is named, as R's ``update``.

        Parameters
        ----------
        formula : str, optional
            With ``.`` for what was there: ``". ~ . - x + (1 | g)"``.
        **changes
            Other arguments of the constructor: ``data``, ``weights``, ``missing``... Priors start from their
            defaults.
        """
        spec = self.spec
        same = {
            "weights": spec.weights,
            "offset": spec.offset,
            "contrasts": spec.contrasts,
            "data": self.data,
        }
        same |= {"sigma": spec.sigma, "missing": spec.missing, "covariance": spec.covariance}
        same |= {"functions": spec.functions, "correlation": spec.correlation, "variance": spec.variance}
        text = spec.formula if formula is None else updated_formula(spec.formula, formula)
        return LinearMixedModel(text, **(same | changes))

    def V(self, theta: ArrayLike, sigma: float = 1.0, *, phi: ArrayLike = ()) -> NDArray[np.float64]:
        """The (n, n) covariance σ²(ZΛΛᵀZᵀ + R(φ)) of the response (eq. 2), dense: for small data."""
        from bayeslmm.spec.dense import dense_covariance

        return dense_covariance(self.design, theta, sigma, phi)

    def to_bambi(self) -> "bambi.Model":
        """The same model in Bambi, built, with an uncentred intercept; needs ``bayeslmm[bambi]``.

        Raises
        ------
        OptionError
            When Bambi can't state it: correlated effects, weights, a known sigma, ...
        """
        from bayeslmm.posterior.bridge.bambi import to_bambi

        return to_bambi(self.spec, self.design, self.priors, self.data)

    def graph(self, kind: "GraphWord" = "marginal", *, centred: bool = False) -> "pm.Model":
        """The PyMC model itself: ``"marginal"`` (b, and β where it can, integrated out) or ``"explicit"``."""
        from bayeslmm.posterior.graph.graphs import build_graph

        return build_graph(self.design, self.priors, kind, centred=centred)

    def fit(
        self, criterion: CriterionWord = "REML", *, start: ArrayLike | None = None, max_iter: int = 500
    ) -> "LikelihoodFit":
        """Fit by restricted (eq. 5) or full maximum likelihood (eq. 4); deterministic.

        Parameters
        ----------
        criterion : {"REML", "ML"}
        start : (n_theta,) array_like, optional
            θ to begin with.
        max_iter : int
            Evaluations of the criterion a search may take.

        Raises
        ------
        OptionError
            For a misspelt criterion, or start values that aren't numbers, too many, too few or too large.
        """
        from bayeslmm.likelihood.fit import LikelihoodFit
        from bayeslmm.likelihood.fitted import FitOptions

        values = None if start is None else tuple(numbers_for("start", start, self.design.covariance.names))
        options = FitOptions(criterion, values, max_iter)
        return LikelihoodFit.of(self.design, options, self.spec.formula, self.recipe)

    def sample(
        self,
        draws: int = 1000,
        tune: int = 1000,
        chains: int = 4,
        seed: int | None = None,
        method: "Method" = "auto",
        **options: Any,
    ) -> "PosteriorResult":
        """Sample the posterior: variance parameters by their density (eq. 7), β and b given them (eq. 8, 9).

        Parameters
        ----------
        draws, tune, chains : int
            Draws kept and warm-up draws per chain, and the number of chains.
        seed : int, optional
            Same seed, same draws; None draws one, which the result records.
        method : {"auto", "marginal", "explicit", "importance", "quadrature"}
            How; ``"auto"`` chooses by the cost of one evaluation and says why.
        **options
            Others of ``SampleOptions``: ``cores``, ``target_accept``, ``centred``, ``progress``, ``sampler``,
            ``store``, ``nodes``, ``exact``.

        Raises
        ------
        OptionError
            For a misspelt method or a number out of range, before any work.
        """
        from bayeslmm.posterior.options import SampleOptions
        from bayeslmm.posterior.sample import sample

        check_arguments("sample", options, (each.name for each in fields(SampleOptions)))
        asked = SampleOptions(draws, tune, chains, seed, method, **options)
        return sample(self.design, self.priors, asked, self.recipe)

    def posteriors(
        self,
        responses: ArrayLike | None = None,
        *,
        priors: "Sequence[Mapping[str, Any] | Preset] | None" = None,
        prob: float = 0.95,
        n: int = 1024,
        seed: int = 0,
    ) -> "PosteriorArrays":
        """Summaries of many posteriors as arrays: of other responses, or under other priors.

        By importance sampling with the same points for all, weighted by the kernel; some milliseconds each.

        Parameters
        ----------
        responses : (m, n) array_like, optional
            One posterior each, under the model's priors.
        priors : sequence of mappings or "weak", optional
            One posterior of the model's own response each, with these changes as for `with_priors`.
        prob : float
            Of the intervals.
        n, seed : int
            Points, a power of two, and of their sequence.

        Raises
        ------
        OptionError
            Where both or neither are given, or responses that don't have one finite value a row used.

        Examples
        --------
        >>> import bayeslmm as bl
        >>> model = bl.LinearMixedModel("Reaction ~ Days + (Days | Subject)", bl.load_dataset("sleepstudy"))
        >>> found = model.posteriors(model.fit().simulate(3, seed=1).T)
        >>> found.mean.shape, found.hdi.shape
        ((3, 6), (3, 6, 2))
        """
        from bayeslmm.posterior.batch.run import Batch
        from bayeslmm.posterior.target import Target

        if (responses is None) == (priors is None):
            raise OptionError("posteriors are those of other responses= or under other priors=: give one")
        batch = Batch(Target(self.design, self.priors), n, prob, seed)
        if priors is not None:
            return batch.arrays(Target(self.design, self.with_priors(each).priors) for each in priors)
        from bayeslmm.likelihood.refit_many import designs_of

        assert responses is not None
        designs = designs_of(self.design, responses)
        return batch.arrays(Target(design, self.priors) for design in designs)

    def prior_predictive(
        self, draws: int = 500, seed: int = 0, *, priors: Mapping[str, Any] | Preset | None = None
    ) -> "DataTree":
        """Draws from the priors and of data made from them: groups prior, prior_predictive, observed_data.

        Parameters
        ----------
        draws, seed : int
            How many, and of what is drawn.
        priors : mapping or "weak", optional
            Changes as for `with_priors`; the default flat prior of β has no draws, and "weak" gives it one.

        Raises
        ------
        PriorError
            When a prior is flat.

        Examples
        --------
        >>> import bayeslmm as bl
        >>> model = bl.LinearMixedModel("Reaction ~ Days + (Days | Subject)", bl.load_dataset("sleepstudy"))
        >>> model.prior_predictive(100, priors="weak")["prior_predictive"]["y"].shape
        (1, 100, 180)
        """
        from bayeslmm.posterior.predictive import prior_predictive

        model = self if priors is None else self.with_priors(priors)
        return prior_predictive(model.design, model.priors, draws, seed)

    def parity(
        self,
        seed: int = 1,
        *,
        criterion: CriterionWord = "REML",
        boot: int | None = None,
        budget: float = 300.0,
        draws: int = 1000,
        tune: int = 1000,
        chains: int = 4,
        method: "Method" = "auto",
        prob: float = 0.95,
        progress: bool = True,
    ) -> "Parity":
        """The whole run: fit, bootstrap, sample, compare.

        Parameters
        ----------
        seed : int
            Of the bootstrap and of the sampler.
        boot : int, optional
            Bootstrap replicates; None for as many, up to 2000, as the budget leaves.
        budget : float
            Seconds that the run should keep to.
        prob : float
            Probability of every interval.
        criterion, draws, tune, chains, method
            As for `fit` and `sample`.

        Raises
        ------
        OptionError
            For a number out of range, before any work.
        KeyboardInterrupt
            On Ctrl-C during the bootstrap, before the sampler begins.

        Warns
        -----
        BudgetWarning
            Of replicates that the budget leaves out, with the Monte Carlo error of the others.
        """

        from bayeslmm.errors import BudgetWarning
        from bayeslmm.parity.whole import Run, RunOptions
        from bayeslmm.posterior.options import check_of_fitted

        check_of_fitted(self.design.residual)
        options = RunOptions(criterion, seed, boot, budget, draws, tune, chains, method, prob)
        run = Run(self, options, progress=progress)
        if run.shortened:
            caution(BudgetWarning(run.shortened))
        return run.parity

    def stated(self) -> dict[str, Any]:
        """The model as plain values, its data aside: what a manifest holds of it."""
        return stated(self.spec, self.priors)


def from_bambi(model: "bambi.Model") -> LinearMixedModel:
    """A Gaussian Bambi model: its formula, data and priors.

    Bambi's group-specific terms are independent, so its ``(x | g)`` becomes ``(x || g)``. Its prior of the
    intercept is for centred predictors unless it was built with ``center_predictors=False``; with predictors
    whose means aren't 0 only a flat one can be stated here.

    Raises
    ------
    OptionError
        When it isn't a Gaussian model of the mean alone, its columns aren't those of the same formula here,
        or a prior has no counterpart.
    """
    from bayeslmm.posterior.bridge.bambi import read, translated_priors

    found = read(model)
    plain = LinearMixedModel(found.formula, found.data, sigma=found.sigma)
    return plain.with_priors(translated_priors(model, plain.design))
