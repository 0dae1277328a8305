"""A table of a page as LaTeX, for papers: `\\input` it; it needs the packages booktabs and longtable."""

from bayeslmm.markup import latex
from bayeslmm.render.page.blocks import Table


def to_latex(table: Table, caption: str) -> str:
    """The table as text: a longtable, so that it may go over pages."""
    head = " & ".join(map(latex, table.columns))
    rows = [" & ".join(latex(cell.text) for cell in row) + r" \\" for row in table.rows]
    columns = "l" + "r" * (len(table.columns) - 1)
    lines = [
        "% needs \\usepackage{booktabs,longtable}",
        f"\\begin{{longtable}}{{{columns}}}",
        f"\\caption{{{latex(caption)}}}\\\\",
        "\\toprule",
        f"{head} \\\\",
        "\\midrule\\endhead",
        *rows,
        "\\bottomrule",
        "\\end{longtable}",
    ]
    return "\n".join(lines) + "\n"
