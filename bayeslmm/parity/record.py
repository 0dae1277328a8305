"""The manifest of a comparison, gathered from its results."""

from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from bayeslmm.parity.sides import Side, Sides, fingerprint
from bayeslmm.parity.verdicts.evidence import VerdictOptions
from bayeslmm.runs.manifest import Manifest, data_hash

if TYPE_CHECKING:
    from bayeslmm.spec.design import Design


def manifest_of(
    sides: Sides, prob: float, options: VerdictOptions, record: Mapping[str, Any] = MappingProxyType({})
) -> Manifest:
    """Gather formula, data hash, seeds and options of everything compared; `record` is added to these."""
    design = sides.find("design")
    roles = {"fit": sides.fit, "bootstrap": sides.bootstrap, "posterior": sides.posterior}
    asked = {role: _options(side) for role, side in roles.items() if side is not None}
    seeds = {
        role: _seed(side) for role, side in roles.items() if side is not None and _seed(side) is not None
    }
    return Manifest(
        formula=str(sides.find("formula") or ""),
        data_hash=hash_of(design) if design is not None else "",
        seeds=seeds,
        options={"prob": prob, **asked, "verdicts": asdict(options), **record},
    )


def hash_of(design: "Design") -> str:
    """Of everything that results of a design rest on."""
    return data_hash(fingerprint(design))


def _seed(side: Side) -> Any:
    """The seed used, also where none was asked for."""
    return getattr(side.result, "seed", _options(side).get("seed"))


def _options(side: Side) -> dict[str, Any]:
    given = getattr(side.result, "options", None)
    if is_dataclass(given) and not isinstance(given, type):
        return asdict(given)
    asked = {name: getattr(side.result, name, None) for name in ("kind", "n")}
    return {name: value for name, value in asked.items() if value is not None}
