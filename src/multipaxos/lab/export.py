"""
A run as one HTML file: the whole viewer, with this run in it, for a disk without any server.

The page's modules are put one behind the other, each after those that it imports, in one script.
That works because they keep some rules, which :func:`bundle` checks: imports stand at the top, name
what they take and rename nothing, and no name is given twice at the top of any two modules.
"""

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from importlib.resources import files
from typing import NamedTuple

from multipaxos.lab.run import Run

IMPORT = re.compile(r'^import\s*\{([^}]*)\}\s*from\s*"\./([\w-]+\.js)";\s*\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const|let)\b)", re.MULTILINE)
GIVEN = re.compile(r"^(?:export )?(?:async )?(?:function\*?|class|const|let)\s+(\w+)", re.MULTILINE)
EXPORTED = re.compile(r"^export (?:async )?(?:function\*?|class|const|let)\s+(\w+)", re.MULTILINE)
STYLESHEET = re.compile(r'<link rel="stylesheet" href="/static/([\w-]+\.css)"\s*/?>\s*')
MODULE = re.compile(r'<script type="module" src="/static/([\w-]+\.js)"></script>\s*')


class PageError(Exception):
    """The page's files do not keep the rules that let them be put into one."""


class Frame(NamedTuple):
    """The HTML file without a run in it: what stands *before* the run's JSON, and *after* it."""

    before: str
    after: str


def page_of(run: Run) -> str:
    """Return the HTML file that shows *run*."""
    # Within a script element only "</" could end it, and "<!--" could hide its end: no "<" is left.
    data = json.dumps(run, separators=(",", ":")).replace("<", "\\u003c")
    before, after = frame()
    return f"{before}{data}{after}"


def frame() -> Frame:
    """Return the HTML file into which a run is put. Raises PageError."""
    page = _read("index.html")
    styles = "\n".join(_read(name) for name in STYLESHEET.findall(page))
    if "</style" in styles.lower():
        raise PageError("a stylesheet holds what would end the styles in a page")
    entries: list[str] = MODULE.findall(page)
    if len(entries) != 1:
        raise PageError(f"index.html has {len(entries)} modules to begin with, and needs one")
    script = bundle(entries[0])
    page = MODULE.sub("", STYLESHEET.sub("", page))
    head = (
        f'<meta http-equiv="Content-Security-Policy" content="{_policy(styles, script)}">\n'
        f"<style>{styles}</style>\n"
    )
    opening, closing = '<script type="application/json" id="run">', "</script>"
    page = _insert(page, head, before="</head>")
    page = _insert(page, f"{opening}{closing}\n<script>{script}</script>\n", before="</body>")
    before, _, after = page.partition(opening)
    return Frame(before=before + opening, after=after)


def bundle(entry: str) -> str:
    """Return the module *entry*, and all that it imports, as one script. Raises PageError."""
    parts: list[str] = []
    givers: dict[str, str] = {}
    for name in _in_order(entry):
        source = _read(name)
        for given in GIVEN.findall(source):
            if given in givers:
                raise PageError(f"{given} is given by both {givers[given]} and {name}")
            givers[given] = name
        _check_imports(name, source)
        part = EXPORT.sub("", IMPORT.sub("", source))
        if re.search(r"^(import|export)\b", part, re.MULTILINE) or "import(" in part:
            raise PageError(f"{name} imports or exports in a form that cannot be put into one file")
        parts.append(part)
    script = '"use strict";\n(() => {\n' + "\n".join(parts) + "\n})();\n"
    if "</script" in script.lower() or "<!--" in script:
        raise PageError("a module holds what would end or hide the script in a page")
    return script


def _check_imports(name: str, source: str) -> None:
    """Raise PageError unless all that *source* imports is given, under that very name."""
    for imported, module in IMPORT.findall(source):
        exported = set(EXPORTED.findall(_read(module)))
        for wanted in filter(None, map(str.strip, imported.split(","))):
            if wanted not in exported:
                raise PageError(f"{name} imports {wanted}, and {module} exports no such name")


def _in_order(entry: str) -> Iterator[str]:
    """Yield the modules that *entry* needs, each after those that it imports."""
    done: dict[str, bool] = {}

    def visit(name: str) -> Iterator[str]:
        if name in done:
            if not done[name]:
                raise PageError(f"{name} imports itself, by way of others")
            return
        done[name] = False
        for _, imported in IMPORT.findall(_read(name)):
            yield from visit(imported)
        done[name] = True
        yield name

    return visit(entry)


def _policy(styles: str, script: str) -> str:
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {_hash(script)}",
            f"style-src {_hash(styles)}",
            "img-src data: blob:",
            "form-action 'none'",
            "base-uri 'none'",
        )
    )


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _insert(page: str, text: str, *, before: str) -> str:
    if page.count(before) != 1:
        raise PageError(f"index.html needs one {before}")
    return page.replace(before, text + before)


def _read(name: str) -> str:
    return files("multipaxos.lab").joinpath("static", name).read_text(encoding="utf-8")
