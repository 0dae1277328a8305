"""Tests and intervals: degrees of freedom, analysis of variance, comparisons, profiles."""
