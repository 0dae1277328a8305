"""Roots of a correlation matrix that joins the rows of residual groups, by the cost of whitening."""

from .base import Joined, Root
from .chain import Chain
from .exchangeable import Exchangeable
from .patterns import Patterns

__all__ = ["Chain", "Exchangeable", "Joined", "Patterns", "Root"]
