"""Tests reach our own code by its parameters, fields and tables; who patches it instead is listed here with the reason.

Looked at by syntax: `monkeypatch.setattr` and its kin, `mock.patch`, and assignments into what was imported from
`windlass`, in the tests and in the programs that they start. Patches of Python or of other packages are not meant.
"""

import ast
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent
PATCHES = frozenset({"setattr", "delattr", "setitem", "delitem"})
FIELD = re.compile(r"\{\w*(?:!r)?\}")
"""Where a program that a test starts is filled in."""
KILLED = "a crash between two lines: nothing in the program ends there by itself"
CONTROL = "a control: what guards is taken out, to show that the test would see it missing"
IN_PROGRAM = "a program of its own, through all stages, that shall not wait for what is not looked at"
MAY_PATCH: dict[str, str] = {
    "brief.py: evaluate.SECONDS_TIMED": "`Project` walks all stages: a parameter would go through five layers",
    "brief.py: evaluate.bootstrap": "the same",
    "sources/documents/test_collected.py: collection.READER_VERSION": "another version of Windlass reads",
    "test_cli.py: doctor.PARTS": "whole, it imports torch and all that trains: `make soak` asks for all of it",
    "test_cli.py: rendering._index": CONTROL,
    "outputs/items/test_continued.py: module.ENOUGH_USERS": "150 users of a log that a second reads",
    "stages/test_compress.py: copies.copied": "a copy that goes wrong: none of the methods makes one",
    "improving/test_cycle.py: attempts.Attempt.note": KILLED,
    "improving/test_cycle.py: releases.point_to": KILLED,
    "improving/test_cycle.py: cycle._Cycle._was_promoted": CONTROL,
    "forgetting/test_documents.py: releases.destroy": KILLED,
    "forgetting/test_documents.py: lifecycle.run": KILLED,
    "forgetting/test_documents.py: documents.probe": KILLED,
    "forgetting/test_documents.py: documents.erasure.erase": KILLED,
    "predictors/reading/test_central.py: central.MOST": CONTROL,
    "serving/test_document_access.py: Answerer.standalone": CONTROL,
    "learners/passages/test_generating.py: generating.fit_support": "eleven seconds of a processor, each time",
    "improving/test_kill.py: attempts.write_json": CONTROL,
    "learners/recommend/test_models.py: ease.MOST_SIDE": CONTROL,
    **{
        f"{place}: growth.{name}": "its search is for a minute of one's own: a few steps show that it searches"
        for place in ("test_tutor.py", "learners/recommend/test_tracing.py", "learners/recommend/test_fitting.py")
        for name in ("SWEEPS", "EVALUATIONS")
    },
    "improving/test_kill.py: evaluate.SECONDS_TIMED": IN_PROGRAM,
    "kinds/test_decoding.py: decoding.MAX_DECODED": CONTROL,
    "kinds/test_decoding.py: decoding._free": CONTROL,
    "kinds/test_image.py: decoding.MAX_DECODED": CONTROL,
    "kinds/test_image.py: decoding._free": CONTROL,
    "serving/own_process.py: protection.LOOK_S": IN_PROGRAM,
    "serving/test_files.py: files.SAVE_S": IN_PROGRAM,
    "serving/test_jobs.py: work.PATIENCE_S": "how long a job waits for live requests: a busy machine takes longer",
    "serving/test_sidebyside.py: Preferences.store": CONTROL,
    "test_diagnostics.py: guess.write_guess": "a program in which our own code fails as nobody foresaw",
    "tables.py: table": "a line more in a table, which is how the package is extended",
}
"""place: what is patched -> why that is the simplest honest way."""


def patched(text: str) -> list[str]:
    """What of our own code is patched by this one, in order."""
    found = []
    tree = ast.parse(text)
    ours = {
        (name.asname or name.name).partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in node.names
        if (node.module or "" if isinstance(node, ast.ImportFrom) else name.name).partition(".")[0] == "windlass"
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _is_patch(node.func):
            found += [what] if (what := _target(node, ours)) else []
        elif isinstance(node, ast.Assign | ast.AugAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            each = [part for target in targets for part in getattr(target, "elts", [target])]
            found += [ast.unparse(part) for part in each if isinstance(part, ast.Attribute) and _is_of(part, ours)]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and "import" in node.value:
            found += _in_program(node.value)
    return found


def _is_patch(called: ast.expr) -> bool:
    if isinstance(called, ast.Attribute) and called.attr in PATCHES:
        return True
    return ast.unparse(called).removeprefix("mock.").partition(".")[0] == "patch"


def _target(call: ast.Call, ours: set[str]) -> str:
    """What the call patches, where that is ours; mock's patches of what cannot be told are taken for ours."""
    if not call.args:
        return ""
    first, name = call.args[0], call.args[1] if len(call.args) > 1 else None
    told = f".{name.value}" if isinstance(name, ast.Constant) else ""
    if isinstance(first, ast.Constant):
        return str(first.value) if str(first.value).startswith("windlass.") else ""
    is_mock = ast.unparse(call.func).removeprefix("mock.").startswith("patch.dict")
    return ast.unparse(first) + told if _is_of(first, ours, is_mock) else ""


def _is_of(target: ast.expr, ours: set[str], anything: bool = False) -> bool:
    """True for a name that was imported from windlass, or an attribute of it, but not for a module of Python in it."""
    names = ast.unparse(target).split(".")
    if isinstance(target, ast.Attribute) and names[-1] in sys.stdlib_module_names:
        return False
    return anything or (names[0] in ours and isinstance(target, ast.Attribute | ast.Name))


def _in_program(text: str) -> list[str]:
    try:
        return patched(FIELD.sub("None", text))
    except SyntaxError:
        return []


def all_patches() -> list[str]:
    return [
        f"{path.relative_to(ROOT)}: {what}"
        for path in sorted(ROOT.rglob("*.py"))
        if path != Path(__file__)
        for what in patched(path.read_text(encoding="utf-8"))
    ]


def test_who_patches_our_own_code_is_listed_with_the_reason():
    """And a reason that is needed no more goes."""
    found = set(all_patches())
    assert found - set(MAY_PATCH) == set()
    assert set(MAY_PATCH) - found == set()


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("from windlass.stages import train\nmonkeypatch.setattr(train, 'SECONDS', 1)", ["train.SECONDS"]),
        ("from windlass.a import B\ndef test(patched): patched.delattr(B, 'run')", ["B.run"]),
        ("monkeypatch.setattr('windlass.spec.MOST', 1)", ["windlass.spec.MOST"]),
        ("import windlass.store.files as s\nmonkeypatch.setitem(s.TABLE, 'a', 1)", ["s.TABLE.a"]),
        ("from windlass import spec\nspec.MOST = 1", ["spec.MOST"]),
        ("from windlass import spec\nspec.MOST, before = 1, spec.MOST", ["spec.MOST"]),
        ("from unittest.mock import patch\nwith patch('windlass.spec.load'): pass", ["windlass.spec.load"]),
        ("from unittest import mock\ndef test(t): mock.patch.dict(t, {})", ["t"]),
        ('P = """\nfrom windlass import spec\nspec.MOST = {most!r}\n"""', ["spec.MOST"]),
    ],
)
def test_a_patch_is_seen(text, what):
    """The controls: one of each way."""
    assert patched(text) == what


@pytest.mark.parametrize(
    "text",
    [
        "import sys\nmonkeypatch.setattr(sys, 'argv', [])",
        "from windlass import spec\nmonkeypatch.setattr(spec.sys, 'argv', [])",
        "from windlass.store.store import Store\nstore = Store(path)\nstore.clock = lambda: 0.0",
        "from windlass import spec\nspec = spec.load(path)",
        "monkeypatch.setenv('WINDLASS_KEY', 'a')",
    ],
)
def test_what_is_no_patch_of_ours_is_not(text):
    assert patched(text) == []
