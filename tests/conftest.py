"""Laws have no deadline of wall time: a busy machine is no fault of theirs."""

from hypothesis import settings

settings.register_profile("without a clock", deadline=None)
settings.load_profile("without a clock")
