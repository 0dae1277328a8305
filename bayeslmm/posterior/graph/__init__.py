"""PyMC graphs of a model: the marginal one, the explicit one, and what the explicit one integrates to."""
