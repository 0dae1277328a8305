"""The priors of the correlations come in."""

from bayeslmm.parity.ladder.rungs.prior_rung import PriorRung


class PriorsOfCor(PriorRung):
    """After those of the standard deviations."""

    name = cause = "priors of cor"
    place = 60
    of = "cor"
