"""The priors of the residual's own parameters come in."""

from bayeslmm.parity.ladder.rungs.prior_rung import PriorRung


class PriorsOfPhi(PriorRung):
    """Last, so that all priors are in."""

    name = cause = "priors of phi"
    place = 80
    of = "phi"
