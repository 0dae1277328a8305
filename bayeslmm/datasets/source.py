"""Where rows come from, as a command line or a manifest says: a file, standard input, a packaged data set."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from bayeslmm.datasets.catalogue import load_dataset
from bayeslmm.datasets.tables import TextFormat, read_table
from bayeslmm.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

STDIN = "-"


@dataclass(frozen=True, slots=True)
class Source:
    """A place and how the text there is written.

    Attributes
    ----------
    place : path of a file, "-" for standard input, or the name of a packaged data set. written : of text.
    """

    place: str
    written: TextFormat = field(default_factory=TextFormat)

    def read(self) -> "pd.DataFrame":
        """The rows.

        Raises
        ------
        DataError
            When nothing is there, or it can't be read as a table.
        """
        path = Path(self.place)
        if self.place == STDIN or path.suffix or path.exists():
            return read_table(self.place, self.written)
        return load_dataset(self.place)

    def stated(self) -> dict[str, Any]:
        """As plain values; nothing for standard input, which can't be read again."""
        return {} if self.place == STDIN else {"place": self.place, **asdict(self.written)}

    @classmethod
    def of(cls, stated: Mapping[str, Any]) -> Self:
        """What `stated` gave.

        Raises
        ------
        DataError
            For anything else.
        """
        found = dict(stated)
        try:
            place, na = found.pop("place"), tuple(found.pop("na"))
            return cls(str(place), TextFormat(na, **{str(name): value for name, value in found.items()}))
        except (KeyError, TypeError) as error:
            raise DataError(f"where the rows were can't be read: {error}; give them as data") from None
