"""The Bayesian engine: PyMC graphs, samplers, recovered effects.

Options, run, frozen result, estimates, checks.
"""
