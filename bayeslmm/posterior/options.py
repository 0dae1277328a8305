"""What a sampling run was asked for, checked before any work."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from bayeslmm.errors import OptionError, check_choice

METHODS = ("auto", "marginal", "explicit", "importance", "quadrature")

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
    target_accept : acceptance rate NUTS aims at.
    progress : show a progress bar on standard error.
    nodes : quadrature's nodes per parameter; None for as many as are cheap.

    Raises
    ------
    OptionError
        When a number is out of range or the method is misspelt.
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

    def __post_init__(self) -> None:
        """Check the options."""
        check_choice("method", self.method, METHODS)
        for name, least in (
            ("draws", 4),
            ("tune", 1),
            ("chains", 1),
            ("cores", 1),
            ("seed", 0),
            ("nodes", 3),
        ):
            _check_whole(name, getattr(self, name), least)
        if not 0 < self.target_accept < 1:
            raise OptionError(f"target_accept lies between 0 and 1, got {self.target_accept!r}")
        if self.centred and self.method != "explicit":
            raise OptionError("only the explicit graph can be centred; add method='explicit'")
        if self.nodes is not None and self.method != "quadrature":
            raise OptionError("nodes are quadrature's; add method='quadrature'")


def fresh_seed() -> int:
    """A seed nobody chose, short enough to be written down."""
    return int(np.random.SeedSequence().generate_state(1)[0])


def _check_whole(name: str, value: Any, least: int) -> None:
    if value is None and name in ("seed", "cores", "nodes"):
        return
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or value < least:
        raise OptionError(f"{name} is a whole number of at least {least}, got {value!r}")
