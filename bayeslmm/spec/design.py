"""The design: response, fixed-effects matrix and one block per grouping factor, as arrays."""

from collections.abc import Iterable, Iterator
from dataclasses import InitVar, dataclass, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayeslmm.markup import html_table, paragraph

from .block import Block, block_matrix
from .coordinates import Coordinates
from .relative import CovarianceMap
from .residual import Residual

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from bayeslmm.kernel.kernel import Kernel

    from .moving import Moving

type Array = NDArray[np.float64]
type Codes = NDArray[np.int64]


class MeanSd(NamedTuple):
    """Means and standard deviations (divided by n) of columns, (k,) each."""

    mean: Array
    sd: Array

    @classmethod
    def of(cls, columns: Array) -> "MeanSd":
        varies = np.ptp(columns, axis=0) > 0  # a constant's sd would be of the size of its rounding
        mean = np.where(varies, np.mean(columns, axis=0), columns[0])
        return cls(mean, np.where(varies, np.std(columns, axis=0), 0.0))


class Scales(NamedTuple):
    """How large the data are: sd of the response, means and sds of X's columns and of each block's."""

    y_sd: float
    X: MeanSd
    columns: tuple[MeanSd, ...]


class Observed(Protocol):
    """The rows of a design, wherever they are, and what is made of all of them together."""

    @property
    def n(self) -> int: ...
    @property
    def y(self) -> Array: ...
    @property
    def offset(self) -> Array: ...
    @property
    def X(self) -> Array: ...
    @property
    def rows(self) -> Codes: ...
    @property
    def in_memory(self) -> bool: ...
    def kernel(self, design: "Design") -> "Kernel": ...
    def moving(self, design: "Design") -> "Moving": ...
    def scales(self, design: "Design") -> Scales: ...
    def chunks(self, design: "Design") -> "Iterator[Design]": ...


@dataclass(frozen=True, eq=False)
class RowsInMemory:
    """Rows that are here; names as in `Design`."""

    y: Array
    offset: Array
    X: Array
    rows: Codes

    in_memory: ClassVar[bool] = True

    @property
    def n(self) -> int:
        return len(self.y)

    def kernel(self, design: "Design") -> "Kernel":
        """Their cross-products; at the φ that the residual is settled at, where it has such."""
        from bayeslmm.kernel.kernel import Kernel

        if design.residual.n_phi or design.residual.groups is not None:
            return design.moving.whitened(design.residual.settled_phi).kernel
        parts = [(block.codes, block.columns, block.n_levels) for block in design.blocks]
        known = tuple(block.known for block in design.blocks)
        R = design.residual
        return Kernel.build(self.y - self.offset, self.X, parts, R.whiten, R.log_det(), known)

    def moving(self, design: "Design") -> "Moving":
        """Their cross-products at any φ."""
        from bayeslmm.kernel.problem.crossproducts import Observations

        from .moving import Moving

        parts = [(block.codes, block.columns, block.n_levels) for block in design.blocks]
        known = [block.known for block in design.blocks]
        R = design.residual
        left = self.y - self.offset
        return Moving(Observations.of(left, self.X, parts, known, R.groups, R.spread), R)

    def scales(self, design: "Design") -> Scales:
        """Means and standard deviations of the columns."""
        own = tuple(MeanSd.of(block.columns) for block in design.blocks)
        return Scales(float(np.std(self.y)), MeanSd.of(self.X), own)

    def chunks(self, design: "Design") -> "Iterator[Design]":
        """All at once."""
        yield design


@dataclass(frozen=True, eq=False)
class RandomPart:
    """The random part Zb of a design, b ~ N(0, σ²ΛΛᵀ); it doesn't know the response.

    Attributes
    ----------
    blocks : grouping factors in formula order. covariance : θ ↔ relative factors ↔ natural parameters.
    """

    blocks: tuple[Block, ...]
    covariance: CovarianceMap

    @classmethod
    def of(cls, blocks: Iterable[Block], residual: Residual) -> "RandomPart":
        """The random part of rows in memory with this residual."""
        own = tuple(blocks)
        return cls(own, CovarianceMap.build(own, residual))

    @cached_property
    def Z(self) -> "csr_array":
        """(n, q) sparse, of at least one block: block by block, level by level, coef fastest."""
        return _beside([block.matrix() for block in self.blocks])

    @cached_property
    def independent_Z(self) -> "csr_array":
        """Z(L ⊗ I), (n, q) sparse: of effects that are independent between levels; Z where no K is known."""
        if all(block.known is None for block in self.blocks):
            return self.Z
        return _beside([block.independent_matrix() for block in self.blocks])

    def __getstate__(self) -> dict[str, Any]:
        # what is cached can be had again
        return {field.name: getattr(self, field.name) for field in fields(self)}


def _beside(parts: "list[csr_array]") -> "csr_array":
    from scipy.sparse import csr_array, hstack

    return csr_array(hstack(parts, format="csr"))


@dataclass(frozen=True, eq=False)
class Design:
    """What the formula makes of the data: y = Xβ + Zb + offset + e, e ~ N(0, σ²R).

    Attributes
    ----------
    observed : its rows, in memory or elsewhere
    random : Zb
    residual : R, and σ where it is known
    coefs : names of X's columns
    dropped : columns left out because they depend on earlier ones
    n_missing : number of rows dropped for a missing value
    response : the formula's left side
    labels : index of the user's data, rows that aren't kept included; None where rows are known by position
    unidentified : why the likelihood alone can't tell σ, which a prior may do; None where it can
    products : the cross-products, where somebody has them already; what `replace` makes has its own
    """

    observed: Observed
    random: RandomPart
    residual: Residual
    coefs: tuple[str, ...]
    dropped: tuple[str, ...]
    n_missing: int
    response: str
    labels: pd.Index | None = None
    unidentified: str | None = None
    products: InitVar["Kernel | None"] = None

    def __post_init__(self, products: "Kernel | None") -> None:
        """Take the cross-products."""
        if products is not None:
            object.__setattr__(self, "kernel", products)

    def with_response(self, y: Array, products: "Kernel | None" = None) -> "Design":
        """The same design with another response (n,), whose cross-products may be known."""
        return replace(self, observed=RowsInMemory(y, self.offset, self.X, self.rows), products=products)

    def at_phi(self, phi: Array) -> "Design":
        """The same design with R at φ where none is asked for; φ stays free."""
        if not len(phi):
            return self
        other = replace(self, residual=self.residual.settle(phi))
        vars(other)["moving"] = replace(self.moving, residual=other.residual)  # the plan holds at any φ
        return other

    @cached_property
    def begun(self) -> "Design":
        """The same design with R at the φ that it begins with, where it has none yet."""
        return self if self.residual.settled is not None else self.at_phi(self.residual.start)

    def with_blocks(self, blocks: Iterable[Block]) -> "Design":
        """The same design with another random part."""
        return replace(self, random=RandomPart.of(blocks, self.residual))

    @property
    def blocks(self) -> tuple[Block, ...]:
        """Grouping factors in formula order."""
        return self.random.blocks

    @property
    def covariance(self) -> CovarianceMap:
        """θ ↔ relative factors ↔ natural parameters."""
        return self.random.covariance

    @cached_property
    def coordinates(self) -> Coordinates:
        """x = (θ, φ), all variance parameters but σ."""
        return Coordinates(self.covariance, self.residual)

    @property
    def y(self) -> Array:
        """(n,) response as given; the offset isn't taken off."""
        return self.observed.y

    @property
    def offset(self) -> Array:
        """(n,) zeros if none."""
        return self.observed.offset

    @property
    def X(self) -> Array:
        """(n, p) of full column rank."""
        return self.observed.X

    @property
    def rows(self) -> Codes:
        """(n,) positions in the user's data of the rows kept."""
        return self.observed.rows

    @property
    def index(self) -> pd.Index:
        """(n,) the user's labels of the rows."""
        return pd.Index(self.rows) if self.labels is None else self.labels[self.rows]

    @property
    def n(self) -> int:
        return self.observed.n

    @property
    def p(self) -> int:
        return len(self.coefs)

    @property
    def q(self) -> int:
        """Number of random effects."""
        return sum(block.q for block in self.blocks)

    @property
    def n_theta(self) -> int:
        return self.covariance.n_theta

    @property
    def orthonormal_columns(self) -> Array:
        """Q (n, p), an orthonormal basis of the whitened columns of X: R^{-½}X R_X⁻¹."""
        return np.linalg.solve(self.kernel.R_X.T, self.residual.whiten(self.X).T).T

    @property
    def in_memory(self) -> bool:
        """Are the rows here? If not whatever needs all of them raises."""
        return self.observed.in_memory

    def chunks(self) -> "Iterator[Design]":
        """The rows in turn, as designs in memory."""
        return self.observed.chunks(self)

    @cached_property
    def kernel(self) -> "Kernel":
        """The numbers of this design in the shape the engines compute with."""
        return self.observed.kernel(self)

    @cached_property
    def moving(self) -> "Moving":
        """The same at any φ."""
        return self.observed.moving(self)

    @cached_property
    def scales(self) -> Scales:
        """Means and standard deviations of the columns."""
        return self.observed.scales(self)

    @property
    def Z(self) -> "csr_array":
        """(n, q) sparse: block by block, level by level, coef fastest."""
        return self.random.Z if self.blocks else self._no_effects

    @property
    def independent_Z(self) -> "csr_array":
        """Z(L ⊗ I), (n, q) sparse: of effects that are independent between levels; Z where no K is known."""
        return self.random.independent_Z if self.blocks else self._no_effects

    @property
    def _no_effects(self) -> "csr_array":
        from scipy.sparse import csr_array

        return csr_array((self.n, 0))

    def terms(self) -> "dict[str, csr_array]":
        """Z by grouping factor, for people to look at."""
        return {
            block.group: block_matrix(block.codes, block.columns, block.n_levels) for block in self.blocks
        }

    def to_frame(self) -> pd.DataFrame:
        """One row a part of the model: what it is of, its columns, how many levels and parameters it has."""
        fixed = ("fixed", "", ", ".join(self.coefs), 1, self.p)
        random = [
            ("random", block.group, ", ".join(block.coefs), block.n_levels, block.n_params)
            for block in self.blocks
        ]
        residual = ("residual", "", self.residual.description, self.n, self.residual.n_phi)
        columns = ["part", "group", "columns", "n_levels", "n_params"]
        return pd.DataFrame([fixed, *random, residual], columns=columns)

    @property
    def _sentence(self) -> str:
        missing = f", {self.n_missing} dropped for missing values" if self.n_missing else ""
        return f"Design of {self.response}: {self.n} rows{missing}"

    def _repr_html_(self) -> str:
        return paragraph(self._sentence, strong=True) + html_table(self.to_frame().set_index("part"))

    def __getstate__(self) -> dict[str, Any]:
        # what is cached can be had again
        return {field.name: getattr(self, field.name) for field in fields(self)}
