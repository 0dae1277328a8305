"""A page as Markdown: the same sections, without figures."""

from collections.abc import Iterator

from bayeslmm.markup import Cells, markdown, markdown_cells
from bayeslmm.render.page.blocks import Block, Code, Facts, Folded, Page, Sentences, Table, Text


def to_markdown(page: Page) -> str:
    """The page as text; what is folded is left out, for it is on the HTML page."""
    parts = [f"# {page.what}: {markdown(page.title)}"]
    for section in page.sections:
        body = [text for block in section.blocks for text in _written(block)]
        parts += [f"## {section.title}", *body] if body else []
    return "\n\n".join([*parts, markdown(page.written)]) + "\n"


def _written(block: Block) -> Iterator[str]:
    match block:
        case Text():
            yield markdown(block.text)
        case Facts():
            yield "\n".join(f"- {markdown(name)}: {markdown(value)}" for name, value in block.pairs)
        case Sentences():
            yield "\n".join(
                f"- {markdown(label)}: **{markdown(verdict.name)}**. {markdown(sentence)}"
                for label, verdict, sentence in block.rows
            )
        case Table():
            left = [place == 0 for place in range(len(block.columns))]
            rows = [[cell.text for cell in row] for row in block.rows]
            yield markdown_cells(Cells(list(block.columns), rows, left))
        case Code():
            fence = "```" if "```" not in block.text else "~~~~"
            yield f"{fence}{block.language}\n{block.text}\n{fence}"
        case Folded():
            yield from ()
