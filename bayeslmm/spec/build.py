"""A specification and data → design and recipe: in memory, or in chunks where the data are read that way."""

from typing import Any

from bayeslmm.datasets.tables import names_text_table, read_table

from .checks import as_frame
from .in_memory import Built, build_in_memory
from .model_spec import ModelSpec
from .streaming.source import source_of


def opened(data: Any) -> Any:
    """The rows of a table written as text, where data are its path; other data as they are.

    Raises
    ------
    DataError
        When it can't be read.
    """
    return read_table(data) if names_text_table(data) else data


def build(spec: ModelSpec, data: Any) -> Built:
    """The design a specification makes of data: a table, or a `Source` of one that is read in chunks.

    Raises
    ------
    DataError
        When the data can't carry the model.
    FormulaError
        When a term can't be evaluated.
    OptionError
        When a contrast is asked for what isn't a factor.

    Warns
    -----
    DesignWarning
        When columns of X are dropped because they depend on earlier ones.
    """
    source = source_of(data)
    if source is None:
        return build_in_memory(spec, as_frame(data))
    from .streaming.build import build_streamed

    return build_streamed(spec, source)
