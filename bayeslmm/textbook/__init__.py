"""The lectures' closed forms: what a linear mixed model is where a formula says it all.

No engine is called inside a closed form, so each is a witness of the engines. In the order of a course:

- the one-way random model: `one_way`, its `matrices` and `patterned` blocks; `expected_mean_squares`;
  `law_of_SSA`, `law_of_SSE`, `f_test_power`; `anova_estimates`, `ml_estimates`, `reml_estimates`, `profile`,
  `icc_interval`;
- treatments in blocks: `two_way`, `randomized_blocks`;
- realized means: `realized_means`, `TwoWay.realized_cells`;
- y ~ N(Xβ, V): `generalized_least_squares`, `log_likelihood`, `restricted_log_likelihood`,
  `reml_is_of_contrasts`;
- prediction: `estimability`, `conditional_mean`, `blup_weights`, `least_mean_squared_error`; `henderson`;
- tests: F in the layouts, `variance_ratio_test`, `treatment_ratio_test`, `bootstrap_ratio_steps`;
- figures: `plot_power`, `plot_realized_means`, `plot_lines`, `plot_structure`;
- formulas as they are misprinted: `misprints`.
"""

from bayeslmm.textbook.bootstrap import BootstrapSteps, bootstrap_ratio_steps
from bayeslmm.textbook.components import (
    Components,
    Profiled,
    anova_estimates,
    icc_interval,
    ml_estimates,
    profile,
    reml_estimates,
)
from bayeslmm.textbook.estimability import Estimability, estimability
from bayeslmm.textbook.figures import plot_lines, plot_power, plot_realized_means, plot_structure
from bayeslmm.textbook.henderson import (
    Effects,
    MixedModel,
    blup,
    blup_is_the_joint_mode,
    henderson,
    henderson_is_blup,
    joint_log_density,
    joint_score,
    mixed_model,
    mixed_model_equations,
)
from bayeslmm.textbook.identity import Identity
from bayeslmm.textbook.laws import ChiSquares, f_test_power, law_of_SSA, law_of_SSE
from bayeslmm.textbook.lecture_notes import Misprint, misprints
from bayeslmm.textbook.linear import (
    LeastSquares,
    contrast_log_likelihood,
    error_contrasts,
    generalized_least_squares,
    log_likelihood,
    ml_bias,
    ml_bias_is_a_trace,
    reml_is_of_contrasts,
    restricted_log_likelihood,
)
from bayeslmm.textbook.mean_squares import (
    ExpectedMeanSquares,
    expected_mean_squares,
    expected_quadratic_form,
    quadratic_forms,
)
from bayeslmm.textbook.one_way import DesignMatrices, OneWay, one_way
from bayeslmm.textbook.patterned import patterned, patterned_determinant, patterned_inverse
from bayeslmm.textbook.prediction import (
    blup_weights,
    conditional_covariance,
    conditional_mean,
    least_mean_squared_error,
    mean_squared_error,
)
from bayeslmm.textbook.ratio_tests import (
    ActualLevel,
    TreatmentRatioTest,
    VarianceRatioTest,
    treatment_ratio_test,
    variance_ratio_level,
    variance_ratio_test,
)
from bayeslmm.textbook.realized import RealizedMeans, realized_means
from bayeslmm.textbook.two_way import BlockComponents, TwoWay, randomized_blocks, two_way

__all__ = [
    "ActualLevel",
    "BlockComponents",
    "BootstrapSteps",
    "ChiSquares",
    "Components",
    "DesignMatrices",
    "Effects",
    "Estimability",
    "ExpectedMeanSquares",
    "Identity",
    "LeastSquares",
    "Misprint",
    "MixedModel",
    "OneWay",
    "Profiled",
    "RealizedMeans",
    "TreatmentRatioTest",
    "TwoWay",
    "VarianceRatioTest",
    "anova_estimates",
    "blup",
    "blup_is_the_joint_mode",
    "blup_weights",
    "bootstrap_ratio_steps",
    "conditional_covariance",
    "conditional_mean",
    "contrast_log_likelihood",
    "error_contrasts",
    "estimability",
    "expected_mean_squares",
    "expected_quadratic_form",
    "f_test_power",
    "generalized_least_squares",
    "henderson",
    "henderson_is_blup",
    "icc_interval",
    "joint_log_density",
    "joint_score",
    "law_of_SSA",
    "law_of_SSE",
    "least_mean_squared_error",
    "log_likelihood",
    "mean_squared_error",
    "misprints",
    "mixed_model",
    "mixed_model_equations",
    "ml_bias",
    "ml_bias_is_a_trace",
    "ml_estimates",
    "one_way",
    "patterned",
    "patterned_determinant",
    "patterned_inverse",
    "plot_lines",
    "plot_power",
    "plot_realized_means",
    "plot_structure",
    "profile",
    "quadratic_forms",
    "randomized_blocks",
    "realized_means",
    "reml_estimates",
    "reml_is_of_contrasts",
    "restricted_log_likelihood",
    "treatment_ratio_test",
    "two_way",
    "variance_ratio_level",
    "variance_ratio_test",
]
