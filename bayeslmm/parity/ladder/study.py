"""What rungs are computed from: a model, its priors, and the modes and averages found so far."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayeslmm.errors import BayesLMMError
from bayeslmm.one_thread import one_thread
from bayeslmm.parity.ladder.estimands import Estimands
from bayeslmm.parity.ladder.standard_errors import followed_errors
from bayeslmm.posterior.fixed_effects import integrable
from bayeslmm.posterior.natural import NaturalTarget, unbounded
from bayeslmm.spec.labels import cor_labels_of

if TYPE_CHECKING:
    from bayeslmm.likelihood.fit import LikelihoodFit
    from bayeslmm.posterior.methods.averages import Averages
    from bayeslmm.posterior.methods.mixture import Components
    from bayeslmm.posterior.methods.natural_modes import NaturalMode
    from bayeslmm.posterior.target import Target
    from bayeslmm.spec.design import Design
    from bayeslmm.spec.priors import Priors

type Array = NDArray[np.float64]
type Kinds = tuple[str, ...]

NO_COR = "not identified: a standard deviation is 0 there"
OF_EFFECTS = "a function of effects, which has no closed form given the variances: its draws tell it"
COMBINED = 200  # nodes that the variances of combinations are averaged over
SAME = 1e-3  # posterior sds, about, between modes that are one


@dataclass(frozen=True, eq=False)
class Study:
    """One model seen by both paradigms.

    Attributes
    ----------
    design : the model's matrices. priors : of the posterior; flat ones where they aren't known.
    kinds : of parameters with priors, in the order in which these come in; none where they aren't known.
    known : whether the priors are. fit : the one compared, or None.
    told_se : the estimates' standard errors by label, those of `best` for None.
    sampled : the posterior's table, with what is followed beside the model's own, or None.
    estimands : what is followed. seed : of the averages' points.
    """

    design: "Design"
    priors: "Priors"
    kinds: Kinds
    known: bool
    fit: "LikelihoodFit | None"
    told_se: "pd.Series[float] | None"
    sampled: pd.DataFrame | None
    estimands: Estimands
    seed: int = 0
    _modes: "dict[Kinds, NaturalMode]" = field(default_factory=dict, repr=False)
    _climbs: "dict[tuple[Kinds, bytes], NaturalMode]" = field(default_factory=dict, repr=False)

    @cached_property
    def reml(self) -> "LikelihoodFit | str":
        return self._fitted("REML")

    @cached_property
    def ml(self) -> "LikelihoodFit | str":
        return self._fitted("ML")

    def _fitted(self, criterion: str) -> "LikelihoodFit | str":
        """The fit by a criterion, without a warning, or why there is none."""
        from bayeslmm.likelihood.fit import LikelihoodFit
        from bayeslmm.likelihood.fitted import FitOptions
        from bayeslmm.likelihood.optimum import optimize

        if self.fit is not None and self.fit.criterion == criterion:
            return self.fit
        options = FitOptions(criterion)
        try:
            return LikelihoodFit(self.design, options, optimize(options.objective(self.design)))
        except BayesLMMError as error:
            return str(error)

    def __getstate__(self) -> dict[str, Any]:
        # megabytes that have been looked at, and are made again where they are asked for
        return {name: value for name, value in vars(self).items() if name != "averages"}

    @property
    def best(self) -> "LikelihoodFit | str":
        """The fit compared, or REML's."""
        return self.reml if self.fit is None else self.fit

    def at_fit(self, fit: "LikelihoodFit") -> tuple[Array, Mapping[str, str]]:
        """Values (L,) at the estimates of a fit."""
        return self._at(self.target(()), self._phi(fit))

    def target(self, kinds: Kinds) -> NaturalTarget:
        """The density with the priors of these kinds."""
        return NaturalTarget(self.design, self.priors.only(kinds))

    def no_mode(self, kinds: Kinds) -> str:
        """Why there is no mode with the priors of these kinds; empty where there is one."""
        priors = self.priors.only(kinds)
        if not integrable(priors):
            return "beta's prior isn't normal: no closed form without it"
        if steep := unbounded(priors):
            return f"density unbounded: the prior of {', '.join(steep)} grows without end at the boundary"
        mode = self.mode(kinds)
        if not (np.isfinite(mode.value) and mode.converged):
            return "no mode was found: the density rises without end, or is flat"
        return ""

    def mode(self, kinds: Kinds) -> "NaturalMode":
        """The highest point with the priors of these kinds."""
        if kinds not in self._modes:
            self._modes[kinds] = self._search(kinds)
        return self._modes[kinds]

    def followed(self, before: "NaturalMode", kinds: Kinds, mode: "NaturalMode") -> "NaturalMode | None":
        """Where the mode before leads to with the priors of these kinds; None where that is `mode`."""
        found = self._climb(kinds, before.phi)
        apart = np.abs(np.tanh(found.phi / 2) - np.tanh(mode.phi / 2)).max(initial=0.0)
        return found if np.isfinite(found.value) and apart > SAME else None

    def at(self, mode: "NaturalMode", kinds: Kinds) -> tuple[Array, Mapping[str, str]]:
        """Values (L,) at a mode: natural parameters as they are, effects as means given them."""
        return self._at(self.target(kinds), mode.phi)

    def error_of(self, mode: "NaturalMode") -> Array:
        """(L,) how far from the mode the search may have stopped."""
        return np.asarray(np.sqrt(max(mode.decrement, 0.0)) * np.nan_to_num(self.scale))

    @cached_property
    def averages(self) -> "Averages | str":
        """Means over ω, or why there are none."""
        from bayeslmm.posterior.methods.averages import averages
        from bayeslmm.posterior.target import Target

        with one_thread():  # threads that wait for each other take ten times as long
            return averages(Target(self.design, self.priors), self.seed)

    @cached_property
    def sd(self) -> Array:
        """(L,) posterior standard deviations; NaN where they aren't known or don't exist."""
        if not self.known or isinstance(self.averages, str):
            return self._of_labels(None if self.sampled is None else self.sampled["sd"])
        found = np.sqrt(sum(self.variance_parts(self.averages.components)))
        found[self._infinite(3.0)] = np.nan
        for label in self.estimands.of_effects:
            found[self.estimands.labels.index(label)] = self._sd_sampled(label)
        return np.asarray(found)

    def _sd_sampled(self, label: str) -> float:
        return float("nan") if self.sampled is None else float(self.sampled["sd"].get(label, float("nan")))

    @cached_property
    def se(self) -> Array:
        """(L,) the likelihood's standard errors; NaN on the boundary and where there is none."""
        told, best = self.told_se, self.best
        if isinstance(best, str):
            return self._of_labels(told)
        own = best.estimates(ranef=True).frame["se"] if told is None else told
        return self._of_labels(
            pd.concat([own, pd.Series(followed_errors(best, self.estimands), dtype=float)])
        )

    @cached_property
    def scale(self) -> Array:
        """(L,) the larger of the likelihood's standard error and the posterior's standard deviation."""
        return np.where((self.se > 0) & ~(self.se < self.sd), self.se, self.sd)

    def _of_labels(self, column: "pd.Series[float] | None") -> Array:
        """(L,) of a column by label, NaN where it has none."""
        found = pd.Series(dtype=float) if column is None else column
        return np.asarray(found.reindex(list(self.estimands.labels)), dtype=float)

    def means(self, components: "Components") -> Array:
        """(L,) posterior means; NaN of functions of effects, which more than conditional means decide."""
        found = components.average(self.estimands.values(components.mean))
        found[[self.estimands.labels.index(label) for label in self.estimands.of_effects]] = np.nan
        return found

    def variance_parts(self, components: "Components") -> tuple[Array, Array]:
        """E[Var(ψ | y, ω)] and Var(E[ψ | y, ω]), (L,) each; functions are taken at the conditional means."""
        values = self.estimands.values(components.mean)
        inner = self._placed(components.average(components.variance), self._combined_variance)
        return inner, components.average((values - components.average(values)) ** 2)

    def variance_at(self, mode: "NaturalMode", kinds: Kinds) -> Array:
        """(L,) Var(ψ | y, ω) at a mode."""
        target = self.target(kinds)
        own = self._components(target, mode.phi).variance[0]
        return self._placed(own, self._combined_variances(target, mode.phi[None])[0])

    @cached_property
    def _combined_variance(self) -> Array:
        """E[Var(ψ | y, ω)] of the combinations, over nodes drawn by weight."""
        if isinstance(self.averages, str):
            return np.full(len(self.estimands.combinations), np.nan)
        found = self.averages
        index = found.components.by_weight(COMBINED)
        return self._combined_variances(found.target, found.phi[index]).mean(axis=0)

    def _combined_variances(self, target: "Target", phi: Array) -> Array:
        from bayeslmm.posterior.effects.combined import combined_variances

        if not self.estimands.combinations:
            return np.zeros((len(phi), 0))
        parameters = target.parameters(phi)
        return combined_variances(self.design, target.priors, parameters, self.estimands.combined)

    def _placed(self, own: Array, combined: Array) -> Array:
        """(L,) of the model's own (n_own,) and of combinations; 0 of functions, NaN of those of effects."""
        by_label = dict.fromkeys(self.estimands.of_effects, np.nan)
        by_label |= dict(zip(self.estimands.own, own, strict=True))
        by_label |= dict(zip(self.estimands.combinations, combined, strict=True))
        return np.array([by_label.get(label, 0.0) for label in self.estimands.labels])

    def no_mean(self) -> Mapping[str, str]:
        """Estimands without a deterministic posterior mean, and why."""
        from bayeslmm.posterior.summary.checks import tail_powers

        return dict.fromkeys(self.estimands.of_effects, OF_EFFECTS) | {
            label: f"moment infinite: the density of {label} falls as its power −{power:g}"
            for label, power in tail_powers(self.priors).items()
            if power <= 2
        }

    def _infinite(self, power: float) -> NDArray[np.bool_]:
        from bayeslmm.posterior.summary.checks import tail_powers

        tails = tail_powers(self.priors)
        return np.array([tails.get(label, np.inf) <= power for label in self.estimands.labels])

    def _search(self, kinds: Kinds) -> "NaturalMode":
        from bayeslmm.posterior.methods.natural_modes import highest, hints

        target = self.target(kinds)
        outermost = kinds in ((), self.kinds)
        start = self._phi(self.reml) if not kinds and not isinstance(self.reml, str) else target.start()
        starts = [start] if not kinds else [self.mode(()).phi]
        if not outermost and not self.no_mode(self.kinds):
            starts.append(self.mode(self.kinds).phi)
        if outermost and self.design.kernel.small:
            starts += hints(target)
        return highest(target, self._climb(kinds, starts[0]), starts[1:])

    def _climb(self, kinds: Kinds, start: Array) -> "NaturalMode":
        """The mode that a start leads to; a rung's search and the way from the rung before may share it."""
        from bayeslmm.posterior.methods.natural_modes import climb

        if (known := (kinds, start.tobytes())) not in self._climbs:
            with one_thread():
                self._climbs[known] = climb(self.target(kinds), start)
        return self._climbs[known]

    def _phi(self, fit: "LikelihoodFit") -> Array:
        natural = self.design.covariance.natural(fit.theta_values, fit.sigma)
        of_residual = fit.design.coordinates.phi(fit.optimum.x)
        return self.target(()).at(fit.sigma, natural.sd, natural.cor, of_residual)

    def _at(self, target: NaturalTarget, phi: Array) -> tuple[Array, Mapping[str, str]]:
        own = self._components(target, phi).mean[0].copy()
        missing = self._without_cor(target, phi)
        own[[self.estimands.own.index(label) for label in missing]] = np.nan
        values = self.estimands.values(own)
        reasons = {
            label: NO_COR for label, x in zip(self.estimands.labels, values, strict=True) if np.isnan(x)
        }
        return values, reasons

    def _components(self, target: NaturalTarget, phi: Array) -> "Components":
        from bayeslmm.posterior.methods.mixture import components_at
        from bayeslmm.posterior.methods.quadrature import Rule

        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            return components_at(target, Rule(phi[None], np.ones(1), np.zeros(1)))

    def _without_cor(self, target: NaturalTarget, phi: Array) -> list[str]:
        """Labels of the correlations of which an sd is 0."""
        sds, out = target.parameters(phi[None]).sd, []
        for number, block in enumerate(self.design.blocks):
            of_coef = sds[block.group][0][list(self.design.covariance.sd_of_coef(number))]
            pairs = self.design.covariance.block_pairs(number)
            labels = zip(cor_labels_of(self.design, number), pairs, strict=True)
            out += [label for label, (i, j) in labels if of_coef[i] == 0 or of_coef[j] == 0]
        return out
