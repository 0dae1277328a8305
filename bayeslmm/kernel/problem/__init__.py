"""One problem: from rows to cross-products, packed so that compiled code needs nothing else."""
