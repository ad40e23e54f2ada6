"""A run as one HTML file: whole, fetching nothing, running no script but the page's own."""

import json
import re
from base64 import b64encode
from hashlib import sha256
from typing import Any

import pytest
from tests.lab.pages import FILES, Parsed, use_pages

from multipaxos.lab import export
from multipaxos.lab.export import PageError, bundle, frame, page_of
from multipaxos.lab.play import play
from multipaxos.lab.run import run_of
from multipaxos.lab.web import files

HOSTILE = "# </script><script>alert(1)</script><!--\npropose A </script><!--<script>\ndeliver all\n"


@pytest.fixture(autouse=True)
def small_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the page be a small one."""
    use_pages(monkeypatch)


def hash_of(text: str) -> str:
    """Return how a policy names *text*."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


# ---------------------------------------------------------------------------------------- the file


def test_the_run_is_in_the_file_and_nothing_is_fetched() -> None:
    """It opens from a disk, with the network off."""
    run = run_of(play("propose A x\ndeliver all\n"))

    page = Parsed(page_of(run))

    assert [attributes for attributes, _ in page.scripts] == [
        {"type": "application/json", "id": "run"},
        {},
    ]
    assert json.loads(page.scripts[0][1]) == json.loads(json.dumps(run))
    assert page.fetched == []


def test_only_the_page_s_own_script_and_styles_may_be_used() -> None:
    """The policy names them by their hashes, and allows nothing else."""
    page = Parsed(page_of(run_of(play("propose A x\n"))))
    rules = dict(rule.split(" ", 1) for rule in page.policy.split("; "))

    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == hash_of(page.scripts[1][1])
    assert rules["style-src"] == hash_of("".join(page.styles))
    assert "connect-src" not in rules
    assert "unsafe" not in page.policy


def test_markup_in_a_run_stays_text() -> None:
    """Values, titles and comments come from whoever wrote the script."""
    page = Parsed(page_of(run_of(play(HOSTILE))))

    assert len(page.scripts) == 2
    run: Any = json.loads(page.scripts[0][1])
    assert run["script"] == HOSTILE
    assert run["decisions"][0]["value"] == '"</script><!--<script>"'


def test_a_page_has_a_frame_into_which_any_run_fits() -> None:
    """The page asks for it, and puts in the run that it shows."""
    before, after = frame()

    assert before.endswith('<script type="application/json" id="run">')
    assert after.startswith("</script>")
    assert Parsed(f"{before}[7]{after}").scripts[0][1] == "[7]"


# -------------------------------------------------------------------------------------- the modules


def test_modules_are_put_behind_those_that_they_import() -> None:
    """Each once, without its imports and exports."""
    script = bundle("main.js")

    assert script.count("const b = 1;") == 1
    assert script.index("const b") < script.index("const a") < script.index("mainShow")
    assert not re.search(r"^(import|export)", script, re.MULTILINE)


@pytest.mark.parametrize(
    "changed, sentence",
    [
        ({"a_js": "export const b = 2;\n"}, "b is given by both a.js and b.js"),
        (
            {"a_js": 'import { b as c } from "./b.js";\nexport const a = c;\n'},
            "b as c, and b.js exports no",
        ),
        ({"a_js": "export default 7;\n"}, "a.js imports or exports in a form"),
        ({"a_js": 'export const a = import("./b.js");\n'}, "a.js imports or exports in a form"),
        ({"a_js": 'import b from "./b.js";\nexport const a = b;\n'}, "a.js imports or exports"),
        ({"a_js": 'import { b } from "https://x.example/b.js";\nexport const a = b;\n'}, "a.js"),
        ({"b_js": 'import { a } from "./a.js";\nexport const b = a;\n'}, "imports itself"),
        ({"b_js": 'export const b = "</SCRIPT>";\n'}, "would end or hide the script"),
        ({"b_js": 'export const b = "<!--";\n'}, "would end or hide the script"),
        ({"one_css": "/* </style> */"}, "would end the styles"),
        ({"index_html": "<html></html>"}, "has 0 modules"),
        ({"index_html": FILES["index.html"].replace("</body>", "")}, "needs one </body>"),
    ],
)
def test_files_that_cannot_be_put_into_one_are_refused(
    monkeypatch: pytest.MonkeyPatch, changed: dict[str, str], sentence: str
) -> None:
    """Or the exported page would break in silence."""
    use_pages(monkeypatch, **changed)

    with pytest.raises(PageError, match=sentence):
        frame()


# ------------------------------------------------------------------------------------ the lab's own


def own(name: str) -> str:
    """Return the page's file *name*."""
    found = files.read(name)
    assert found is not None, name
    return found[0].decode()


def test_the_lab_s_own_files_can_be_put_into_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """With every module that the page begins with, and all that they import."""
    monkeypatch.setattr(export, "_read", own)

    before, after = frame()

    page = Parsed(f"{before}{{}}{after}")
    assert page.fetched == []
    assert "function labStart" in page.scripts[1][1]


def test_every_module_of_the_lab_is_one_that_the_page_imports() -> None:
    """One that nothing imports is left over."""
    used = set(re.findall(r'"\./([\w-]+\.js)"', "".join(map(own, files.names()))))

    assert {name for name in files.names() if name.endswith(".js")} - used == {"lab.js"}


def test_no_file_of_the_page_makes_elements_of_text_or_code_of_it() -> None:
    """What a trace holds is shown as text, whatever it looks like."""
    risky = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser"
        r"|srcdoc|setTimeout\(\s*[\"'`]|javascript:|\bstyle=\"|https?://(?!127\.0\.0\.1|www\.w3\.org)"
    )
    for name in files.names():
        assert risky.findall(own(name)) == [], name
