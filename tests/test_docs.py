"""README, guide and reference say what the code does: blocks are generated, examples are run."""

import ast
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from windlass import spec
from windlass.blueprints import catalogue
from windlass.cli import app

from .test_architecture import ROOMS

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "README.zh.md", ROOT / "docs" / "guide.md"]
ARCHITECTURE = ROOT / "docs" / "architecture.md"
PACKAGE = ROOT / "src" / "windlass"
COMMANDS = typer.main.get_command(app).commands


def blocks(path: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)


def test_reference_and_readme_blocks_are_what_the_code_says():
    result = subprocess.run(
        [sys.executable, ROOT / "tools" / "make_reference.py", "--check"], text=True, capture_output=True, check=False
    )
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_windlass_command_in_the_docs_exists_with_its_options(path):
    lines = [line for block in blocks(path, "bash") for line in block.splitlines() if line.startswith("windlass ")]
    assert lines
    for line in lines:
        _, word, *rest = shlex.split(line, comments=True)
        if word == "--language":  # it stands before any command
            assert rest.pop(0) in ("zh", "en"), line
            word = rest.pop(0)
        assert word in COMMANDS, line
        command = COMMANDS[word]
        while hasattr(command, "commands"):
            command = command.commands[rest.pop(0)]
        known = {name for parameter in command.params for name in parameter.opts}
        assert {item for item in rest if item.startswith("--")} <= known, line
        command.make_context(word, rest)  # as it is written: each argument and option has its value, of its type


FROM_INDEX = re.compile(r"pip3? +(?:install|wheel|download)(?: +-\S+)* +[`'\"]*windlass(?![\w./-])")


def test_nothing_tells_anybody_to_take_windlass_from_the_index():
    """`windlass` on PyPI is another project: a clone, a path or the packages themselves are named instead."""
    wrong = ["pip install windlass", "pip install 'windlass[train]'", "pip wheel --no-deps windlass"]
    right = ["pip install '.[train]'", "pip install '/path/to/windlass[train]'", "pip install ./wheels/windlass-0.whl"]
    assert [bool(FROM_INDEX.search(line)) for line in [*wrong, *right]] == [True] * 3 + [False] * 3
    places = [path for folder in ("src", "docs", "tools", "benchmarks") for path in (ROOT / folder).rglob("*")]
    told = {".py", ".md", ".sh", ".yaml", ".js", ".html", ".txt", ""}
    files = [path for path in [*ROOT.glob("*.md"), *places] if path.is_file() and path.suffix in told]
    assert len(files) > 300
    assert not [path for path in files if FROM_INDEX.search(path.read_text(encoding="utf-8", errors="replace"))]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_yaml_example_is_a_spec_or_a_part_of_one(path):
    whole = (catalogue.HOME / "support-desk" / "windlass.yaml").read_text(encoding="utf-8")
    for block in blocks(path, "yaml"):
        spec.parse(block if "name:" in block.splitlines()[0] else whole + block)


def test_the_python_of_the_guide_runs(tmp_path, monkeypatch, capsys):
    catalogue.copy("support-desk", tmp_path / "my-desk")
    with (tmp_path / "my-desk" / "windlass.yaml").open("a", encoding="utf-8") as file:
        file.write("learners: [majority, linear]\n")
    monkeypatch.chdir(tmp_path)
    for block in blocks(ROOT / "docs" / "guide.md", "python"):
        exec(compile(block, "guide.md", "exec"), {})  # noqa: S102  our own page, run to keep it true
    assert "Answer(value=" in capsys.readouterr().out


def test_every_link_inside_the_docs_leads_somewhere():
    for path in [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "docs" / "decisions.md", ARCHITECTURE]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", path.read_text(encoding="utf-8")):
            assert (path.parent / target).exists(), f"{path.name} -> {target}"


def test_make_and_ci_run_the_same_command():
    assert "make test" in (ROOT / ".ci" / "run").read_text()
    command = r"^test: check.*\n\t\$\(BIN\)/python -m pytest -n 2 --dist loadfile --max-worker-restart 0$"
    assert re.search(command, (ROOT / "Makefile").read_text(), re.MULTILINE)


PATH = re.compile(r"(?P<path>[\w.-]+(?:/[\w.-]+)*(?:/|\.\w+))(?::(?P<name>[\w.]+))?")
"""What stands in backticks for a file or a folder, and what it defines: `kinds/`, `kinds/table.py:KINDS`."""


def references(text: str) -> list[str]:
    """What stands in backticks outside of blocks and looks like a path, misspelt or not; a route has a space."""
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    return [span for span in spans if PATH.fullmatch(span) or ("/" in span and " " not in span)]


def wrong_references(text: str) -> list[str]:
    """Paths that do not exist, in the package or from the root, and names that their files do not define."""
    wrong = []
    for span in references(text):
        found = PATH.fullmatch(span)
        places = [home / found["path"] for home in (PACKAGE, ROOT)] if found else []
        file = next((place for place in places if place.exists()), None)
        if file is None or found is None or (found["name"] and not is_defined(file, found["name"])):
            wrong.append(span)
    return wrong


def is_defined(file: Path, name: str) -> bool:
    """True when the file defines the name; `Class.method` is looked for within the class."""
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    if file.suffix == ".js":
        return re.search(rf"\bfunction {re.escape(name)}\(", text) is not None
    if file.suffix != ".py":
        return False
    body = ast.parse(text).body
    *outer, last = name.split(".")
    for part in outer:
        body = next((node.body for node in body if isinstance(node, ast.ClassDef) and node.name == part), [])
    return last in {each for node in body for each in _names(node)}


def _names(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [each.id for target in targets for each in ast.walk(target) if isinstance(each, ast.Name)]


def picture(text: str) -> list[set[str]]:
    """The rooms of the picture by rank, highest first: what stands between two `>`, without the names of the floors."""
    drawn = re.search(r"```text\n(.*?)```", text, re.DOTALL)
    lines = drawn.group(1).splitlines() if drawn else []
    ranks = " ".join(line.partition("|")[2] for line in lines).split(">")
    return [set(re.findall(r"\w+", rank)) for rank in ranks]


def missing_rooms(text: str) -> set[str]:
    """Rooms of the package, folders and single files, that the picture does not show."""
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    return {*folders, *(path.stem for path in PACKAGE.glob("*.py"))} - {room for rank in picture(text) for room in rank}


def is_in_order(text: str) -> bool:
    """True when the picture has the ranks of `test_architecture`, which the imports are held to."""
    return picture(text) == [set(line.split()) for line in reversed(ROOMS)]


def test_the_architecture_page_names_what_is_there():
    text = ARCHITECTURE.read_text(encoding="utf-8")
    assert len(references(text)) > 60, "a page without references would be true as well"
    assert wrong_references(text) == []
    assert missing_rooms(text) == set()
    assert is_in_order(text)
    lines = text.splitlines()
    assert len(lines) <= 120
    assert max(map(len, lines)) <= 160


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("`kinds/contract.py:Kind`", "`kinds/contrat.py:Kind`"),
        ("`kinds/contract.py:Kind`", "`kinds/contract.py:Knd`"),
        ("`serving/runtime/replica.py:Replica.answer`", "`serving/runtime/replica.py:Replica.anser`"),
        ("`serving/runtime/replica.py:Replica.answer`", "`serving/runtime/replica.py:answer`"),
        ("`serving/ui/assets/verdict.js:tell`", "`serving/ui/assets/verdict.js:tel`"),
        ("`planning/items/`", "`planning/item/`"),
        ("`planning/items/`", "`planning/items`"),
    ],
)
def test_the_check_of_references_finds_what_is_wrong(right, wrong):
    """Control: the page with one reference spoiled."""
    text = ARCHITECTURE.read_text(encoding="utf-8")
    assert right in text
    assert wrong_references(text.replace(right, wrong)) == [wrong.strip("`")] * text.count(right)


def test_the_check_of_the_picture_finds_what_is_wrong():
    """Control: a room is missing, two ranks have changed places, two are taken for one."""
    text = ARCHITECTURE.read_text(encoding="utf-8")
    assert missing_rooms(text.replace("> sources >", ">")) == {"sources"}
    assert not is_in_order(text.replace("> sources >", ">"))
    assert not is_in_order(text.replace("registry > predictors", "predictors > registry"))
    assert not is_in_order(text.replace("registry > predictors", "registry, predictors"))
    assert not is_in_order("no picture")
