"""A small page in place of the lab's own, and HTML files taken apart as a browser would."""

from html.parser import HTMLParser

import pytest
from typing_extensions import override

from multipaxos.lab import export

PAGE = """\
<!doctype html>
<html lang="en">
<head>
<title>small</title>
<link rel="stylesheet" href="/static/one.css">
<link rel="stylesheet" href="/static/two.css">
<script type="module" src="/static/main.js"></script>
</head>
<body><h1>A run</h1></body>
</html>
"""
FILES = {
    "index.html": PAGE,
    "one.css": "h1 { color: red }",
    "two.css": "h1 { margin: 0 }",
    "main.js": 'import { a } from "./a.js";\nimport {\n  b,\n} from "./b.js";\nmainShow(a + b);\n'
    "function mainShow(n) { document.title = n; }\n",
    "a.js": 'import { b } from "./b.js";\nexport const a = b + 1;\n',
    "b.js": "export const b = 1;\nexport async function c() {}\nexport class D {}\n",
}


def use_pages(monkeypatch: pytest.MonkeyPatch, **changed: str | None) -> None:
    """Let the exported page be made of these files; ``a_js`` changes ``a.js``."""
    pages = FILES | {
        name.replace("_", "."): text for name, text in changed.items() if text is not None
    }
    monkeypatch.setattr(export, "_read", pages.__getitem__)


class Parsed(HTMLParser):
    """
    A page as a browser reads it.

    State: the *scripts* in it, each with its attributes and text; its *styles*; what it *fetches*
    from elsewhere; its *policy*.
    """

    def __init__(self, page: str) -> None:
        """Read *page*."""
        super().__init__()
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.styles: list[str] = []
        self.fetched: list[str] = []
        self.policy = ""
        self.frames: list[dict[str, str | None]] = []
        self._within = ""
        self.feed(page)
        self.close()

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self._within = tag
        if tag == "script":
            self.scripts.append((values, ""))
        elif tag == "style":
            self.styles.append("")
        elif tag == "iframe":
            self.frames.append(values)
        elif values.get("http-equiv") == "Content-Security-Policy":
            self.policy = values["content"] or ""
        for name in ("src", "href"):
            address = values.get(name) or ""
            if not address.startswith(("#", "data:")) and address:
                self.fetched.append(address)

    @override
    def handle_endtag(self, tag: str) -> None:
        self._within = ""

    @override
    def handle_data(self, data: str) -> None:
        if self._within == "script":
            attributes, text = self.scripts.pop()
            self.scripts.append((attributes, text + data))
        elif self._within == "style":
            self.styles[-1] += data
