"""What a run was: enough to do it again and to see what changed."""

import hashlib
import json
import platform
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from bayeslmm.errors import OptionError

PACKAGES = (
    "bayeslmm",
    "numpy",
    "scipy",
    "pandas",
    "formulaic",
    "numba",
    "pymc",
    "pytensor",
    "nutpie",
    "arviz",
)


@dataclass(frozen=True, slots=True)
class Manifest:
    """The record of one run.

    Attributes
    ----------
    formula : str
    data_hash : str
        ``sha256`` over the columns used, see ``data_hash``.
    seeds : dict
        Seed by step, e.g. ``{"bootstrap": 1, "posterior": 1}``.
    options : dict
        What was asked for, as plain values.
    versions : dict
        Version by package; packages that are not installed are left out.
    python, platform : str
    created : str
        UTC time, ISO 8601.
    """

    formula: str
    data_hash: str
    seeds: Mapping[str, int | None] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=lambda: package_versions())
    python: str = field(default_factory=platform.python_version)
    platform: str = field(default_factory=platform.platform)
    created: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    def to_dict(self) -> dict[str, Any]:
        """Give the record as plain values that JSON can hold."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self), default=_plain))
        return plain

    def to_json(self, indent: int | None = 2) -> str:
        """Write the record as JSON."""
        return json.dumps(self.to_dict(), indent=indent, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what ``to_json`` wrote, as data: its fields, all of them, of their types.

        Raises
        ------
        OptionError
            For anything else.
        """
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise OptionError(f"this isn't a manifest: {error}") from None
        _check_fields(found, [each.name for each in fields(cls)])
        return cls(**found)


def _check_fields(found: Any, names: list[str]) -> None:
    if not isinstance(found, dict) or set(found) != set(names):
        raise OptionError(f"this isn't a manifest, which has the fields {', '.join(names)}")
    for name, value in found.items():
        if not _has_type(name, value):
            raise OptionError(f"this isn't a manifest: its {name} is {str(value)[:80]!r}")


def _has_type(name: str, value: Any) -> bool:
    """Text, but seeds are whole numbers by name, versions texts by name, options plain values by name."""
    if name not in ("seeds", "versions", "options"):
        return isinstance(value, str)
    if not isinstance(value, dict):
        return False
    if name == "versions":
        return all(isinstance(each, str) for each in value.values())
    return name == "options" or all(map(_is_seed, value.values()))


def _is_seed(value: Any) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0)


def package_versions(names: Iterable[str] = PACKAGES) -> dict[str, str]:
    """Versions of the installed ones among these packages."""
    found = {name: _version(name) for name in names}
    return {name: each for name, each in found.items() if each is not None}


@cache
def _version(name: str) -> str | None:
    """As this process began with it."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def data_hash(columns: Mapping[str, ArrayLike]) -> str:
    """Hash named columns; the same for the same values on any machine and in any order of columns.

    Numbers count by their value (an integer column equals its float twin), everything else by its text.

    Parameters
    ----------
    columns : mapping of name to array_like
        Arrays of any shape; the shape counts.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for name in sorted(columns):
        for part in (name.encode(), *_column_bytes(columns[name])):
            digest.update(len(part).to_bytes(8, "little") + part)
    return digest.hexdigest()


def _column_bytes(column: ArrayLike) -> tuple[bytes, ...]:
    values = np.asarray(column)
    shape = repr(values.shape).encode()
    if values.dtype.kind in "biuf":
        numbers = values.astype("<f8") + 0.0  # one zero, not two
        return b"number", shape, numbers.tobytes()
    texts = np.asarray(column, dtype=object).ravel()  # fixed-width text would lose trailing NULs
    return b"text", shape, *(str(value).encode() for value in texts)


def _plain(value: object) -> object:
    return value.tolist() if isinstance(value, np.generic | np.ndarray) else str(value)
