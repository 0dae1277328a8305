import pytest

from bayeslmm.errors import OptionError
from bayeslmm.posterior.options import SampleOptions


@pytest.mark.parametrize("name", ["draws", "tune", "chains", "cores"])
@pytest.mark.parametrize("value", [0, -1, 2.5, "many"])
def test_counts_are_whole_and_positive(name, value):
    with pytest.raises(OptionError, match=f"{name} is a whole number"):
        SampleOptions(**{name: value})


def test_a_misspelt_method_names_the_choices():
    with pytest.raises(OptionError, match=r"did you mean 'marginal'\?.*'importance'"):
        SampleOptions(method="margnal")


def test_acceptance_is_a_probability():
    with pytest.raises(OptionError, match="target_accept"):
        SampleOptions(target_accept=1.2)


def test_exact_weights_are_of_importance_sampling():
    assert SampleOptions(exact=True).exact
    with pytest.raises(OptionError, match="method='importance'"):
        SampleOptions(exact=True, method="marginal")


def test_only_the_explicit_graph_is_centred():
    with pytest.raises(OptionError, match="method='explicit'"):
        SampleOptions(centred=True)
