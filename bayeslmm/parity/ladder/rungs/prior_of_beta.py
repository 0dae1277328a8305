"""The prior of the fixed effects comes in."""

from bayeslmm.parity.ladder.rungs.prior_rung import PriorRung


class PriorOfBeta(PriorRung):
    """Log posterior of ω with β integrated over its prior."""

    name = cause = "prior of beta"
    place = 40
    of = "beta"
