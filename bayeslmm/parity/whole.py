"""The whole run of one model: fit, bootstrap, sample, compare, each when it is first asked for.

What it will take is told beforehand, from one timed replicate and one timed evaluation, and the bootstrap has
as many replicates as a budget leaves it.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from bayeslmm.errors import OptionError, check_prob, check_whole
from bayeslmm.parity.compare import Parity, compare
from bayeslmm.posterior.options import Method, SampleOptions
from bayeslmm.runs.budget import Cost, fitting, readable, timed
from bayeslmm.spec.model_spec import CriterionWord

if TYPE_CHECKING:
    from bayeslmm.likelihood.bootstrap.result import Bootstrap
    from bayeslmm.likelihood.fit import LikelihoodFit
    from bayeslmm.parity.calibration.result import Calibration
    from bayeslmm.posterior.result import PosteriorResult
    from bayeslmm.posterior.target import Target
    from bayeslmm.spec.design import Design
    from bayeslmm.spec.priors import Priors

BUDGET = 300.0  # seconds
MOST, FEWEST = 2000, 100  # replicates by default, and below which none are made
TIMED, LONG = 50, 0.1  # replicates that are timed together where one takes no longer than so many seconds
NUTS = ("marginal", "explicit")  # graphs
AFTERWARDS = "certificate and report: seconds each, more under load; above 500 effects of a part"


class Model(Protocol):
    """What a run asks of a model."""

    @property
    def design(self) -> "Design": ...
    @property
    def priors(self) -> "Priors": ...
    def fit(self, criterion: CriterionWord) -> "LikelihoodFit": ...
    def sample(self, *options: Any, **others: Any) -> "PosteriorResult": ...
    def stated(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class RunOptions:
    """The choices of one run of both engines.

    Attributes
    ----------
    criterion : what is optimized. seed : of bootstrap and sampler.
    boot : replicates; None for as many, up to 2000, as the budget leaves; 0 for none.
    budget : seconds that the run should keep to.
    draws, tune, chains, method : of the posterior. prob : of every interval.
    calibrate : data sets simulated to say which interval to trust; 0 for none.

    Raises
    ------
    OptionError
        For a number out of range, before any work.
    """

    criterion: CriterionWord = "REML"
    seed: int = 1
    boot: int | None = None
    budget: float = BUDGET
    draws: int = 1000
    tune: int = 1000
    chains: int = 4
    method: Method = "auto"
    prob: float = 0.95
    calibrate: int = 0

    def __post_init__(self) -> None:
        """Check the options."""
        check_whole("seed", self.seed, 0)
        check_whole("calibrate", self.calibrate, 0)
        if self.boot is not None:
            check_whole("boot", self.boot, 0)
        if not self.budget > 0:
            raise OptionError(f"budget is a number of seconds above 0, got {self.budget!r}")
        check_prob(self.prob)
        self.of_sampler(progress=False)

    def of_sampler(self, progress: bool) -> SampleOptions:
        """The posterior's part."""
        return SampleOptions(self.draws, self.tune, self.chains, self.seed, self.method, progress=progress)


@dataclass(frozen=True, eq=False)
class Run:
    """One model by both engines.

    Attributes
    ----------
    model : as written down. options : of the run. store : file of finished replicates, or None.
    progress : whether parts show how far they are. data : where the rows came from, for the manifest.
    """

    model: Model
    options: RunOptions = RunOptions()
    store: Path | None = None
    progress: bool = True
    data: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def fit(self) -> "LikelihoodFit":
        return self.model.fit(criterion=self.options.criterion)

    @cached_property
    def costs(self) -> tuple[Cost, ...]:
        """Of the posterior, of the ladder, of the bootstrap with as many replicates as there will be."""
        before = (self.of_posterior, self.of_ladder)
        return (*before, self._of_bootstrap) if self.replicates else before

    @cached_property
    def of_posterior(self) -> Cost:
        """By the method that is tried first."""
        method, n = self._foretold
        return Cost(f"posterior by {method}", "evaluation", self._evaluation, n)

    @cached_property
    def of_ladder(self) -> Cost:
        from bayeslmm.parity.ladder.cost import ladder_evaluations

        return Cost("ladder", "evaluation", self._evaluation, ladder_evaluations(self._target))

    @property
    def by_nuts(self) -> bool:
        """Whether the posterior is sampled by NUTS, which shows how far it is."""
        return self._foretold[0] in NUTS

    @property
    def said(self) -> str:
        """What the parts will take, what the budget leaves out, and what isn't told beforehand."""
        return "\n".join(filter(None, [*map(str, self.costs), self.shortened, AFTERWARDS]))

    @property
    def shortened(self) -> str:
        """What the budget has done to the bootstrap, and what its Monte Carlo error is; empty for nothing."""
        if self.options.boot is not None or self.replicates == MOST:
            return ""
        n, budget = self.replicates, readable(self.options.budget)
        dear = f"a replicate takes {readable(self._replicate)}, and the budget is {budget}"
        if not n:
            return f"no bootstrap: {dear}, too little for {FEWEST}; give boot, or a larger budget"
        return f"{n} bootstrap replicates instead of {MOST}: {dear}; {monte_carlo(n)}"

    @cached_property
    def replicates(self) -> int:
        """How many the bootstrap has."""
        if self.options.boot is not None:
            return self.options.boot
        left = self.options.budget - self.of_posterior.seconds - self.of_ladder.seconds
        n = fitting(self._replicate, left, MOST)
        return n if n >= FEWEST else 0

    @cached_property
    def bootstrap(self) -> "Bootstrap | None":
        """None for no replicates.

        Raises
        ------
        KeyboardInterrupt
            On Ctrl-C, whatever is finished; a store keeps it.
        """
        if not self.replicates:
            return None
        n, seed = self.replicates, self.options.seed
        found = self.fit.bootstrap(n=n, seed=seed, progress=self.progress, store=self.store)
        if found.stopped_before is not None:
            raise KeyboardInterrupt
        return found

    @cached_property
    def posterior(self) -> "PosteriorResult":
        return self.model.sample(**asdict(self.options.of_sampler(self.progress)))

    @cached_property
    def calibration(self) -> "Calibration | None":
        """Which interval to trust, from simulations; None where none are asked for."""
        if not self.options.calibrate:
            return None
        from bayeslmm.parity.calibration.run import calibrate

        asked = self.options
        return calibrate(
            self.model,
            n=asked.calibrate,
            prob=asked.prob,
            criterion=asked.criterion,
            seed=asked.seed,
            progress=self.progress,
        )

    @cached_property
    def parity(self) -> Parity:
        """All of them compared."""
        results = [each for each in (self.fit, self.bootstrap, self.posterior) if each is not None]
        found = compare(*results, prob=self.options.prob, calibration=self.calibration)
        return found.recorded(self._record)

    @property
    def _record(self) -> dict[str, Any]:
        """What a manifest needs to do it again; replicates are as many as there were."""
        options = asdict(self.options) | {"boot": self.replicates}
        return {"run": options, "model": dict(self.model.stated()), "data": dict(self.data)}

    @cached_property
    def _replicate(self) -> float:
        """Seconds of one, among others where it is short."""
        alone = timed(lambda: self._replicates(1))
        return alone if alone > LONG else timed(lambda: self._replicates(TIMED)) / TIMED

    def _replicates(self, n: int) -> "Bootstrap":
        return self.fit.bootstrap(n=n, seed=self.options.seed, progress=False)

    @property
    def _of_bootstrap(self) -> Cost:
        return Cost("bootstrap", "replicate", self._replicate, self.replicates)

    @cached_property
    def _target(self) -> "Target":
        from bayeslmm.posterior.target import Target

        return Target(self.model.design.begun, self.model.priors)

    @cached_property
    def _evaluation(self) -> float:
        """Seconds of one."""
        from bayeslmm.posterior.methods.foretold import seconds_each

        return seconds_each(self._target)

    @cached_property
    def _foretold(self) -> tuple[str, int]:
        """Method and evaluations of the posterior."""
        from bayeslmm.posterior.methods.foretold import foretold

        return foretold(self._target, self.options.of_sampler(progress=False))


def monte_carlo(n: int) -> str:
    """Monte Carlo error of a bootstrap's standard errors and of the ends of its 95 % intervals."""
    return (
        f"their standard errors are told to {100 / (2 * (n - 1)) ** 0.5:.1f} %, the ends of 95 % intervals "
        f"lie at the quantiles 0.025 and 0.975 ± {(0.025 * 0.975 / n) ** 0.5:.3f}"
    )
