"""Random effects given the data: means, variances and exact draws."""
