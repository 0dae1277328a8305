"""The priors of the standard deviations come in."""

from bayeslmm.parity.ladder.rungs.prior_rung import PriorRung


class PriorsOfSd(PriorRung):
    """After that of β."""

    name = cause = "priors of sd"
    place = 50
    of = "sd"
