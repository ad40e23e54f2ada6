"""The documents and their code blocks, as the tests need them."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_FENCE = re.compile(r"(?P<ticks>```+)(?P<info>.*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """
    One fenced block of *document*, its *text* without the fences, starting at *line*.

    *kind* is the whole info string: the language, and a word that says how the block is checked.
    """

    document: str
    line: int
    kind: str
    text: str

    @property
    def place(self) -> str:
        """Where the block stands, for messages and test names."""
        return f"{self.document}:{self.line}"


def documents() -> list[str]:
    """Return the paths of all documents, relative to the root."""
    at_root = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md")
    packages = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("packaging/*/README.md"))
    below_docs = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md"))
    return [*at_root, *packages, *below_docs]


def read(document: str) -> str:
    """Return the text of *document*."""
    return (ROOT / document).read_text(encoding="utf-8")


def blocks_in(document: str) -> list[Block]:
    """Return the fenced blocks of *document*, in their order."""
    return _blocks(document, read(document))


def all_blocks() -> list[Block]:
    """Return the fenced blocks of all documents."""
    return [block for document in documents() for block in blocks_in(document)]


def prose_of(document: str) -> list[tuple[int, str]]:
    """Return the numbered lines of *document* that are in no block, the fences left out too."""
    lines = list(enumerate(read(document).splitlines(), start=1))
    for block in blocks_in(document):
        end = block.line + len(block.text.splitlines()) + 1
        lines = [(number, line) for number, line in lines if not block.line <= number <= end]
    return lines


def rewrite(block: Block, text: str) -> None:
    """Put *text* in place of what *block* shows, in its document."""
    path = ROOT / block.document
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    first, last = block.line, block.line + len(block.text.splitlines())
    assert "".join(lines[first:last]) == block.text, f"{block.place} has moved: run this again"
    path.write_text("".join([*lines[:first], text, *lines[last:]]), encoding="utf-8")


def section(document: str, heading: str) -> str:
    """Return what stands below *heading* in *document*, up to the next one of its rank or above."""
    rank = len(heading) - len(heading.lstrip("#"))
    _, found, rest = read(document).partition(f"\n{heading}\n")
    assert found, f"{document} has no heading {heading!r}"
    return re.split(rf"^#{{1,{rank}}} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def _blocks(document: str, text: str) -> list[Block]:
    blocks: list[Block] = []
    opened: tuple[int, str, str] | None = None
    inside: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        fence = _FENCE.fullmatch(line.strip())
        if opened is None and fence:
            opened, inside = (number, fence["ticks"], fence["info"].strip()), []
        elif opened is not None and line.strip() == opened[1]:
            content = "\n".join(inside) + "\n"
            blocks.append(Block(document=document, line=opened[0], kind=opened[2], text=content))
            opened = None
        else:
            inside.append(line)
    assert opened is None, f"{document}: a block is never closed: {opened}"
    return blocks
