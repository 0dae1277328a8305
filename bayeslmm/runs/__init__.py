"""Runs and their records: what was done with which versions, seeds and data; knows no statistics."""
