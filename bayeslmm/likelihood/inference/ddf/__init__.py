"""Denominator degrees of freedom: one way to approximate them a file."""
