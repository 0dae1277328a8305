"""What a fit says of its own rows: what each moves, what is left over, and whether that looks right."""
