"""The report: a page of sections, each a file in `sections`, with Markdown and a LaTeX table beside it."""
