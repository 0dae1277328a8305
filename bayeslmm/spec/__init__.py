"""What is estimated: formula, design, covariance structures and priors. Knows no engine."""
