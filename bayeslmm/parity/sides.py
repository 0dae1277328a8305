"""Who is who among the results: the fit, its bootstrap and the posterior, whatever their order."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from inspect import signature
from typing import TYPE_CHECKING, Any

from bayeslmm.errors import InputError
from bayeslmm.estimands.table import EstimateTable
from bayeslmm.parity.foreign import is_tree, tree_estimates
from bayeslmm.parity.usual_names import usual_names
from bayeslmm.runs.manifest import data_hash

if TYPE_CHECKING:
    from bayeslmm.spec.block import Block
    from bayeslmm.spec.design import Design

ROLES = {"REML": "fit", "ML": "fit", "bootstrap": "bootstrap", "posterior": "posterior"}


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One engine's result (or a bare table) and its estimates."""

    result: Any
    table: EstimateTable

    @property
    def design(self) -> "Design | None":
        """The design the result belongs to, if it has one."""
        return getattr(self.result, "design", None)


@dataclass(frozen=True, slots=True, eq=False)
class Sides:
    """The results by role; None where one is missing."""

    fit: Side | None = None
    bootstrap: Side | None = None
    posterior: Side | None = None

    @property
    def likelihood(self) -> tuple[EstimateTable, ...]:
        """Tables of the likelihood side, the fit's first."""
        return tuple(side.table for side in (self.fit, self.bootstrap) if side)

    def present(self) -> Iterator[Side]:
        """Go through the sides that were given."""
        return (side for side in (self.fit, self.bootstrap, self.posterior) if side)

    def find(self, attribute: str) -> Any:
        """Look for an attribute on any of the results; None if nobody has it."""
        found = (getattr(side.result, attribute, None) for side in self.present())
        return next((value for value in found if value is not None), None)


def recognise(results: tuple[Any, ...], names: Mapping[str, str] | None, prob: float) -> Sides:
    """Sort results by the source of their estimates and see that they belong together.

    Raises
    ------
    InputError
        For no result, one that gives no estimates, two of the same role, intervals of another probability,
        or results of different data or models.
    """
    if not results:
        raise InputError("compare() got no results; give it a fit, a bootstrap, a posterior, or any of them")
    found: dict[str, Side] = {}
    sides_given = [Side(result, _estimates(result, prob).relabel(dict(names or {}))) for result in results]
    for side in _in_one_language(sides_given):
        role = ROLES.get(side.table.source, "fit")
        if role in found:
            raise InputError(
                f"compare() got two results of the kind {role!r}; it lays one beside the others. Several "
                "models or criteria stand beside each other in bl.side_by_side(...) and bl.select(...)"
            )
        found[role] = side
    sides = Sides(**found)
    _check_same_model(sides)
    return sides


def _in_one_language(sides: list[Side]) -> list[Side]:
    """The sides, labels of those sampled elsewhere by the names that the others have.

    Raises
    ------
    InputError
        Where none of its labels means one of theirs.
    """
    ours = [label for side in sides if not is_tree(side.result) for label in side.table.frame.index]
    return [_renamed(side, ours) if is_tree(side.result) and ours else side for side in sides]


def _renamed(side: Side, ours: list[str]) -> Side:
    table = side.table
    names = usual_names((label for label in table.frame.index if label not in ours), ours)
    renamed = table.relabel(dict(names))
    if not set(renamed.frame.index) & set(ours):
        first, theirs = table.frame.index[0], ", ".join(map(str, table.frame.index[:5]))
        raise InputError(
            f"no variable of this DataTree has a usual name of a parameter: it has {theirs}, ... and the "
            f"model {', '.join(ours[:5])}, ...; say which is which: names={{{first!r}: {ours[0]!r}}}"
        )
    return replace(side, table=renamed)


def fingerprint(design: "Design") -> dict[str, str]:
    """Hashes of what a result rests on: the response, and the model around it."""
    model: dict[str, Any] = {"X": design.X, "offset": design.offset, **design.residual.shown}
    model["residual"] = [design.residual.keyword, str(design.residual.sigma)]
    for block in design.blocks:
        bars = [f"{structure.keyword} {structure.k}" for structure in block.structures]
        model |= {f"codes {block.group}": block.codes, f"columns {block.group}": block.columns}
        model |= {f"structures {block.group}": bars, f"known {block.group}": _known_or_none(block)}
    return {"data": data_hash({"y": design.y}), "models": data_hash(model)}


def _known_or_none(block: "Block") -> Any:
    """The known covariance between levels, as its factor."""
    return "none" if block.known is None else block.known


def _estimates(result: Any, prob: float) -> EstimateTable:
    if is_tree(result):
        return tree_estimates(result, prob)
    if not isinstance(result, EstimateTable):
        if not hasattr(result, "estimates"):
            kind = type(result).__name__
            raise InputError(
                f"compare() takes fits, bootstraps, posteriors, DataTrees and estimate tables, not a {kind}"
            )
        return _ask(result, prob)
    if abs(result.prob - prob) > 1e-12:
        raise InputError(f"a table has {result.prob:g} intervals, compare(prob={prob:g}) asks for others")
    return result


def _ask(result: Any, prob: float) -> EstimateTable:
    """Ask for everything a result has; not every engine has random effects to offer."""
    offered = signature(result.estimates).parameters
    table: EstimateTable = result.estimates(prob=prob, **({"ranef": True} if "ranef" in offered else {}))
    return table


def _check_same_model(sides: Sides) -> None:
    prints = [fingerprint(side.design) for side in sides.present() if side.design is not None]
    for what in ("data", "models"):
        if len({each[what] for each in prints}) > 1:
            raise InputError(
                f"the results come from different {what}; compare() lays two engines beside each other, "
                "so fit and sample the same LinearMixedModel"
            )
