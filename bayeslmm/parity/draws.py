"""Posterior and bootstrap draws by label."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayeslmm.spec.labels import SIGMA, beta_labels, cor_labels, cor_labels_of, sd_labels, sd_labels_of

if TYPE_CHECKING:
    from bayeslmm.spec.design import Design


def posterior_draws(data: Any, design: "Design") -> pd.DataFrame:
    """Draws of beta, sd, cor and sigma, chains one after the other.

    Parameters
    ----------
    data : DataTree
        With a group ``posterior`` holding ``beta``, ``sd_<group>``, ``cor_<group>``, ``sigma``.
    design : Design

    Returns
    -------
    DataFrame, shape (chains * draws, parameters), columns are labels
        Parameters that were not sampled (a known sigma) are left out.
    """
    from bayeslmm.posterior.names import cor_name, sd_name

    groups = list(enumerate(block.group for block in design.blocks))
    variables = {
        "beta": beta_labels(design),
        **{sd_name(group): sd_labels_of(design, number) for number, group in groups},
        **{cor_name(group): cor_labels_of(design, number) for number, group in groups},
        "sigma": (SIGMA,),
    }
    posterior = data["posterior"]
    parts = [_flat(posterior[name], labels) for name, labels in variables.items() if name in posterior]
    order = [*beta_labels(design), *sd_labels(design), *cor_labels(design), SIGMA]
    frame = pd.concat(parts, axis=1)
    return frame[[label for label in order if label in frame]]


def _flat(variable: Any, labels: tuple[str, ...]) -> pd.DataFrame:
    return pd.DataFrame(np.asarray(variable).reshape(-1, len(labels)), columns=list(labels))
