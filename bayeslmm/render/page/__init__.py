"""A page of sections made of a few kinds of blocks, as HTML and as Markdown; its tables as LaTeX, too."""
