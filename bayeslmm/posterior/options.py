"""What a sampling run was asked for, checked before any work."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from bayeslmm.errors import OptionError, check_choice, check_prob, check_whole
from bayeslmm.runs.places import prove_folder
from bayeslmm.spec.residual import Residual

SAMPLERS = ("nutpie", "pymc")
METHODS = ("auto", "marginal", "explicit", "importance", "quadrature")

type Sampler = Literal["nutpie", "pymc"]
type GraphWord = Literal["marginal", "explicit"]
type Method = Literal["auto", "marginal", "explicit", "importance", "quadrature"]


@dataclass(frozen=True, slots=True)
class SampleOptions:
    """Options of a sampling run.

    Attributes
    ----------
    draws, tune, chains : draws kept and warm-up draws per chain, number of chains.
    seed : an integer; None draws one, which the result records.
    method : ``"marginal"``, ``"explicit"``, ``"importance"``, ``"quadrature"`` or ``"auto"``.
    centred : explicit graph with b itself as variable.
    cores : chains run at once; None for as many as there are. The draws don't depend on it.
    target_accept : acceptance rate NUTS aims at; the default is PyMC's.
    progress : show a progress bar on standard error.
    sampler : whose NUTS, ``"nutpie"`` or ``"pymc"``; of no effect where no NUTS is run.
    store : folder of a Zarr store that nutpie's draws are written to while it samples; a killed run leaves it
        readable (``xarray.open_datatree(store, engine="zarr", consolidated=False)``), and sampling again with
        the same seed gives the same draws, or more of them.
    nodes : quadrature's nodes per parameter; None for as many as are cheap.
    exact : importance sampling asks the kernel about every proposal. Otherwise, where an evaluation is dear,
        it asks about a random share, and the other weights are unbiased for the exact ones.

    Raises
    ------
    OptionError
        When a number is out of range or the method is misspelt.
    OutputError
        When the store's folder can't be made or written.
    """

    draws: int = 1000
    tune: int = 1000
    chains: int = 4
    seed: int | None = None
    method: Method = "auto"
    centred: bool = False
    cores: int | None = None
    target_accept: float = 0.8
    progress: bool = True
    nodes: int | None = None
    exact: bool = False
    sampler: Sampler = "nutpie"
    store: str | Path | None = None

    def __post_init__(self) -> None:
        """Check the options."""
        check_choice("method", self.method, METHODS)
        for name, least in (("draws", 4), ("tune", 1), ("chains", 1)):
            check_whole(name, getattr(self, name), least)
        for name, least in (("cores", 1), ("seed", 0), ("nodes", 3)):
            if getattr(self, name) is not None:
                check_whole(name, getattr(self, name), least)
        check_prob(self.target_accept, "target_accept")
        if self.centred and self.method != "explicit":
            raise OptionError("only the explicit graph can be centred; add method='explicit'")
        self._check_sampler()
        if self.nodes is not None and self.method != "quadrature":
            raise OptionError("nodes are quadrature's; add method='quadrature'")
        if self.exact and self.method not in ("importance", "auto"):
            raise OptionError("exact=True is about importance sampling's weights; add method='importance'")

    def threads(self, n: int, n_phi: int) -> int:
        """How many of n chains are worked on at once: one where R moves, which is Python's work."""
        return self.cores or (1 if n_phi else n)

    def _check_sampler(self) -> None:
        check_choice("sampler", self.sampler, SAMPLERS)
        graph = self.method in ("marginal", "explicit")
        if self.sampler == "pymc" and not graph:
            raise OptionError("PyMC's NUTS samples a graph; add method='marginal' or 'explicit'")
        if self.store is not None and not (graph and self.sampler == "nutpie"):
            raise OptionError("store= is written by nutpie's NUTS; add method='marginal' or 'explicit'")
        if self.store is not None:
            _check_store(Path(self.store))


def _check_store(folder: Path) -> None:
    prove_folder(folder, "name another one for this run's draws")
    if any(folder.iterdir()):
        raise OptionError(f"the folder {str(folder)!r} isn't empty; name a new one for this run's draws")


def check_of_fitted(residual: Residual) -> None:
    """Refuse R that depends on fitted values: given φ the density isn't normal in β and b.

    Raises
    ------
    OptionError
        With the way out.
    """
    if residual.of_fitted:
        raise OptionError(
            "a variance of fitted values has no Gaussian integral, so the posterior leaves it out; make the "
            "variance a function of a column, such as the population mean of a fit, "
            "fit.predict(random='none'), or take fit() and its bootstrap()"
        )


def fresh_seed() -> int:
    """A seed nobody chose, short enough to be written down."""
    return int(np.random.SeedSequence().generate_state(1)[0])
