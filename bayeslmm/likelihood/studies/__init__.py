"""Studies of a design: data simulated from a truth, fitted and asked."""
