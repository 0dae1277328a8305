"""Packaged data sets with their provenance, and the reader of the user's own tables."""

from .catalogue import list_datasets, load_dataset
from .source import Source
from .tables import TextFormat, read_table

__all__ = ["Source", "TextFormat", "list_datasets", "load_dataset", "read_table"]
