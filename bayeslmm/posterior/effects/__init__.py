"""β and b given the other parameters: exact draws, and the densities of groups left out."""
