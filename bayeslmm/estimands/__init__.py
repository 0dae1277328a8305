"""What is estimated, by name: labels, tables of estimates, linear combinations of beta and b."""
