"""The prior of the residual standard deviation comes in."""

from bayeslmm.parity.ladder.rungs.prior_rung import PriorRung


class PriorOfSigma(PriorRung):
    """After those of the random effects."""

    name = cause = "prior of sigma"
    place = 70
    of = "sigma"
