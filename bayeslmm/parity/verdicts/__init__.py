"""Verdicts on one estimand: a class each, in the order of precedence of ``precedence.py``."""
