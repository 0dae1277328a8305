"""Which interval to trust for one design: data simulated from a truth, every method on each of them."""
