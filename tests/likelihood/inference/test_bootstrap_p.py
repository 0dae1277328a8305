"""The bootstrap's p-value beside the others in the table of random terms."""

import pytest

import bayeslmm as bl
from bayeslmm.errors import OptionError

P_VALUES = ["p", "p_boundary", "p_exact", "p_bootstrap"]


@pytest.mark.slow
def test_p_values_stand_side_by_side() -> None:
    """One variance in a balanced layout: bootstrap and exact distribution differ by their noise only."""
    fit = bl.LinearMixedModel("Yield ~ 1 + (1 | Batch)", bl.load_dataset("Dyestuff")).fit()
    row = fit.ranova(exact=True, bootstrap=4000, seed=1).iloc[1]
    assert row[P_VALUES].notna().all()
    noise = (row["p_exact"] / 4000) ** 0.5
    assert abs(row["p_bootstrap"] - row["p_exact"]) < 4 * noise + 1 / 4000
    assert row["p"] == pytest.approx(2 * row["p_boundary"])


@pytest.mark.filterwarnings("ignore::bayeslmm.errors.SingularFitWarning")
def test_no_improvement_is_no_evidence() -> None:
    fit = bl.LinearMixedModel("Yield ~ 1 + (1 | Batch)", bl.load_dataset("Dyestuff2")).fit()
    assert fit.ranova(bootstrap=50, seed=1)["p_bootstrap"].iloc[1] == 1.0


def test_a_negative_count_is_refused() -> None:
    fit = bl.LinearMixedModel("Yield ~ 1 + (1 | Batch)", bl.load_dataset("Dyestuff")).fit()
    with pytest.raises(OptionError, match="bootstrap is -1"):
        fit.ranova(bootstrap=-1)
