"""What is said of draws: the DataTree, estimates by label, checks."""
