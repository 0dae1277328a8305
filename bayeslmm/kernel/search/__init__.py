"""Where a search begins, how it goes on, and many of them."""
